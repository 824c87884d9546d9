import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const ConfigMap = defineKind({
  group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", namespaced: true,
  shortNames: ["cm"],
  definition: "io.k8s.api.core.v1.ConfigMap",
  doc: "",
  fields: {
    binaryData: t.map(t.bytes()).pb(3),
    data: t.map(t.string()).pb(2),
    immutable: t.bool().pb(4).pointer(),
  },
});
export interface ConfigMap extends Resource<typeof ConfigMap> {}
