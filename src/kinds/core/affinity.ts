import { NodeSelector, NodeSelectorTerm } from "./references.ts";
import { LabelSelector } from "../meta/labelselector.ts";
import * as t from "../../schema/t.ts";

export const PreferredSchedulingTerm = t.object("io.k8s.api.core.v1.PreferredSchedulingTerm", {
  preference: NodeSelectorTerm.pb(2).required().always("{}").doc("What the node should be like."),
  weight: t.int32().pb(1).required().always("zero").doc("How much a match counts, from 1 to 100."),
});
export interface PreferredSchedulingTerm extends t.Stored<typeof PreferredSchedulingTerm> {}

export const NodeAffinity = t.object("io.k8s.api.core.v1.NodeAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(PreferredSchedulingTerm).pb(2).doc("Nodes to prefer: each match adds its weight to the node's score."),
  requiredDuringSchedulingIgnoredDuringExecution: NodeSelector.pb(1).doc("Nodes that are possible at all; not looked at again once the pod runs."),
});
export interface NodeAffinity extends t.Stored<typeof NodeAffinity> {}

export const PodAffinityTerm = t.object("io.k8s.api.core.v1.PodAffinityTerm", {
  labelSelector: LabelSelector.pb(1).doc("Which pods to look for, by their labels."),
  matchLabelKeys: t.list(t.string()).pb(5).doc("Labels of the incoming pod whose values the others must share."),
  mismatchLabelKeys: t.list(t.string()).pb(6).doc("Labels of the incoming pod whose values the others must not share."),
  namespaceSelector: LabelSelector.pb(4).doc("In which namespaces to look, by their labels; empty means all."),
  namespaces: t.list(t.string()).pb(2).doc("In which namespaces to look, by name; the pod's own if neither is given."),
  topologyKey: t.string().pb(3).required().always("zero").doc("Label of nodes that says what counts as the same place."),
});
export interface PodAffinityTerm extends t.Stored<typeof PodAffinityTerm> {}

export const WeightedPodAffinityTerm = t.object("io.k8s.api.core.v1.WeightedPodAffinityTerm", {
  podAffinityTerm: PodAffinityTerm.pb(2).required().always("{}").doc("Near which pods, and how near."),
  weight: t.int32().pb(1).required().always("zero").doc("How much a match counts, from 1 to 100."),
});
export interface WeightedPodAffinityTerm extends t.Stored<typeof WeightedPodAffinityTerm> {}

export const PodAffinity = t.object("io.k8s.api.core.v1.PodAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(WeightedPodAffinityTerm).pb(2).doc("Pods that it would be better to be near."),
  requiredDuringSchedulingIgnoredDuringExecution: t.list(PodAffinityTerm).pb(1).doc("Pods that must be near for the pod to be placed."),
});
export interface PodAffinity extends t.Stored<typeof PodAffinity> {}

export const PodAntiAffinity = t.object("io.k8s.api.core.v1.PodAntiAffinity", {
  preferredDuringSchedulingIgnoredDuringExecution: t.list(WeightedPodAffinityTerm).pb(2).doc("Pods that it would be better to keep away from."),
  requiredDuringSchedulingIgnoredDuringExecution: t.list(PodAffinityTerm).pb(1).doc("Pods that must not be near for the pod to be placed."),
});
export interface PodAntiAffinity extends t.Stored<typeof PodAntiAffinity> {}

export const Affinity = t.object("io.k8s.api.core.v1.Affinity", {
  nodeAffinity: NodeAffinity.pb(1).doc("On which nodes."),
  podAffinity: PodAffinity.pb(2).doc("Near which other pods."),
  podAntiAffinity: PodAntiAffinity.pb(3).doc("Away from which other pods."),
});
export interface Affinity extends t.Stored<typeof Affinity> {}

export const TopologySpreadConstraint = t.object("io.k8s.api.core.v1.TopologySpreadConstraint", {
  labelSelector: LabelSelector.pb(4).doc("Which pods are counted."),
  matchLabelKeys: t.list(t.string()).pb(8).doc("Labels of the incoming pod whose values narrow down the pods counted."),
  maxSkew: t.int32().pb(1).required().always("zero").doc("By how many pods the fullest place may exceed the emptiest."),
  minDomains: t.int32().pb(5).pointer().doc("How many places there have to be before the emptiest one counts as more than zero."),
  nodeAffinityPolicy: t.oneOf("Honor", "Ignore").pb(6).pointer().doc("Whether nodes that the pod's affinity rules out are counted."),
  nodeTaintsPolicy: t.oneOf("Honor", "Ignore").pb(7).pointer().doc("Whether nodes whose taints the pod does not tolerate are counted."),
  topologyKey: t.string().pb(2).required().always("zero").doc("Label of nodes that says what counts as one place."),
  whenUnsatisfiable: t.oneOf("DoNotSchedule", "ScheduleAnyway").pb(3).required().always("zero").doc("Whether to leave the pod pending or to place it regardless when the skew cannot be kept."),
});
export interface TopologySpreadConstraint extends t.Stored<typeof TopologySpreadConstraint> {}
