import { keepField } from "../../base/json.ts";
import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, selectorText, templateColumns } from "../columns.ts";
import { defaultPodSpec, dropGatedPodFields } from "../core/poddefaults.ts";
import { forbidden, invalidValue, notSupported } from "../../schema/problem.ts";
import { immutableSelector, intOrPercent, isZero, nonNegative, notDecremented, notMoreThanAll, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import { templateWarnings } from "../core/podwarnings.ts";
import * as t from "../../schema/t.ts";

export const RollingUpdateDeployment = t.object("io.k8s.api.apps.v1.RollingUpdateDeployment", {
  maxSurge: t.intOrString().pb(2).pointer().doc("How many pods more than wanted there may be meanwhile, as a number or percentage."),
  maxUnavailable: t.intOrString().pb(1).pointer().doc("How many pods may be unavailable meanwhile, as a number or percentage."),
});
export interface RollingUpdateDeployment extends t.Stored<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = t.object("io.k8s.api.apps.v1.DeploymentStrategy", {
  rollingUpdate: RollingUpdateDeployment.pb(2).doc("How fast, if RollingUpdate."),
  type: t.oneOf("Recreate", "RollingUpdate").unchecked().pb(1).default("RollingUpdate").doc("Whether old pods go step by step (RollingUpdate) or all at once first (Recreate)."),
});
export interface DeploymentStrategy extends t.Stored<typeof DeploymentStrategy> {}

export const DeploymentSpec = t.object("io.k8s.api.apps.v1.DeploymentSpec", {
  minReadySeconds: t.int32().pb(5).doc("How long a pod must have been ready before it counts as available."),
  paused: t.bool().pb(7).doc("Whether changes of the template wait."),
  progressDeadlineSeconds: t.int32().pb(9).pointer().default(600).doc("How long there may be no progress until the deployment counts as failed."),
  replicas: t.int32().pb(1).pointer().default(1).doc("How many pods are wanted."),
  revisionHistoryLimit: t.int32().pb(6).pointer().default(10).doc("How many old revisions are kept for going back."),
  selector: LabelSelector.pb(2).required().always("null").doc("Labels by which the pods are found."),
  strategy: DeploymentStrategy.pb(4).always("{}").retainKeys().doc("How pods are replaced when the template changes."),
  template: PodTemplateSpec.pb(3).required().always("{}").doc("What pods are made from."),
});
export interface DeploymentSpec extends t.Stored<typeof DeploymentSpec> {}

export const DeploymentCondition = t.object("io.k8s.api.apps.v1.DeploymentCondition", {
  lastTransitionTime: t.time().pb(7).always("null").doc("When the status last changed."),
  lastUpdateTime: t.time().pb(6).always("null").doc("When this entry was last written."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface DeploymentCondition extends t.Stored<typeof DeploymentCondition> {}

export const DeploymentStatus = t.object("io.k8s.api.apps.v1.DeploymentStatus", {
  availableReplicas: t.int32().pb(4).doc("Pods that have been ready for long enough."),
  collisionCount: t.int32().pb(8).pointer().doc("How often a generated name was already taken."),
  conditions: t.listBy(DeploymentCondition, "type").pb(6).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  observedGeneration: t.int64().pb(1).doc("The metadata.generation that this status speaks of."),
  readyReplicas: t.int32().pb(7).doc("Pods that are ready."),
  replicas: t.int32().pb(2).doc("Pods that exist."),
  terminatingReplicas: t.int32().pb(9).pointer().doc("Pods that are going."),
  unavailableReplicas: t.int32().pb(5).doc("Pods that still lack to the number wanted."),
  updatedReplicas: t.int32().pb(3).doc("Pods of the newest template."),
});
export interface DeploymentStatus extends t.Stored<typeof DeploymentStatus> {}

export const Deployment = defineKind({
  group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true,
  shortNames: ["deploy"], categories: ["all"], subresources: ["scale", "status"],
  generation: true, generationBy: "annotations",
  definition: "io.k8s.api.apps.v1.Deployment",
  doc: "Keeps a set of pods at a wanted version and number, changing them step by step.",
  fields: {
    spec: DeploymentSpec.pb(2).always("{}").doc("Which pods, how many, and how they are replaced."),
    status: DeploymentStatus.pb(3).always("{}").doc("How far it is."),
  },
  defaults({ spec }) {
    if (spec.strategy.type === "RollingUpdate") spec.strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...spec.strategy.rollingUpdate };
    defaultPodSpec(spec.template.spec);
  },
  resets: subresource => (subresource === "status" ? [["spec"], ["metadata", "labels"]] : [["status"]]),
  prepare(next, previous, { subresource }) {
    dropGatedPodFields(next.spec.template.spec);
    if (subresource === "status") keepField(next.metadata, previous?.metadata, "labels");
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]);
      yield* notDecremented(next.status.collisionCount, previous?.status.collisionCount, "status.collisionCount");
      return;
    }
    const { spec } = next;
    yield* nonNegative(spec.replicas, "spec.replicas");
    yield* validateSelectorAndTemplate(spec);
    if (previous !== undefined) yield* immutableSelector(spec.selector, previous.spec.selector);
    const { type, rollingUpdate } = spec.strategy;
    if (!["Recreate", "RollingUpdate"].includes(type)) yield notSupported("spec.strategy", spec.strategy, ["Recreate", "RollingUpdate"]);
    if (type === "Recreate" && rollingUpdate !== undefined) yield forbidden("spec.strategy.rollingUpdate", "may not be specified when strategy `type` is 'Recreate'");
    if (type === "RollingUpdate" && rollingUpdate !== undefined) {
      const path = "spec.strategy.rollingUpdate";
      yield* intOrPercent(rollingUpdate.maxUnavailable, `${path}.maxUnavailable`);
      yield* intOrPercent(rollingUpdate.maxSurge, `${path}.maxSurge`);
      if (isZero(rollingUpdate.maxUnavailable) && isZero(rollingUpdate.maxSurge)) yield invalidValue(`${path}.maxUnavailable`, rollingUpdate.maxUnavailable, "may not be 0 when `maxSurge` is 0");
      yield* notMoreThanAll(rollingUpdate.maxUnavailable, `${path}.maxUnavailable`);
    }
    yield* nonNegative(spec.minReadySeconds, "spec.minReadySeconds");
    yield* nonNegative(spec.revisionHistoryLimit, "spec.revisionHistoryLimit");
    yield* nonNegative(spec.progressDeadlineSeconds, "spec.progressDeadlineSeconds");
    if (spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0)) yield invalidValue("spec.progressDeadlineSeconds", spec.progressDeadlineSeconds, "must be greater than minReadySeconds");
  },
  warnings: templateWarnings("spec.template", ({ spec }) => spec.template, "named"),
  columns: [
    nameColumn,
    { name: "Ready", type: "string", doc: "Pods that are ready, of those wanted.", cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
    { name: "Up-to-date", type: "string", doc: "Pods of the newest version.", cell: ({ status }) => status.updatedReplicas ?? 0 },
    { name: "Available", type: "string", doc: "Pods that have been ready for long enough.", cell: ({ status }) => status.availableReplicas ?? 0 },
    ageColumn,
    ...templateColumns<{ readonly spec: DeploymentSpec }>(({ spec }) => spec.template),
    { name: "Selector", type: "string", priority: 1, doc: "Labels by which pods are counted.", cell: ({ spec }) => selectorText(spec.selector) },
  ],
});
export interface Deployment extends Resource<typeof Deployment> {}
