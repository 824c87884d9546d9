/** Who is to be collected: pure (upstream pkg/controller/garbagecollector attemptToDeleteItem). */
import type { AnyKind, Resource } from "../kinds/kind.ts";

type Any = Resource<AnyKind>;
type Ref = NonNullable<Any["metadata"]["ownerReferences"]>[number];

export const foregroundFinalizer = "foregroundDeletion";
export const orphanFinalizer = "orphan";

/** Deleted in the foreground: waits until its blocking dependents are gone. */
export function isWaiting({ metadata }: Any): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(foregroundFinalizer) === true;
}
/** Deleted, and its dependents are to stay. */
export function isOrphaning({ metadata }: Any): boolean {
  return metadata.deletionTimestamp !== undefined && metadata.finalizers?.includes(orphanFinalizer) === true;
}
/** True if `owner` may not go while `object` is there. */
export function isBlockedBy(owner: Any, object: Any): boolean {
  return object.metadata.ownerReferences?.some(ref => ref.uid === owner.metadata.uid && ref.blockOwnerDeletion === true) === true;
}

/** `solid`: there, and stays. `waiting`: being deleted in the foreground. `absent`: gone, or another object under its name. */
export type OwnerState = "solid" | "waiting" | "absent";

export function classify(object: Any, states: ReadonlyMap<string, OwnerState>): readonly OwnerState[] {
  return (object.metadata.ownerReferences ?? []).map(ref => states.get(ref.uid) ?? "solid");
}

export type CollectPlan = {
  readonly deletion?: "Background" | "Foreground" | "Orphan";
  /** The owner references that remain, where only some owners are gone. */
  readonly keepReferences?: readonly Ref[];
  /** Stop blocking our owners first: we are part of a circle. */
  readonly unblock: boolean;
};

/** What to do with a dependent, given the state of each of its owners. */
export function collectPlan(object: Any, states: ReadonlyMap<string, OwnerState>, dependents: readonly Any[]): CollectPlan {
  const refs = object.metadata.ownerReferences ?? [];
  const state = (ref: Ref): OwnerState => states.get(ref.uid) ?? "solid";
  const solid = refs.filter(ref => state(ref) === "solid");
  if (refs.length === 0 || solid.length === refs.length) return { unblock: false };
  if (solid.length > 0) return { keepReferences: solid, unblock: false };
  if (refs.some(ref => state(ref) === "waiting") && dependents.length > 0) return { deletion: "Foreground", unblock: dependents.some(isWaiting) };
  const { finalizers = [] } = object.metadata;
  return { deletion: finalizers.includes(orphanFinalizer) ? "Orphan" : finalizers.includes(foregroundFinalizer) ? "Foreground" : "Background", unblock: false };
}
