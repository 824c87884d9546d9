/** How quotas count devices: by class, and under the names by which pods ask for them as resources (upstream: pkg/quota/v1/evaluator/core/resource_claims.go, deviceclass/extendedresourcecache). */
import { addQuantities, compareQuantities, parseQuantity, quantityOf, subtractQuantities, type Quantity } from "../../base/quantity.ts";
import { isExtended } from "../core/resourcerules.ts";

/** What is stored of a kind in the object's namespace, or in the cluster. */
export type Around = (group: string, plural: string) => readonly any[];
type Usage = ReadonlyMap<string, Quantity>;

const group = "resource.k8s.io";
export const devicesSuffix = ".deviceclass.resource.k8s.io/devices";
/** By this, and the class's name, pods may ask for devices of any class; a class may have a name of its own choice besides. */
const implicitPrefix = "deviceclass.resource.kubernetes.io/";
/** On claims that the scheduler makes for pods that ask for devices as resources. */
const madeForResources = "resource.kubernetes.io/extended-resource-claim";
/** The most that one claim may be given (AllocationResultsMaxSize): what `All` counts as. */
const devicesMax = 32;
const zero = quantityOf(0n);

/** Whether a pod's request of this name counts in quotas, as `requests.NAME` (IsDRAExtendedResourceName). */
export const isCountedRequest = (name: string): boolean => isExtended(name) || name.startsWith(implicitPrefix);
/** Whether a quota of this name bounds such requests (isExtendedResourceNameForQuota). */
export function isExtendedQuota(name: string): boolean {
  return name.startsWith("requests.") && ((name.includes("/") && !name.includes("kubernetes.io/")) || name.startsWith(`requests.${implicitPrefix}`));
}
/** Whether a quota of this name bounds claims: always by class, under a resource's name while a class stands behind it. */
export function boundsClaims(name: string, around: Around): boolean {
  if (name.endsWith(devicesSuffix)) return true;
  if (!isExtendedQuota(name)) return false;
  const resource = name.slice("requests.".length);
  return around(group, "deviceclasses").some(({ metadata, spec }) => spec.extendedResourceName === resource || implicitPrefix + metadata.name === resource);
}

/** Adds a claim's devices by class (of alternatives the most of each), and under resources' names what the pod that it was made for does not count itself. */
export function addDevices(usage: Map<string, Quantity>, claim: any, around: Around, usageOfPod: (pod: any) => Usage): void {
  const counts = new Map<string, number>();
  const countOf = ({ allocationMode, count = 0 }: any): number => (allocationMode === "All" ? devicesMax : allocationMode === "ExactCount" ? Number(count) : 0);
  for (const { exactly, firstAvailable = [] } of claim.spec.devices?.requests ?? []) {
    const most = new Map<string, number>();
    for (const each of exactly === undefined ? firstAvailable : [exactly]) most.set(each.deviceClassName, Math.max(most.get(each.deviceClassName) ?? 0, countOf(each)));
    for (const [name, count] of most) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  if (counts.size === 0) return;
  const names = new Map<string, string | undefined>(around(group, "deviceclasses").map(({ metadata, spec }) => [metadata.name, spec.extendedResourceName]));
  const byPod = podUsage(claim, around, usageOfPod);
  const extended = new Map<string, Quantity>();
  for (const [name, count] of counts) {
    const amount = parseQuantity(String(count));
    usage.set(name + devicesSuffix, amount);
    extended.set(`requests.${implicitPrefix}${name}`, amount);
    const chosen = names.get(name) ?? "";
    if (chosen !== "") extended.set(`requests.${chosen}`, amount);
  }
  for (const [name, amount] of extended) {
    const rest = subtractQuantities(amount, byPod?.get(name) ?? zero);
    if (compareQuantities(rest, zero) > 0) usage.set(name, addQuantities(usage.get(name) ?? zero, rest));
  }
}

/** What the pod counts that this claim was made for, if both say so (getVerifiedPodUsage). */
function podUsage(claim: any, around: Around, usageOfPod: (pod: any) => Usage): Usage | undefined {
  const owner = podOf(claim);
  const pod = owner === undefined ? undefined : around("", "pods").find(({ metadata }) => metadata.name === owner.name);
  if (pod === undefined || pod.metadata.uid !== owner.uid) return undefined;
  const named: string | undefined = pod.status?.extendedResourceClaimStatus?.resourceClaimName;
  // A pod that does not name its claim yet stands for the first that was made for it.
  const isFirst = (): boolean => !around(group, "resourceclaims").some(other => podOf(other)?.uid === owner.uid && isBefore(other.metadata, claim.metadata));
  return (named === undefined ? isFirst() : named === claim.metadata.name) ? usageOfPod(pod) : undefined;
}
function podOf({ metadata }: any): any {
  if (metadata.annotations?.[madeForResources] !== "true") return undefined;
  const owner = (metadata.ownerReferences ?? []).find(({ controller }: any) => controller === true);
  return owner?.kind === "Pod" && owner.apiVersion === "v1" ? owner : undefined;
}
const isBefore = (a: any, b: any): boolean => (a.creationTimestamp === b.creationTimestamp ? a.name < b.name : a.creationTimestamp < b.creationTimestamp);
