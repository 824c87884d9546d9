import { PodTemplateSpec } from "./podspec.ts";
import { ageColumn, labelsText, nameColumn, templateColumns } from "../columns.ts";
import { sameJson } from "../../base/json.ts";
import { goMap, invalidValue, notSupported, required } from "../../schema/problem.ts";
import { nonNegative, selects, validateCounts } from "../apps/workloadrules.ts";
import { defaultPodSpec, dropGatedPodFields } from "./poddefaults.ts";
import { validatePodTemplate } from "./podspecrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { nameWarnings, podWarnings } from "../core/podwarnings.ts";
import * as t from "../../schema/t.ts";

export const ReplicationControllerSpec = t.object("io.k8s.api.core.v1.ReplicationControllerSpec", {
  minReadySeconds: t.int32().pb(4).default(0, "published").doc("How long a pod must have been ready before it counts as available."),
  replicas: t.int32().pb(1).pointer().default(1, "published").doc("How many pods are wanted."),
  selector: t.map(t.string()).pb(2).atomic().doc("Labels by which the pods are found."),
  template: PodTemplateSpec.pb(3).doc("What pods are made from."),
});
export interface ReplicationControllerSpec extends t.Stored<typeof ReplicationControllerSpec> {}

export const ReplicationControllerCondition = t.object("io.k8s.api.core.v1.ReplicationControllerCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface ReplicationControllerCondition extends t.Stored<typeof ReplicationControllerCondition> {}

export const ReplicationControllerStatus = t.object("io.k8s.api.core.v1.ReplicationControllerStatus", {
  availableReplicas: t.int32().pb(5).doc("Pods that have been ready for long enough."),
  conditions: t.listBy(ReplicationControllerCondition, "type").pb(6).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  fullyLabeledReplicas: t.int32().pb(2).doc("Pods that have all labels of the template."),
  observedGeneration: t.int64().pb(3).doc("The metadata.generation that this status speaks of."),
  readyReplicas: t.int32().pb(4).doc("Pods that are ready."),
  replicas: t.int32().pb(1).required().always("zero").doc("Pods that exist."),
});
export interface ReplicationControllerStatus extends t.Stored<typeof ReplicationControllerStatus> {}

export const ReplicationController = defineKind({
  group: "", version: "v1", kind: "ReplicationController", plural: "replicationcontrollers", namespaced: true,
  shortNames: ["rc"], categories: ["all"], subresources: ["scale", "status"],
  generation: true, orphanByDefault: true,
  definition: "io.k8s.api.core.v1.ReplicationController",
  doc: "Keeps a number of pods running; Deployments do it better.",
  fields: {
    spec: ReplicationControllerSpec.pb(2).always("{}").doc("How many pods, and which."),
    status: ReplicationControllerStatus.pb(3).always("{}").doc("How many there are."),
  },
  defaults({ metadata, spec }) {
    const labels = spec.template?.metadata.labels;
    if (labels !== undefined) {
      if (Object.keys(spec.selector ?? {}).length === 0) spec.selector = { ...labels };
      if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    }
    if (spec.template !== undefined) defaultPodSpec(spec.template.spec);
  },
  prepare({ spec }) { if (spec.template !== undefined) dropGatedPodFields(spec.template.spec); },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["fullyLabeledReplicas", "readyReplicas", "availableReplicas"]);
      return;
    }
    const { spec } = next;
    const selector = spec.selector ?? {};
    yield* nonNegative(spec.minReadySeconds, "spec.minReadySeconds");
    if (Object.keys(selector).length === 0) yield required("spec.selector");
    yield* nonNegative(spec.replicas, "spec.replicas");
    if (spec.template === undefined) yield required("spec.template");
    else if (!selects({ matchLabels: selector }, spec.template.metadata.labels ?? {})) yield invalidValue("spec.template.metadata.labels", goMap(spec.template.metadata.labels), "`selector` does not match template `labels`");
    if (spec.template === undefined || (previous !== undefined && sameJson(spec.template, previous.spec.template))) return;
    yield* validatePodTemplate(spec.template, "spec.template");
    if (spec.template.spec.restartPolicy !== "Always") yield notSupported("spec.template.spec.restartPolicy", spec.template.spec.restartPolicy, ["Always"]);
  },
  selectable: { "status.replicas": controller => String(controller.status.replicas) },
  // Quirk: an update is told of the template that was (strategy.go WarningsOnUpdate mixes up old and new).
  *warnings(next, previous) {
    if (previous === undefined) yield* nameWarnings(next.metadata.name);
    const { template } = (previous ?? next).spec;
    if (template !== undefined && (previous === undefined || next.metadata.generation !== previous.metadata.generation)) yield* podWarnings(template, "spec.template");
  },
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", doc: "Number of pods wanted.", cell: ({ spec }) => spec.replicas },
    { name: "Current", type: "integer", doc: "Number of pods that exist.", cell: ({ status }) => status.replicas },
    { name: "Ready", type: "integer", doc: "Number of pods that are ready.", cell: ({ status }) => status.readyReplicas ?? 0 },
    ageColumn,
    ...templateColumns<{ readonly spec: ReplicationControllerSpec }>(({ spec }) => spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => labelsText(spec.selector) },
  ],
});
export interface ReplicationController extends Resource<typeof ReplicationController> {}
