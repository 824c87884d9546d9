import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, selectorText, templateColumns } from "../columns.ts";
import { defaultPodSpec } from "../core/poddefaults.ts";
import { forbidden, invalidValue } from "../../schema/problem.ts";
import { immutableSelector, intOrPercent, isZero, nonNegative, notDecremented, notMoreThanAll, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const RollingUpdateDeployment = t.object("io.k8s.api.apps.v1.RollingUpdateDeployment", {
  maxSurge: t.intOrString().pb(2).pointer(),
  maxUnavailable: t.intOrString().pb(1).pointer(),
});
export interface RollingUpdateDeployment extends t.Stored<typeof RollingUpdateDeployment> {}

export const DeploymentStrategy = t.object("io.k8s.api.apps.v1.DeploymentStrategy", {
  rollingUpdate: RollingUpdateDeployment.pb(2),
  type: t.oneOf("Recreate", "RollingUpdate").pb(1).default("RollingUpdate"),
});
export interface DeploymentStrategy extends t.Stored<typeof DeploymentStrategy> {}

export const DeploymentSpec = t.object("io.k8s.api.apps.v1.DeploymentSpec", {
  minReadySeconds: t.int32().pb(5),
  paused: t.bool().pb(7),
  progressDeadlineSeconds: t.int32().pb(9).pointer().default(600),
  replicas: t.int32().pb(1).pointer().default(1),
  revisionHistoryLimit: t.int32().pb(6).pointer().default(10),
  selector: LabelSelector.pb(2).required().always("null"),
  strategy: DeploymentStrategy.pb(4).always("{}").retainKeys(),
  template: PodTemplateSpec.pb(3).required().always("{}"),
});
export interface DeploymentSpec extends t.Stored<typeof DeploymentSpec> {}

export const DeploymentCondition = t.object("io.k8s.api.apps.v1.DeploymentCondition", {
  lastTransitionTime: t.time().pb(7).always("null"),
  lastUpdateTime: t.time().pb(6).always("null"),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface DeploymentCondition extends t.Stored<typeof DeploymentCondition> {}

export const DeploymentStatus = t.object("io.k8s.api.apps.v1.DeploymentStatus", {
  availableReplicas: t.int32().pb(4),
  collisionCount: t.int32().pb(8).pointer(),
  conditions: t.listBy(DeploymentCondition, "type").pb(6).mergeBy("type"),
  observedGeneration: t.int64().pb(1),
  readyReplicas: t.int32().pb(7),
  replicas: t.int32().pb(2),
  terminatingReplicas: t.int32().pb(9).pointer(),
  unavailableReplicas: t.int32().pb(5),
  updatedReplicas: t.int32().pb(3),
});
export interface DeploymentStatus extends t.Stored<typeof DeploymentStatus> {}

export const Deployment = defineKind({
  group: "apps", version: "v1", kind: "Deployment", plural: "deployments", namespaced: true,
  shortNames: ["deploy"], categories: ["all"], subresources: ["scale", "status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.Deployment",
  doc: "Keeps a set of pods at a wanted version and number, changing them step by step.",
  fields: {
    spec: DeploymentSpec.pb(2).always("{}"),
    status: DeploymentStatus.pb(3).always("{}"),
  },
  defaults({ spec }) {
    if (spec.strategy.type === "RollingUpdate") spec.strategy.rollingUpdate = { maxUnavailable: "25%", maxSurge: "25%", ...spec.strategy.rollingUpdate };
    defaultPodSpec(spec.template.spec);
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["updatedReplicas", "readyReplicas", "availableReplicas", "unavailableReplicas"]);
      yield* notDecremented(next.status.collisionCount, previous?.status.collisionCount, "status.collisionCount");
      return;
    }
    const { spec } = next;
    yield* nonNegative(spec.replicas, "spec.replicas");
    yield* validateSelectorAndTemplate(spec, previous?.spec);
    if (previous !== undefined) yield* immutableSelector(spec.selector, previous.spec.selector);
    const { type, rollingUpdate } = spec.strategy;
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
