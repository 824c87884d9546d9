import { goValue } from "../../schema/go-value.ts";
import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, labelsText, nameColumn, selectorOrNone, templateColumns } from "../columns.ts";
import { defaultPodSpec, dropGatedPodFields } from "../core/poddefaults.ts";
import { invalidValue, notSupported, required } from "../../schema/problem.ts";
import { immutableSelector, intOrPercent, isZero, nonNegative, notDecremented, notMoreThanAll, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { sameJson } from "../../base/json.ts";
import { podWarnings } from "../core/podwarnings.ts";
import * as t from "../../schema/t.ts";

export const RollingUpdateDaemonSet = t.object("io.k8s.api.apps.v1.RollingUpdateDaemonSet", {
  maxSurge: t.intOrString().pb(2).pointer().doc("How many nodes may have an old and a new pod at once, as a number or percentage."),
  maxUnavailable: t.intOrString().pb(1).pointer().doc("How many nodes may be without an available pod meanwhile, as a number or percentage."),
});
export interface RollingUpdateDaemonSet extends t.Stored<typeof RollingUpdateDaemonSet> {}

export const DaemonSetUpdateStrategy = t.object("io.k8s.api.apps.v1.DaemonSetUpdateStrategy", {
  rollingUpdate: RollingUpdateDaemonSet.pb(2).doc("How fast, if RollingUpdate."),
  type: t.oneOf("OnDelete", "RollingUpdate").unchecked().pb(1).default("RollingUpdate").doc("Whether pods are replaced by themselves (RollingUpdate) or when someone deletes them (OnDelete)."),
});
export interface DaemonSetUpdateStrategy extends t.Stored<typeof DaemonSetUpdateStrategy> {}

export const DaemonSetSpec = t.object("io.k8s.api.apps.v1.DaemonSetSpec", {
  minReadySeconds: t.int32().pb(4).doc("How long a pod must have been ready before it counts as available."),
  revisionHistoryLimit: t.int32().pb(6).pointer().default(10).doc("How many old revisions are kept for going back."),
  selector: LabelSelector.pb(1).required().always("null").unchecked().doc("Labels by which the pods are found."),
  template: PodTemplateSpec.pb(2).required().always("{}").doc("What pods are made from."),
  updateStrategy: DaemonSetUpdateStrategy.pb(3).always("{}").doc("How pods are replaced when the template changes."),
});
export interface DaemonSetSpec extends t.Stored<typeof DaemonSetSpec> {}

export const DaemonSetCondition = t.object("io.k8s.api.apps.v1.DaemonSetCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface DaemonSetCondition extends t.Stored<typeof DaemonSetCondition> {}

export const DaemonSetStatus = t.object("io.k8s.api.apps.v1.DaemonSetStatus", {
  collisionCount: t.int32().pb(9).pointer().doc("How often a generated name was already taken."),
  conditions: t.listBy(DaemonSetCondition, "type").pb(10).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  currentNumberScheduled: t.int32().pb(1).required().always("zero").doc("Nodes that have a pod and should."),
  desiredNumberScheduled: t.int32().pb(3).required().always("zero").doc("Nodes that should have one."),
  numberAvailable: t.int32().pb(7).doc("Nodes whose pod has been ready for long enough."),
  numberMisscheduled: t.int32().pb(2).required().always("zero").doc("Nodes that have a pod and should not."),
  numberReady: t.int32().pb(4).required().always("zero").doc("Nodes whose pod is ready."),
  numberUnavailable: t.int32().pb(8).doc("Nodes without an available pod."),
  observedGeneration: t.int64().pb(5).doc("The metadata.generation that this status speaks of."),
  updatedNumberScheduled: t.int32().pb(6).doc("Nodes whose pod is of the newest template."),
});
export interface DaemonSetStatus extends t.Stored<typeof DaemonSetStatus> {}

export const DaemonSet = defineKind({
  group: "apps", version: "v1", kind: "DaemonSet", plural: "daemonsets", namespaced: true,
  shortNames: ["ds"], categories: ["all"], subresources: ["status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.DaemonSet",
  doc: "Keeps one pod on every node that fits.",
  fields: {
    spec: DaemonSetSpec.pb(2).always("{}").doc("What to run on every node."),
    status: DaemonSetStatus.pb(3).always("{}").doc("On how many nodes it runs."),
  },
  defaults({ metadata, spec }) {
    // Whoever makes the object owns it (next to `prepare`).
    if (metadata?.annotations?.[generationAnnotation] === undefined) metadata.annotations = { ...metadata.annotations, [generationAnnotation]: "0" };
    if (spec.updateStrategy.type === "RollingUpdate") spec.updateStrategy.rollingUpdate = { maxUnavailable: 1, maxSurge: 0, ...spec.updateStrategy.rollingUpdate };
    defaultPodSpec(spec.template.spec);
  },
  // Quirk: the template's own generation shows as an annotation (conversion of spec.templateGeneration, which apps/v1 lacks).
  prepare(next, previous, { subresource }) {
    if (subresource !== "") return;
    dropGatedPodFields(next.spec.template.spec);
    const before = Number(previous?.metadata.annotations?.[generationAnnotation] ?? 0);
    const changed = previous === undefined || !sameJson(next.spec.template, previous.spec.template);
    next.metadata.annotations = { ...next.metadata.annotations, [generationAnnotation]: String(changed ? before + 1 : before) };
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      for (const name of statusCounts) yield* nonNegative(next.status[name], `status.${name}`);
      yield* notDecremented(next.status.collisionCount, previous?.status.collisionCount, "status.collisionCount");
      return;
    }
    const { spec } = next;
    if (previous !== undefined) yield* immutableSelector(spec.selector, previous.spec.selector);
    yield* validateSelectorAndTemplate(spec, "spec", "daemonset");
    yield* nonNegative(spec.minReadySeconds, "spec.minReadySeconds");
    yield* nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit");
    const rolling = spec.updateStrategy.rollingUpdate;
    const type = spec.updateStrategy.type as string;
    if (type !== "RollingUpdate" && type !== "OnDelete") yield notSupported("spec.updateStrategy", goValue(DaemonSetUpdateStrategy.node, spec.updateStrategy), ["RollingUpdate", "OnDelete"]);
    if (spec.updateStrategy.type !== "RollingUpdate" || rolling === undefined) return;
    const path = "spec.updateStrategy.rollingUpdate";
    yield* intOrPercent(rolling.maxUnavailable, `${path}.maxUnavailable`);
    yield* intOrPercent(rolling.maxSurge, `${path}.maxSurge`);
    yield* notMoreThanAll(rolling.maxUnavailable, `${path}.maxUnavailable`);
    yield* notMoreThanAll(rolling.maxSurge, `${path}.maxSurge`);
    if (!isZero(rolling.maxUnavailable) && !isZero(rolling.maxSurge)) yield invalidValue(`${path}.maxSurge`, rolling.maxSurge, "may not be set when maxUnavailable is non-zero");
    if (isZero(rolling.maxUnavailable) && isZero(rolling.maxSurge)) yield required(`${path}.maxUnavailable`, "cannot be 0 when maxSurge is 0");
  },
  warnings: ({ spec }, previous) => (previous !== undefined && sameJson(spec.template, previous.spec.template) ? [] : podWarnings(spec.template, "spec.template")),
  columns: [
    nameColumn,
    { name: "Desired", type: "integer", doc: "Nodes that should run the pod.", cell: ({ status }) => status.desiredNumberScheduled },
    { name: "Current", type: "integer", doc: "Nodes that have it.", cell: ({ status }) => status.currentNumberScheduled },
    { name: "Ready", type: "integer", doc: "Nodes on which it is ready.", cell: ({ status }) => status.numberReady },
    { name: "Up-to-date", type: "integer", doc: "Nodes with its newest version.", cell: ({ status }) => status.updatedNumberScheduled ?? 0 },
    { name: "Available", type: "integer", doc: "Nodes on which it has been ready for long enough.", cell: ({ status }) => status.numberAvailable ?? 0 },
    { name: "Node Selector", type: "string", doc: "Labels of the nodes it is for.", cell: ({ spec }) => labelsText(spec.template.spec.nodeSelector) },
    ageColumn,
    ...templateColumns<{ readonly spec: DaemonSetSpec }>(({ spec }) => spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => selectorOrNone(spec.selector) },
  ],
});
export interface DaemonSet extends Resource<typeof DaemonSet> {}

const generationAnnotation = "deprecated.daemonset.template.generation";
const statusCounts = ["currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady", "observedGeneration", "updatedNumberScheduled", "numberAvailable", "numberUnavailable", "collisionCount"] as const;
