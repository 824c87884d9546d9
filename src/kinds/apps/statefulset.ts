import { PersistentVolumeClaim } from "../core/persistentvolumeclaim.ts";
import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, templateColumns } from "../columns.ts";
import { defaultPodSpec } from "../core/poddefaults.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, notSupported } from "../../schema/problem.ts";
import { nonNegative, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type New, type Resource } from "../kind.ts";
import * as t from "../../schema/t.ts";

export const StatefulSetOrdinals = t.object("io.k8s.api.apps.v1.StatefulSetOrdinals", {
  start: t.int32().pb(1).always("zero"),
});
export interface StatefulSetOrdinals extends t.Stored<typeof StatefulSetOrdinals> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = t.object("io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", {
  whenDeleted: t.string().pb(1).default("Retain"),
  whenScaled: t.string().pb(2).default("Retain"),
});
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends t.Stored<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const RollingUpdateStatefulSetStrategy = t.object("io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", {
  maxUnavailable: t.intOrString().pb(2).pointer(),
  partition: t.int32().pb(1).pointer(),
});
export interface RollingUpdateStatefulSetStrategy extends t.Stored<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetUpdateStrategy = t.object("io.k8s.api.apps.v1.StatefulSetUpdateStrategy", {
  rollingUpdate: RollingUpdateStatefulSetStrategy.pb(2),
  type: t.oneOf("OnDelete", "RollingUpdate").pb(1).default("RollingUpdate"),
});
export interface StatefulSetUpdateStrategy extends t.Stored<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetSpec = t.object("io.k8s.api.apps.v1.StatefulSetSpec", {
  minReadySeconds: t.int32().pb(9),
  ordinals: StatefulSetOrdinals.pb(11),
  persistentVolumeClaimRetentionPolicy: StatefulSetPersistentVolumeClaimRetentionPolicy.pb(10),
  podManagementPolicy: t.oneOf("OrderedReady", "Parallel").pb(6).default("OrderedReady"),
  replicas: t.int32().pb(1).pointer().default(1),
  revisionHistoryLimit: t.int32().pb(8).pointer().default(10),
  selector: LabelSelector.pb(2).required().always("null"),
  serviceName: t.string().pb(5).always("zero"),
  template: PodTemplateSpec.pb(3).required().always("{}"),
  updateStrategy: StatefulSetUpdateStrategy.pb(7).always("{}"),
  volumeClaimTemplates: t.list(PersistentVolumeClaim.schema as t.Field<New<typeof PersistentVolumeClaim>, PersistentVolumeClaim>).pb(4),
});
export interface StatefulSetSpec extends t.Stored<typeof StatefulSetSpec> {}

export const StatefulSetCondition = t.object("io.k8s.api.apps.v1.StatefulSetCondition", {
  lastTransitionTime: t.time().pb(3).always("null"),
  message: t.string().pb(5),
  reason: t.string().pb(4),
  status: t.string().pb(2).required().always("zero"),
  type: t.string().pb(1).required().always("zero"),
});
export interface StatefulSetCondition extends t.Stored<typeof StatefulSetCondition> {}

export const StatefulSetStatus = t.object("io.k8s.api.apps.v1.StatefulSetStatus", {
  availableReplicas: t.int32().pb(11).always("zero"),
  collisionCount: t.int32().pb(9).pointer(),
  conditions: t.listBy(StatefulSetCondition, "type").pb(10).mergeBy("type"),
  currentReplicas: t.int32().pb(4),
  currentRevision: t.string().pb(6),
  observedGeneration: t.int64().pb(1),
  readyReplicas: t.int32().pb(3),
  replicas: t.int32().pb(2).required().always("zero"),
  updateRevision: t.string().pb(7),
  updatedReplicas: t.int32().pb(5),
});
export interface StatefulSetStatus extends t.Stored<typeof StatefulSetStatus> {}

export const StatefulSet = defineKind({
  group: "apps", version: "v1", kind: "StatefulSet", plural: "statefulsets", namespaced: true,
  shortNames: ["sts"], categories: ["all"], subresources: ["scale", "status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.StatefulSet",
  doc: "Keeps pods with lasting names and volumes running, one after another.",
  fields: {
    spec: StatefulSetSpec.pb(2).always("{}"),
    status: StatefulSetStatus.pb(3).always("{}"),
  },
  defaults({ spec }) {
    if (spec.updateStrategy.type === "RollingUpdate") spec.updateStrategy.rollingUpdate = { partition: 0, ...spec.updateStrategy.rollingUpdate };
    spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Retain", ...spec.persistentVolumeClaimRetentionPolicy };
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion ??= "v1";
      claim.kind ??= "PersistentVolumeClaim";
    }
    defaultPodSpec(spec.template.spec);
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"]);
      return;
    }
    const { spec } = next;
    yield* nonNegative(spec.replicas, "spec.replicas");
    yield* nonNegative(spec.minReadySeconds, "spec.minReadySeconds");
    yield* nonNegative(spec.ordinals?.start, "spec.ordinals.start");
    yield* validateSelectorAndTemplate(spec, previous?.spec, "spec", "statefulset");
    const rolling = spec.updateStrategy.rollingUpdate;
    if (spec.updateStrategy.type === "OnDelete" && rolling !== undefined) yield invalidValue("spec.updateStrategy.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'");
    yield* nonNegative(rolling?.partition, "spec.updateStrategy.rollingUpdate.partition");
    for (const name of ["whenDeleted", "whenScaled"] as const) {
      const policy = spec.persistentVolumeClaimRetentionPolicy?.[name];
      if (policy !== undefined && policy !== "Retain" && policy !== "Delete") yield notSupported(`spec.persistentVolumeClaimRetentionPolicy.${name}`, policy, ["Retain", "Delete"]);
    }
    if (previous === undefined) return;
    const fixed = (given: typeof spec): unknown => ({ ...given, replicas: 0, template: undefined, updateStrategy: undefined, minReadySeconds: undefined, ordinals: undefined, revisionHistoryLimit: undefined, persistentVolumeClaimRetentionPolicy: undefined });
    if (!sameJson(fixed(spec), fixed(previous.spec))) yield forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
  },
  columns: [
    nameColumn,
    { name: "Ready", type: "string", doc: "Pods that are ready, of those wanted.", cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
    ageColumn,
    ...templateColumns<{ readonly spec: StatefulSetSpec }>(({ spec }) => spec.template),
  ],
});
export interface StatefulSet extends Resource<typeof StatefulSet> {}
