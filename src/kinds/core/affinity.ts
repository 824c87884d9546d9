import { NodeSelector, NodeSelectorTerm } from "./references.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const PreferredSchedulingTerm = t.object("io.k8s.api.core.v1.PreferredSchedulingTerm", {
  preference: NodeSelectorTerm.pb(2).required().always("{}"),
  weight: t.int32().pb(1).required().always("zero"),
});
export interface PreferredSchedulingTerm extends t.Stored<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = t.object("io.k8s.api.core.v1.NodeAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(PreferredSchedulingTerm).pb(2),
  requiredDuringSchedulingIgnoredDuringExecution: NodeSelector.pb(1),
});
export interface NodeAffinity extends t.Stored<typeof NodeAffinity> {}

export const PodAffinityTerm = t.object("io.k8s.api.core.v1.PodAffinityTerm", {
  labelSelector: LabelSelector.pb(1),
  matchLabelKeys: t.list(t.string()).pb(5),
  mismatchLabelKeys: t.list(t.string()).pb(6),
  namespaceSelector: LabelSelector.pb(4),
  namespaces: t.list(t.string()).pb(2),
  topologyKey: t.string().pb(3).required().always("zero"),
});
export interface PodAffinityTerm extends t.Stored<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = t.object("io.k8s.api.core.v1.WeightedPodAffinityTerm", {
  podAffinityTerm: PodAffinityTerm.pb(2).required().always("{}"),
  weight: t.int32().pb(1).required().always("zero"),
});
export interface WeightedPodAffinityTerm extends t.Stored<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = t.object("io.k8s.api.core.v1.PodAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(WeightedPodAffinityTerm).pb(2),
  requiredDuringSchedulingIgnoredDuringExecution: t.list(PodAffinityTerm).pb(1),
});
export interface PodAffinity extends t.Stored<typeof PodAffinity> {}

export const PodAntiAffinity = t.object("io.k8s.api.core.v1.PodAntiAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(WeightedPodAffinityTerm).pb(2),
  requiredDuringSchedulingIgnoredDuringExecution: t.list(PodAffinityTerm).pb(1),
});
export interface PodAntiAffinity extends t.Stored<typeof PodAntiAffinity> {}

export const Affinity = t.object("io.k8s.api.core.v1.Affinity", {
  nodeAffinity: NodeAffinity.pb(1),
  podAffinity: PodAffinity.pb(2),
  podAntiAffinity: PodAntiAffinity.pb(3),
});
export interface Affinity extends t.Stored<typeof Affinity> {}

export const TopologySpreadConstraint = t.object("io.k8s.api.core.v1.TopologySpreadConstraint", {
  labelSelector: LabelSelector.pb(4),
  matchLabelKeys: t.list(t.string()).pb(8),
  maxSkew: t.int32().pb(1).required().always("zero"),
  minDomains: t.int32().pb(5).pointer(),
  nodeAffinityPolicy: t.oneOf("Honor", "Ignore").pb(6).pointer(),
  nodeTaintsPolicy: t.oneOf("Honor", "Ignore").pb(7).pointer(),
  topologyKey: t.string().pb(2).required().always("zero"),
  whenUnsatisfiable: t.oneOf("DoNotSchedule", "ScheduleAnyway").pb(3).required().always("zero"),
});
export interface TopologySpreadConstraint extends t.Stored<typeof TopologySpreadConstraint> {}
