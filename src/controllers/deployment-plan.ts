/**
 * What a Deployment makes of its ReplicaSets: pure, with upstream's arithmetic (pkg/controller/deployment rolling.go, sync.go,
 * util/deployment_util.go).
 */
import { sameJson } from "../base/json.ts";
import { msOf } from "../base/time.ts";
import type { Deployment } from "../kinds/apps/deployment.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { scaledValue } from "./int-or-percent.ts";

export const hashLabel = "pod-template-hash";
export const annotations = {
  revision: "deployment.kubernetes.io/revision",
  history: "deployment.kubernetes.io/revision-history",
  desired: "deployment.kubernetes.io/desired-replicas",
  max: "deployment.kubernetes.io/max-replicas",
  rollback: "deprecated.deployment.rollback.to",
  lastApplied: "kubectl.kubernetes.io/last-applied-configuration",
} as const;
const notCopied: ReadonlySet<string> = new Set(Object.values(annotations));
const historyCharsMax = 2000;
const int32Max = 2 ** 31 - 1;

/** A ReplicaSet and the size it is to have. */
export type Resize = { readonly set: ReplicaSet; readonly replicas: number };
type Sets = readonly ReplicaSet[];

/** The ReplicaSet whose template is the Deployment's, and the others. The oldest one wins, so that two are never "new" in turn. */
export function splitSets(deployment: Deployment, sets: Sets): { readonly current: ReplicaSet | undefined; readonly old: Sets } {
  const sorted = [...sets].sort(oldestFirst);
  const current = sorted.find(set => sameTemplate(set.spec.template, deployment.spec.template));
  return { current, old: sorted.filter(set => set !== current) };
}
export function sameTemplate(a: Deployment["spec"]["template"], b: Deployment["spec"]["template"]): boolean {
  return sameJson(withoutHash(a), withoutHash(b));
}
function withoutHash({ metadata = {}, ...rest }: Deployment["spec"]["template"]): unknown {
  const { labels, creationTimestamp: _, ...others } = metadata;
  const kept = Object.fromEntries(Object.entries(labels ?? {}).filter(([name]) => name !== hashLabel));
  return { ...rest, metadata: { ...others, labels: kept } };
}

export function oldestFirst(a: ReplicaSet, b: ReplicaSet): number {
  return (msOf(a.metadata.creationTimestamp) ?? 0) - (msOf(b.metadata.creationTimestamp) ?? 0) || byName(a, b);
}
const byName = (a: ReplicaSet, b: ReplicaSet): number => (a.metadata.name < b.metadata.name ? -1 : a.metadata.name > b.metadata.name ? 1 : 0);
const sum = (sets: Sets, of: (set: ReplicaSet) => number): number => sets.reduce((total, set) => total + of(set), 0);
const specReplicas = (sets: Sets): number => sum(sets, set => set.spec.replicas);
export const actualReplicas = (sets: Sets): number => sum(sets, set => set.status.replicas ?? 0);
export const availableReplicas = (sets: Sets): number => sum(sets, set => set.status.availableReplicas ?? 0);
const isActive = (set: ReplicaSet): boolean => set.spec.replicas > 0;
const present = (set: ReplicaSet | undefined): Sets => (set === undefined ? [] : [set]);

/** How many pods may be above and below the wanted number during a rolling update. Both can not be zero: nothing could ever move. */
export function bounds({ spec: { replicas, strategy } }: Deployment): { readonly surge: number; readonly unavailable: number } {
  if (strategy.type !== "RollingUpdate") return { surge: 0, unavailable: 0 };
  const surge = scaledValue(strategy.rollingUpdate?.maxSurge, replicas, "up");
  const unavailable = scaledValue(strategy.rollingUpdate?.maxUnavailable, replicas, "down");
  return { surge, unavailable: replicas === 0 ? 0 : Math.min(surge === 0 && unavailable === 0 ? 1 : unavailable, replicas) };
}

/** The size for the ReplicaSet of the current template; `others` are all the rest. */
export function currentReplicas(deployment: Deployment, current: number, others: Sets): number {
  const { replicas, strategy } = deployment.spec;
  if (strategy.type !== "RollingUpdate") return replicas;
  const room = replicas + bounds(deployment).surge - (specReplicas(others) + current);
  return room <= 0 ? current : current + Math.min(room, replicas - current);
}

