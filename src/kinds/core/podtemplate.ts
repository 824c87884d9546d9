import { PodTemplateSpec } from "./podspec.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const PodTemplate = defineKind({
  group: "", version: "v1", kind: "PodTemplate", plural: "podtemplates", namespaced: true,
  definition: "io.k8s.api.core.v1.PodTemplate",
  doc: "",
  fields: {
    template: PodTemplateSpec.pb(2).always("{}"),
  },
});
export interface PodTemplate extends Resource<typeof PodTemplate> {}
