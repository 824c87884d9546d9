import { isApiError } from "../base/api-error.ts";
import type { Json } from "../base/json.ts";
import type { Selector } from "../base/selector.ts";
import { byController, orphansOf } from "../client/informer.ts";
import { apiVersionOf, type AnyKind, type Resource } from "../kinds/kind.ts";
import type { Context } from "./controller.ts";

type Ref = { readonly apiVersion: string; readonly kind: string; readonly name: string; readonly uid: string; readonly controller: true; readonly blockOwnerDeletion: true };

/** The reference by which `owner` manages what it makes. */
export function controllerRef(kind: AnyKind, owner: Resource<AnyKind>): Ref {
  return { apiVersion: apiVersionOf(kind), kind: kind.kind, name: owner.metadata.name, uid: owner.metadata.uid, controller: true, blockOwnerDeletion: true };
}

export type Claim<T> = { readonly keep: readonly T[]; readonly adopt: readonly T[]; readonly release: readonly T[] };

/** Which objects belong to `owner`: its own that still match, and strays that match (upstream's controller_ref_manager). */
export function planClaim<T extends Resource<AnyKind>>(owner: Resource<AnyKind>, selector: Selector, candidates: readonly T[]): Claim<T> {
  const keep: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const ownerDying = owner.metadata.deletionTimestamp !== undefined;
  for (const object of candidates) {
    const ref = object.metadata.ownerReferences?.find(ref => ref.controller === true);
    const matches = selector.matches(object.metadata.labels);
    if (ref === undefined) {
      if (matches && !ownerDying && object.metadata.deletionTimestamp === undefined) adopt.push(object);
    } else if (ref.uid === owner.metadata.uid) {
      if (matches) keep.push(object);
      else if (!ownerDying) release.push(object);
    }
  }
  return { keep, adopt, release };
}

/** Objects of `kind` that `owner` manages or might adopt. */
export function candidatesOf<K extends AnyKind>(context: Context, kind: K, owner: Resource<AnyKind>): readonly Resource<K>[] {
  const copy = context.read(kind);
  return [...copy.by(byController, owner.metadata.uid), ...copy.by(byController, orphansOf(owner.metadata.namespace))];
}

/** Carries a claim out and returns what `owner` manages now. An adoption is made only after the server itself has said that the owner lives. */
export async function claim<K extends AnyKind, T extends Resource<K>>(context: Context, ownerKind: AnyKind, owner: Resource<AnyKind>, kind: K, plan: Claim<T>): Promise<T[]> {
  const mine = [...plan.keep];
  if (plan.adopt.length > 0) {
    const { namespace = "", name, uid } = owner.metadata;
    const fresh = await context.live(ownerKind, namespace, name);
    if (fresh === undefined || fresh.metadata.uid !== uid)
      throw new Error(`can't adopt ${kind.plural}: original ${ownerKind.kind} ${namespace}/${name} is gone: got uid ${fresh?.metadata.uid ?? "none"}, wanted ${uid}`);
    if (fresh.metadata.deletionTimestamp !== undefined) throw new Error(`can't adopt ${kind.plural}: ${namespace}/${name} has just been deleted at ${fresh.metadata.deletionTimestamp}`);
  }
  for (const object of plan.adopt) {
    const body: Json = { metadata: { uid: object.metadata.uid, ownerReferences: [controllerRef(ownerKind, owner)] } };
    if (await patchIfThere(context, kind, object, body)) mine.push(object);
  }
  for (const object of plan.release) {
    const body: Json = { metadata: { uid: object.metadata.uid, ownerReferences: [{ $patch: "delete", uid: owner.metadata.uid }] } };
    await patchIfThere(context, kind, object, body);
  }
  return mine;
}

async function patchIfThere<K extends AnyKind>(context: Context, kind: K, object: Resource<K>, body: Json): Promise<boolean> {
  try {
    await context.patch(kind, object, { type: "strategic", body });
    return true;
  } catch (error) {
    // Gone, or (Invalid) another object by now: either way no longer ours to claim.
    if (isApiError(error, "NotFound") || isApiError(error, "Invalid")) return false;
    throw error;
  }
}
