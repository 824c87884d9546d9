import { goValue } from "../../schema/go-value.ts";
import { ObjectMeta } from "../meta/objectmeta.ts";
import { ResourceClaimSpec } from "./types.ts";
import { ageColumn, nameColumn } from "../columns.ts";
import { defineKind, type Resource } from "../kind.ts";
import { defaultDevices } from "./defaults.ts";
import { claimProblems } from "./rules.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue } from "../../schema/problem.ts";
import { validateAnnotations, validateLabels } from "../meta/rules.ts";
import * as t from "../../schema/t.ts";

export const ResourceClaimTemplateSpec = t.object("io.k8s.api.resource.v1.ResourceClaimTemplateSpec", {
  metadata: ObjectMeta.pb(1).always("{}").doc("Labels and annotations of the claims."),
  spec: ResourceClaimSpec.pb(2).required().always("{}").doc("What is asked for."),
});
export interface ResourceClaimTemplateSpec extends t.Stored<typeof ResourceClaimTemplateSpec> {}

export const ResourceClaimTemplate = defineKind({
  group: "resource.k8s.io", version: "v1", kind: "ResourceClaimTemplate", plural: "resourceclaimtemplates", namespaced: true,
  returnDeleted: true,
  definition: "io.k8s.api.resource.v1.ResourceClaimTemplate",
  doc: "A claim for devices, made anew for each pod.",
  fields: {
    spec: ResourceClaimTemplateSpec.pb(2).required().always("{}").doc("What claims are made from."),
  },
  defaults({ spec }) { defaultDevices(spec.spec.devices); },
  *rules({ spec }, previous) {
    yield* validateAnnotations(spec.metadata.annotations, "spec.metadata.annotations");
    yield* validateLabels(spec.metadata.labels, "spec.metadata.labels");
    for (const field of Object.keys(spec.metadata)) if (!["annotations", "labels", "creationTimestamp"].includes(field)) yield forbidden(`spec.metadata.${field === "uid" ? "uID" : field}`, "cannot be set");
    yield* claimProblems(spec.spec.devices, "spec.spec.devices");
    if (previous !== undefined && !sameJson(spec, previous.spec)) yield invalidValue("spec", goValue(ResourceClaimTemplateSpec.node, spec), "field is immutable");
  },
  columns: [nameColumn, ageColumn],
});
export interface ResourceClaimTemplate extends Resource<typeof ResourceClaimTemplate> {}
