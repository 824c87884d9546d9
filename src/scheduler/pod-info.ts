/** A pod as the scheduler sees it: read once, then only compared. */
import { selectorOf, Selector, type Requirement } from "../base/selector.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { type Resources, assumedRequestsOf, requestsOf, scoredRequestsOf } from "./resources.ts";

type Spec = Pod["spec"];
type AffinityTerm = NonNullable<NonNullable<NonNullable<Spec["affinity"]>["podAffinity"]>["requiredDuringSchedulingIgnoredDuringExecution"]>[number];
export type Labels = { readonly [key: string]: string };

/** A host port that a pod takes on its node; an empty IP is all of them. */
export type HostPort = { readonly ip: string; readonly protocol: string; readonly port: number };

/** Which pods a term of pod (anti-)affinity means, and the topology it speaks of. */
export type PodTerm = {
  /** Terms with the same text mean the same pods. */
  readonly text: string;
  readonly topologyKey: string;
  readonly namespaces: ReadonlySet<string>;
  /** Namespaces by their labels, besides those named. */
  readonly namespaceSelector: Selector | undefined;
  readonly selector: Selector;
};
export type WeightedTerm = { readonly term: PodTerm; readonly weight: number };

const noLabels: Labels = {};
const none: readonly never[] = [];

export class PodInfo {
  /** The newest one with this spec and these labels: its status may have moved on. */
  pod: Pod;
  readonly uid: string;
  readonly namespace: string;
  readonly labels: Labels;
  readonly priority: number;
  readonly requests: Resources;
  /** For scores: what it counts as once it is on a node, and while it is being placed. */
  readonly assumed: Resources;
  readonly scored: Resources;
  readonly ports: readonly HostPort[];
  readonly affinity: readonly PodTerm[];
  readonly antiAffinity: readonly PodTerm[];
  readonly preferredAffinity: readonly WeightedTerm[];
  readonly preferredAntiAffinity: readonly WeightedTerm[];
  readonly terminating: boolean;
  /** The names of the claims among its volumes. */
  readonly claims: readonly string[];

  constructor(pod: Pod) {
    const { metadata, spec } = pod;
    this.pod = pod;
    this.uid = metadata.uid ?? "";
    this.namespace = metadata.namespace ?? "";
    this.labels = metadata.labels ?? noLabels;
    this.priority = spec.priority ?? 0;
    this.requests = requestsOf(spec);
    this.assumed = assumedRequestsOf(spec, this.requests);
    this.scored = scoredRequestsOf(spec, this.assumed);
    this.ports = hostPortsOf(spec);
    this.terminating = metadata.deletionTimestamp !== undefined;
    this.claims = claimsOf(pod);
    const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
    const term = (given: AffinityTerm): PodTerm => termOf(given, this.namespace, this.labels);
    this.affinity = podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(term) ?? none;
    this.antiAffinity = podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map(term) ?? none;
    this.preferredAffinity = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(({ podAffinityTerm, weight }) => ({ term: term(podAffinityTerm), weight })) ?? none;
    this.preferredAntiAffinity = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(({ podAffinityTerm, weight }) => ({ term: term(podAffinityTerm), weight })) ?? none;
  }
}

/** An ephemeral volume's claim is named after pod and volume. */
function claimsOf({ metadata, spec }: Pod): readonly string[] {
  let found: string[] | undefined;
  for (const { name, persistentVolumeClaim, ephemeral } of spec.volumes ?? none)
    if (persistentVolumeClaim !== undefined || ephemeral !== undefined) (found ??= []).push(persistentVolumeClaim?.claimName ?? `${metadata.name}-${name}`);
  return found ?? none;
}

function hostPortsOf(spec: Spec): readonly HostPort[] {
  const found: HostPort[] = [];
  const read = (containers: Spec["containers"] | undefined): void => {
    for (const container of containers ?? none) {
      for (const { hostPort, hostIP, protocol } of container.ports ?? none) if (hostPort !== undefined && hostPort > 0) found.push({ ip: hostIP === undefined || hostIP === "" ? "0.0.0.0" : hostIP, protocol, port: hostPort });
    }
  };
  read(spec.containers);
  read(spec.initContainers?.filter(container => container.restartPolicy === "Always"));
  return found.length === 0 ? none : found;
}

function termOf(term: AffinityTerm, namespace: string, labels: Labels): PodTerm {
  const selector = withLabelKeys(selectorOf(term.labelSelector), term.matchLabelKeys, term.mismatchLabelKeys, labels);
  const namespaceSelector = term.namespaceSelector === undefined ? undefined : selectorOf(term.namespaceSelector);
  const named = term.namespaces ?? none;
  const namespaces = named.length === 0 && namespaceSelector === undefined ? [namespace] : [...named].sort();
  const text = [term.topologyKey, namespaces.join(","), namespaceSelector === undefined ? "-" : `{${namespaceSelector.toString()}}`, selector.nothing ? "nothing" : selector.toString()].join("\n");
  return { text, topologyKey: term.topologyKey, namespaces: new Set(namespaces), namespaceSelector, selector };
}

// Upstream merges these keys into the selector when the pod is created; here that has not happened for pods written before.
function withLabelKeys(selector: Selector, same: readonly string[] | undefined, other: readonly string[] | undefined, labels: Labels): Selector {
  if (same === undefined && other === undefined) return selector;
  const requirement = (operator: Requirement["operator"]) => (key: string): readonly Requirement[] => (Object.hasOwn(labels, key) ? [{ key, operator, values: [labels[key]!] }] : []);
  return new Selector([...selector.requirements, ...(same ?? []).flatMap(requirement("in")), ...(other ?? []).flatMap(requirement("notin"))], selector.nothing);
}

/** `labels` are of the pod's namespace: what the term's namespace selector looks at. */
export function termMatches(term: PodTerm, pod: PodInfo, namespaceLabels: Labels | undefined): boolean {
  if (!term.namespaces.has(pod.namespace) && !(term.namespaceSelector !== undefined && namespaceLabels !== undefined && term.namespaceSelector.matches(namespaceLabels))) return false;
  return term.selector.matches(pod.labels);
}

/** Whether two host ports cannot be on one node. */
export function portsClash(a: HostPort, b: HostPort): boolean {
  return a.port === b.port && a.protocol === b.protocol && (a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0");
}

/** Which of two pods preemption spares first: higher priority, then longer running (scheduler/util.MoreImportantPod). */
export function byImportance(a: PodInfo, b: PodInfo): number {
  return b.priority - a.priority || startOf(a) - startOf(b);
}

/** When the pod started, in milliseconds; one that has not started counts as starting now. */
export function startOf(pod: PodInfo): number {
  const start = pod.pod.status.startTime;
  return typeof start === "string" ? Date.parse(start) : Number.MAX_SAFE_INTEGER;
}

/** Finished pods use nothing. */
export function isTerminal(pod: Pod): boolean {
  return pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
}
