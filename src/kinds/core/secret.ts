import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const Secret = defineKind({
  group: "", version: "v1", kind: "Secret", plural: "secrets", namespaced: true,
  definition: "io.k8s.api.core.v1.Secret",
  doc: "",
  fields: {
    data: t.map(t.bytes()).pb(2),
    immutable: t.bool().pb(5).pointer(),
    stringData: t.map(t.string()).pb(4),
    type: t.string().pb(3).default("Opaque"),
  },
});
export interface Secret extends Resource<typeof Secret> {}
