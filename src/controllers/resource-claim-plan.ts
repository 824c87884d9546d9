/** What becomes of a claim for devices when the pods that used it come and go (pkg/controller/resourceclaim syncClaim, dynamic-resource-allocation resourceclaim.Name). */
import type { Pod } from "../kinds/core/pod.ts";
import type { ResourceClaim } from "../kinds/resource/resourceclaim.ts";
import { isPodFinished } from "./pods.ts";

/** Held by the scheduler on what it has allocated. */
const finalizer = "resource.kubernetes.io/delete-protection";
/** Pods that may share a claim (ResourceClaimReservedForMaxSize). */
export const reservedForMax = 256;

type Asked = NonNullable<Pod["spec"]["resourceClaims"]>[number];

/** Which claim stands for the one that a pod asks for, and whether it was made for the pod: without a name none is needed, `undefined` while nobody knows. */
export function claimOf(pod: Pod, { name, resourceClaimName, resourceClaimTemplateName }: Asked): { readonly name: string | undefined; readonly own: boolean } | undefined {
  if (resourceClaimName !== undefined) return { name: resourceClaimName, own: false };
  if (resourceClaimTemplateName === undefined) return undefined;
  const noted = (pod.status.resourceClaimStatuses ?? []).find(each => each.name === name);
  return noted === undefined ? undefined : { name: noted.resourceClaimName, own: true };
}

/** It will not use its claims any more. */
export const isDone = (pod: Pod): boolean => isPodFinished(pod) || (pod.metadata.deletionTimestamp !== undefined && (pod.spec.nodeName ?? "") === "");

/** Room for a hyphen and five characters of chance in a label. */
const baseMax = 57;
/** `<pod>-<claim>-`, both shortened alike where that is too long. */
export function generatedName(pod: string, claim: string): string {
  const whole = `${pod}-${claim}-`;
  const cut = (text: string): string => text.slice(0, Math.floor((text.length * baseMax) / whole.length));
  return whole.length <= baseMax ? whole : `${cut(pod)}-${cut(claim)}`;
}

/** Each is absent where nothing is to be done. */
export type ClaimPlan = { readonly status?: ResourceClaim["status"]; readonly finalizers?: readonly string[]; readonly remove: boolean };

/** `gone`: uids of the pods among its users that are no more; `owner`: the pod of the name that it was made for, if it is known. */
export function planClaim(claim: ResourceClaim, gone: ReadonlySet<string>, owner: Pod | undefined): ClaimPlan {
  const { metadata, status } = claim;
  const { reservedFor: users = [], allocation, ...rest } = status;
  const left = users.filter(({ uid, resource, apiGroup = "" }) => apiGroup !== "" || resource !== "pods" || !gone.has(uid));
  const held = metadata.finalizers?.includes(finalizer) === true;
  const finalizers = (metadata.finalizers ?? []).filter(name => name !== finalizer);
  const unused = left.length === 0;
  const controller = metadata.ownerReferences?.find(each => each.controller === true);
  const remove = unused && owner !== undefined && (owner.metadata.uid !== controller?.uid || isDone(owner));
  // Only what was in use is taken back: a driver may allocate before anybody reserves.
  const frees = held && unused && (left.length < users.length || metadata.deletionTimestamp !== undefined);
  const kept = frees || allocation === undefined ? {} : { allocation };
  const changed = left.length < users.length || (frees && allocation !== undefined);
  return {
    ...(changed ? { status: { ...rest, ...kept, ...(unused ? {} : { reservedFor: left }) } } : {}),
    ...(frees || (held && left.length < users.length && allocation === undefined) ? { finalizers } : {}),
    remove,
  };
}