/** One step of a rolling update: first the new one moves; only when it stands still do the old ones shrink. */
export function planRolling(deployment: Deployment, current: ReplicaSet, old: Sets): readonly Resize[] {
  const { replicas } = deployment.spec;
  if (current.spec.replicas !== replicas) {
    const size = current.spec.replicas > replicas ? replicas : currentReplicas(deployment, current.spec.replicas, old);
    if (size !== current.spec.replicas) return [{ set: current, replicas: size }];
  }
  return planShrink(deployment, current, old.filter(isActive));
}

/** Old ReplicaSets lose first what is not available anyway, then what the minimum of available pods leaves over. */
function planShrink(deployment: Deployment, current: ReplicaSet, old: Sets): readonly Resize[] {
  // What a set reported before it was last resized may count pods that it has since removed: upstream goes by it and can fall below the minimum.
  if ([...old, current].some(set => (set.status.observedGeneration ?? 0) < (set.metadata.generation ?? 0))) return [];
  const minAvailable = deployment.spec.replicas - bounds(deployment).unavailable;
  const currentUnavailable = current.spec.replicas - (current.status.availableReplicas ?? 0);
  const removable = specReplicas([...old, current]) - minAvailable - currentUnavailable;
  if (specReplicas(old) === 0 || removable <= 0) return [];
  const sizes = new Map<ReplicaSet, number>();
  const sorted = [...old].sort(oldestFirst);
  const size = (set: ReplicaSet): number => sizes.get(set) ?? set.spec.replicas;

  let unhealthy = 0;
  for (const set of sorted) {
    const extra = Math.min(removable - unhealthy, Math.max(0, set.spec.replicas - (set.status.availableReplicas ?? 0)));
    if (extra > 0) sizes.set(set, set.spec.replicas - extra);
    unhealthy += extra;
  }
  let healthy = sum([...old, current], set => Math.min(set.spec.replicas, set.status.availableReplicas ?? 0)) - minAvailable;
  for (const set of sorted) {
    const extra = Math.min(size(set), Math.max(0, healthy));
    if (extra > 0) sizes.set(set, size(set) - extra);
    healthy -= extra;
  }
  return [...sizes].map(([set, replicas]) => ({ set, replicas }));
}

/** What a change of `spec.replicas` does in the middle of a rollout, or while paused. */
export function planScale(deployment: Deployment, current: ReplicaSet | undefined, old: Sets): readonly Resize[] {
  const { replicas, strategy } = deployment.spec;
  const only = activeOrLatest(current, old);
  if (only !== undefined) return [{ set: only, replicas }];
  if (current !== undefined && isSaturated(deployment, current)) return old.filter(isActive).map(set => ({ set, replicas: 0 }));
  return strategy.type === "RollingUpdate" ? planProportional(deployment, [...old, ...present(current)].filter(isActive)) : [];
}
/** The only active ReplicaSet; when none is active, the newest one. */
function activeOrLatest(current: ReplicaSet | undefined, old: Sets): ReplicaSet | undefined {
  const active = [...old, ...present(current)].filter(isActive);
  if (active.length === 1) return active[0];
  return active.length === 0 ? current ?? [...old].sort(oldestFirst).at(-1) : undefined;
}
function isSaturated({ spec: { replicas } }: Deployment, set: ReplicaSet): boolean {
  return set.spec.replicas === replicas && numberIn(set, annotations.desired) === replicas && (set.status.availableReplicas ?? 0) === replicas;
}

/** Shares out added or removed replicas by size; what rounding leaves goes to the biggest. */
function planProportional(deployment: Deployment, active: Sets): readonly Resize[] {
  const { replicas } = deployment.spec;
  const toAdd = (replicas > 0 ? replicas + bounds(deployment).surge : 0) - specReplicas(active);
  const sorted = [...active].sort((a, b) => b.spec.replicas - a.spec.replicas || (toAdd > 0 ? oldestFirst(b, a) : toAdd < 0 ? oldestFirst(a, b) : 0));
  let added = 0;
  const plan = sorted.map(set => {
    const allowed = toAdd - added;
    const share = toAdd === 0 || allowed === 0 ? 0 : toAdd > 0 ? Math.min(fraction(deployment, set), allowed) : Math.max(fraction(deployment, set), allowed);
    added += share;
    return { set, replicas: set.spec.replicas + share };
  });
  return plan.map((resize, i) => (i === 0 ? { ...resize, replicas: Math.max(0, resize.replicas + toAdd - added) } : resize));
}
/** How much a set grows if it keeps its share of all pods. The annotation has the size that the share was taken of. */
function fraction(deployment: Deployment, set: ReplicaSet): number {
  const { replicas } = deployment.spec;
  if (replicas === 0) return -set.spec.replicas;
  const before = numberIn(set, annotations.max) || (deployment.status.replicas ?? 0);
  if (before === 0) return 0;
  const size = (set.spec.replicas * (replicas + bounds(deployment).surge)) / before;
  return (size < 0 ? Math.ceil(size - 0.5) : Math.floor(size + 0.5)) - set.spec.replicas;
}

