import { PodTemplateSpec } from "./podspec.ts";
import { defaultPodSpec, dropGatedPodFields } from "./poddefaults.ts";
import { labelsText, nameColumn, templateColumns } from "../columns.ts";
import { validatePodTemplate } from "./podspecrules.ts";
import { templateWarnings } from "./podwarnings.ts";
import { defineKind, type Resource } from "../kind.ts";

export const PodTemplate = defineKind({
  group: "", version: "v1", kind: "PodTemplate", plural: "podtemplates", namespaced: true,
  generation: true, returnDeleted: true,
  definition: "io.k8s.api.core.v1.PodTemplate",
  doc: "A stored pod template.",
  fields: {
    template: PodTemplateSpec.pb(2).always("{}").doc("What the pods are made from."),
  },
  defaults(object) { defaultPodSpec(object.template.spec); },
  prepare({ template }) { dropGatedPodFields(template.spec); },
  rules: next => validatePodTemplate(next.template, "template"),
  warnings: templateWarnings("template", ({ template }) => template),
  columns: [
    nameColumn,
    ...templateColumns<{ readonly template: PodTemplateSpec }>(({ template }) => template).map(column => ({ ...column, priority: 0 as const })),
    { name: "Pod Labels", type: "string", doc: "Labels of the pods made from it.", cell: object => labelsText(object.template.metadata.labels) },
  ],
});
export interface PodTemplate extends Resource<typeof PodTemplate> {}
