import { ageColumn, nameColumn } from "../columns.ts";
import { configMapRules } from "./datarules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ConfigMap = defineKind({
  group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true,
  shortNames: ["cm"],
  definition: "io.k8s.api.core.v1.ConfigMap",
  doc: "Settings as keys and values, for pods to read.",
  fields: {
    binaryData: t.map(t.bytes()).pb(3).doc("Values that are not UTF-8 text, in base64, by key."),
    data: t.map(t.string()).pb(2).doc("Values that are UTF-8 text, by key."),
    immutable: t.bool().pb(4).pointer().doc("Whether the data can no longer be changed."),
  },
  rules: configMapRules,
  columns: [
    nameColumn,
    { name: "Data", type: "string", doc: "Number of keys.", cell: map => Object.keys(map.data ?? {}).length + Object.keys(map.binaryData ?? {}).length },
    ageColumn,
  ],
});
export interface ConfigMap extends Resource<typeof ConfigMap> {}
