import { PersistentVolumeClaim } from "../core/persistentvolumeclaim.ts";
import { PodTemplateSpec } from "../core/podspec.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import { ageColumn, nameColumn, templateColumns } from "../columns.ts";
import { defaultPodSpec, dropGatedPodFields } from "../core/poddefaults.ts";
import { sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, notSupported } from "../../schema/problem.ts";
import { nonNegative, notDecremented, validateCounts, validateSelectorAndTemplate } from "./workloadrules.ts";
import { defineKind, type New, type Resource } from "../kind.ts";
import { dnsLabel } from "../../schema/grammar.ts";
import { validateClaimSpec } from "../core/claimrules.ts";
import { claimFractions, podWarnings } from "../core/podwarnings.ts";
import * as t from "../../schema/t.ts";

export const StatefulSetOrdinals = t.object("io.k8s.api.apps.v1.StatefulSetOrdinals", {
  start: t.int32().pb(1).always("zero").doc("Number of the first pod."),
});
export interface StatefulSetOrdinals extends t.Stored<typeof StatefulSetOrdinals> {}

export const StatefulSetPersistentVolumeClaimRetentionPolicy = t.object("io.k8s.api.apps.v1.StatefulSetPersistentVolumeClaimRetentionPolicy", {
  whenDeleted: t.string().pb(1).default("Retain").doc("What becomes of claims when the set is deleted: Retain or Delete."),
  whenScaled: t.string().pb(2).default("Retain").doc("What becomes of claims whose pods are no longer wanted: Retain or Delete."),
});
export interface StatefulSetPersistentVolumeClaimRetentionPolicy extends t.Stored<typeof StatefulSetPersistentVolumeClaimRetentionPolicy> {}

export const RollingUpdateStatefulSetStrategy = t.object("io.k8s.api.apps.v1.RollingUpdateStatefulSetStrategy", {
  maxUnavailable: t.intOrString().pb(2).pointer().doc("How many pods may be unavailable meanwhile, as a number or percentage."),
  partition: t.int32().pb(1).pointer().doc("Pods below this number are left as they are."),
});
export interface RollingUpdateStatefulSetStrategy extends t.Stored<typeof RollingUpdateStatefulSetStrategy> {}

export const StatefulSetUpdateStrategy = t.object("io.k8s.api.apps.v1.StatefulSetUpdateStrategy", {
  rollingUpdate: RollingUpdateStatefulSetStrategy.pb(2).doc("Which pods and how fast, if RollingUpdate."),
  type: t.oneOf("OnDelete", "RollingUpdate").unchecked().pb(1).filled().doc("Whether pods are replaced by themselves (RollingUpdate) or when someone deletes them (OnDelete)."),
});
export interface StatefulSetUpdateStrategy extends t.Stored<typeof StatefulSetUpdateStrategy> {}

export const StatefulSetSpec = t.object("io.k8s.api.apps.v1.StatefulSetSpec", {
  minReadySeconds: t.int32().pb(9).doc("How long a pod must have been ready before it counts as available."),
  ordinals: StatefulSetOrdinals.pb(11).doc("How the pods are numbered."),
  persistentVolumeClaimRetentionPolicy: StatefulSetPersistentVolumeClaimRetentionPolicy.pb(10).doc("What becomes of claims that are no longer needed."),
  podManagementPolicy: t.oneOf("OrderedReady", "Parallel").unchecked().pb(6).default("OrderedReady").doc("Whether pods come and go one by one (OrderedReady) or all at once (Parallel)."),
  replicas: t.int32().pb(1).pointer().default(1).doc("How many pods are wanted."),
  revisionHistoryLimit: t.int32().pb(8).pointer().default(10).doc("How many old revisions are kept for going back."),
  selector: LabelSelector.pb(2).required().always("null").doc("Labels by which the pods are found."),
  serviceName: t.string().pb(5).always("zero").doc("Service that gives the pods their names in DNS."),
  template: PodTemplateSpec.pb(3).required().always("{}").doc("What pods are made from."),
  updateStrategy: StatefulSetUpdateStrategy.pb(7).always("{}").doc("How pods are replaced when the template changes."),
  volumeClaimTemplates: t.list((PersistentVolumeClaim.schema as t.Field<New<typeof PersistentVolumeClaim>, PersistentVolumeClaim>).unchecked()).pb(4).doc("Claims that every pod gets for itself."),
});
export interface StatefulSetSpec extends t.Stored<typeof StatefulSetSpec> {}