/** True when somebody has changed `spec.replicas` since the ReplicaSets were last sized. */
export function isScaling({ spec: { replicas } }: Deployment, sets: Sets): boolean {
  return sets.some(set => {
    const desired = numberIn(set, annotations.desired);
    return isActive(set) && desired !== undefined && desired !== replicas;
  });
}
export function isReplicasAnnotated(deployment: Deployment, set: ReplicaSet): boolean {
  const wanted = replicasAnnotations(deployment);
  return Object.entries(wanted).every(([name, value]) => set.metadata.annotations?.[name] === value);
}
export function replicasAnnotations(deployment: Deployment): { readonly [name: string]: string } {
  const { replicas } = deployment.spec;
  return { [annotations.desired]: String(replicas), [annotations.max]: String(replicas + bounds(deployment).surge) };
}
function numberIn(set: ReplicaSet, name: string): number | undefined {
  const text = set.metadata.annotations?.[name];
  return text !== undefined && /^[+-]?[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}

/** An int64: people write numbers there that a double does not hold. */
export function revisionOf(set: ReplicaSet): bigint {
  return parseRevision(set.metadata.annotations?.[annotations.revision]) ?? 0n;
}
function parseRevision(text: string | undefined): bigint | undefined {
  return text !== undefined && /^[0-9]{1,19}$/.test(text) ? BigInt(text) : undefined;
}
/** The revision that the current template has or gets: one above all the others. */
export function nextRevision(old: Sets): bigint {
  return old.map(revisionOf).reduce((most, revision) => (revision > most ? revision : most), 0n) + 1n;
}

/** The annotations of the current ReplicaSet: the Deployment's own but for some, the revision, and the revisions it had before a rollback to it. */
export function currentAnnotations(deployment: Deployment, existing: ReplicaSet | undefined, revision: bigint): { readonly [name: string]: string } {
  const had = existing?.metadata.annotations ?? {};
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([name]) => !notCopied.has(name));
  const next: { [name: string]: string } = Object.fromEntries([...Object.entries(had), ...copied]);
  const before = had[annotations.revision];
  const known = before === undefined || before === "" ? 0n : parseRevision(before);
  if (known === undefined) return next;
  if (known < revision) {
    next[annotations.revision] = String(revision);
    if (before !== undefined) {
      const history = historyAfter(had[annotations.history] ?? "", before);
      if (history !== undefined) next[annotations.history] = history;
    }
  }
  return existing === undefined ? { ...next, ...replicasAnnotations(deployment) } : next;
}
function historyAfter(history: string, revision: string): string | undefined {
  if (history === "") return revision;
  let kept = [...history.split(","), revision];
  while (kept.length > 1 && kept.join(",").length > historyCharsMax) kept = kept.slice(1);
  return kept.join(",").length <= historyCharsMax ? kept.join(",") : undefined;
}

/** Old ReplicaSets beyond the history limit, lowest revision first; one that has or may have pods is never removed. */
export function planCleanup(deployment: Deployment, old: Sets): Sets {
  const limit = deployment.spec.revisionHistoryLimit;
  if (limit === undefined || limit === int32Max) return [];
  const candidates = old.filter(set => set.metadata.deletionTimestamp === undefined);
  return candidates.sort((a, b) => (revisionOf(a) < revisionOf(b) ? -1 : revisionOf(a) > revisionOf(b) ? 1 : oldestFirst(a, b))).slice(0, Math.max(0, candidates.length - limit))
    .filter(set => (set.status.replicas ?? 0) === 0 && set.spec.replicas === 0 && (set.metadata.generation ?? 0) <= (set.status.observedGeneration ?? 0));
}
export function hasProgressDeadline({ spec: { progressDeadlineSeconds } }: Deployment): boolean {
  return progressDeadlineSeconds !== undefined && progressDeadlineSeconds !== int32Max;
}
