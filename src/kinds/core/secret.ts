import { ageColumn, nameColumn } from "../columns.ts";
import { encodeBase64 } from "../../base/base64.ts";
import { secretRules, secretWarnings } from "./datarules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Secret = defineKind({
  group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true,
  definition: "io.k8s.api.core.v1.Secret",
  doc: "Confidential settings: keys and base64 values.",
  fields: {
    data: t.map(t.bytes()).pb(2).doc("Values in base64, by key."),
    immutable: t.bool().pb(5).pointer().doc("Whether the data can no longer be changed."),
    stringData: t.map(t.string()).pb(4).doc("Values as plain text, written into data and never read back."),
    type: t.string().pb(3).default("Opaque").doc("What is in it, such as Opaque or kubernetes.io/tls."),
  },
  defaults(secret) {
    if (secret.stringData === undefined) return;
    secret.data = { ...secret.data, ...Object.fromEntries(Object.entries(secret.stringData as { [key: string]: string }).map(([key, text]) => [key, encodeBase64(new TextEncoder().encode(text))])) };
    delete secret.stringData;
  },
  rules: secretRules, warnings: secretWarnings,
  selectable: { type: secret => secret.type },
  columns: [
    nameColumn,
    { name: "Type", type: "string", doc: "What the secret is for.", cell: secret => secret.type },
    { name: "Data", type: "string", doc: "Number of keys.", cell: secret => Object.keys(secret.data ?? {}).length },
    ageColumn,
  ],
});
export interface Secret extends Resource<typeof Secret> {}