export const StatefulSetCondition = t.object("io.k8s.api.apps.v1.StatefulSetCondition", {
  lastTransitionTime: t.time().pb(3).always("null").doc("When the status last changed."),
  message: t.string().pb(5).doc("The same for people, in a sentence."),
  reason: t.string().pb(4).doc("Why it last changed, as one CamelCase word for programs."),
  status: t.string().pb(2).required().always("zero").doc("Whether it holds: True, False, or Unknown."),
  type: t.string().pb(1).required().always("zero").doc("Which aspect this is about."),
});
export interface StatefulSetCondition extends t.Stored<typeof StatefulSetCondition> {}

export const StatefulSetStatus = t.object("io.k8s.api.apps.v1.StatefulSetStatus", {
  availableReplicas: t.int32().pb(11).always("zero").doc("Pods that have been ready for long enough."),
  collisionCount: t.int32().pb(9).pointer().doc("How often a generated name was already taken."),
  conditions: t.listBy(StatefulSetCondition, "type").pb(10).mergeBy("type").doc("What is known about the object, one entry per aspect."),
  currentReplicas: t.int32().pb(4).doc("Pods of the current revision."),
  currentRevision: t.string().pb(6).doc("Revision of the pods that are not yet replaced."),
  observedGeneration: t.int64().pb(1).doc("The metadata.generation that this status speaks of."),
  readyReplicas: t.int32().pb(3).doc("Pods that are ready."),
  replicas: t.int32().pb(2).required().always("zero").doc("Pods that exist."),
  updateRevision: t.string().pb(7).doc("Revision of the newest template."),
  updatedReplicas: t.int32().pb(5).doc("Pods of the newest template."),
});
export interface StatefulSetStatus extends t.Stored<typeof StatefulSetStatus> {}

export const StatefulSet = defineKind({
  group: "apps", version: "v1", kind: "StatefulSet", plural: "statefulsets", namespaced: true, nameGrammar: "dns-1123-label",
  shortNames: ["sts"], categories: ["all"], subresources: ["scale", "status"],
  generation: true,
  definition: "io.k8s.api.apps.v1.StatefulSet",
  doc: "Keeps pods with lasting names and volumes running, one after another.",
  fields: {
    spec: StatefulSetSpec.pb(2).always("{}").doc("Which pods, how many, and what belongs to each."),
    status: StatefulSetStatus.pb(3).always("{}").doc("How many there are."),
  },
  defaults({ spec }) {
    const strategy = spec.updateStrategy;
    if (!strategy.type) {
      strategy.type = "RollingUpdate";
      strategy.rollingUpdate ??= {};
    }
    if (strategy.type === "RollingUpdate" && strategy.rollingUpdate !== undefined) strategy.rollingUpdate.partition ??= 0;
    spec.persistentVolumeClaimRetentionPolicy = { whenDeleted: "Retain", whenScaled: "Retain", ...spec.persistentVolumeClaimRetentionPolicy };
    for (const claim of spec.volumeClaimTemplates ?? []) {
      claim.apiVersion = "v1";
      claim.kind = "PersistentVolumeClaim";
    }
    defaultPodSpec(spec.template.spec);
  },
  prepare({ spec }) {
    dropGatedPodFields(spec.template.spec);
    // Behind a feature gate that is off in 1.36.
    delete spec.updateStrategy.rollingUpdate?.maxUnavailable;
  },
  *rules(next, previous, { subresource }) {
    if (subresource === "status") {
      yield* validateCounts(next.status, ["readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"], "status.readyReplicas");
      yield* notDecremented(next.status.collisionCount, previous?.status.collisionCount, "status.collisionCount");
      return;
    }
    const { spec } = next;
    if (!["OrderedReady", "Parallel"].includes(spec.podManagementPolicy)) yield invalidValue("spec.podManagementPolicy", spec.podManagementPolicy, "must be 'OrderedReady' or 'Parallel'");
    if (!["RollingUpdate", "OnDelete"].includes(spec.updateStrategy.type)) yield invalidValue("spec.updateStrategy", spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'");
    const rolling = spec.updateStrategy.rollingUpdate;
    if (spec.updateStrategy.type === "OnDelete" && rolling !== undefined) yield invalidValue("spec.updateStrategy.rollingUpdate", rolling, "only allowed for updateStrategy 'RollingUpdate'");
    yield* nonNegative(rolling?.partition, "spec.updateStrategy.rollingUpdate.partition");
    for (const name of ["whenDeleted", "whenScaled"] as const) {
      const policy = spec.persistentVolumeClaimRetentionPolicy?.[name];
      if (policy !== undefined && policy !== "Retain" && policy !== "Delete") yield notSupported(`spec.persistentVolumeClaimRetentionPolicy.${name}`, policy, ["Retain", "Delete"]);
    }
    if (previous === undefined) for (const [i, claim] of (spec.volumeClaimTemplates ?? []).entries()) yield* validateClaimSpec(claim.spec, `spec.volumeClaimTemplates[${i}].spec`);
    yield* nonNegative(spec.replicas, "spec.replicas");
    yield* nonNegative(spec.minReadySeconds, "spec.minReadySeconds");
    yield* nonNegative(spec.ordinals?.start, "spec.ordinals.start");
    if (previous === undefined && spec.serviceName !== "") for (const detail of dnsLabel(spec.serviceName)) yield invalidValue("spec.serviceName", spec.serviceName, detail);
    yield* validateSelectorAndTemplate({ selector: spec.selector, template: asMade(spec) }, "spec", "statefulset");
    if (previous === undefined) return;
    const fixed = (given: typeof spec): unknown => ({ ...given, replicas: 0, template: undefined, updateStrategy: undefined, minReadySeconds: undefined, ordinals: undefined, revisionHistoryLimit: undefined, persistentVolumeClaimRetentionPolicy: undefined });
    if (!sameJson(fixed(spec), fixed(previous.spec))) yield forbidden("spec", "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden");
  },
  *warnings(next, previous) {
    if (previous === undefined || next.metadata.generation !== previous.metadata.generation) yield* podWarnings(next.spec.template, "spec.template");
    // Quirk: an update names a field that is none (strategy.go WarningsOnUpdate).
    for (const [i, claim] of (next.spec.volumeClaimTemplates ?? []).entries()) yield* claimFractions(claim.spec.resources, `spec.volumeClaimTemplates[${i}]${previous === undefined ? "" : ".Spec"}.resources`);
    if (next.spec.revisionHistoryLimit < 0) yield "spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended";
  },
  columns: [
    nameColumn,
    { name: "Ready", type: "string", doc: "Pods that are ready, of those wanted.", cell: ({ spec, status }) => `${status.readyReplicas ?? 0}/${spec.replicas}` },
    ageColumn,
    ...templateColumns<{ readonly spec: StatefulSetSpec }>(({ spec }) => spec.template),
  ],
});
export interface StatefulSet extends Resource<typeof StatefulSet> {}

/** The template with what the controller puts into it: names of its own, and a volume for each claim. */
function asMade({ template, volumeClaimTemplates = [] }: StatefulSetSpec): PodTemplateSpec {
  const { hostname: _, subdomain: __, volumes = [], ...rest } = template.spec;
  const claims = new Map(volumeClaimTemplates.map(({ metadata: { name = "" } }) => [name, { name, persistentVolumeClaim: { claimName: name } }]));
  return { ...template, spec: { ...rest, volumes: [...claims.values(), ...volumes.filter(({ name }) => !claims.has(name))] } };
}
