/** Which IP families a service has, as a function of what it asks for, what it had, and what the cluster has (pkg/registry/core/service/storage/alloc.go initIPFamilyFields). */
import { invalidValue, type Problem } from "../../schema/problem.ts";

export type Family = "IPv4" | "IPv6";
export const familyOf = (address: string): Family => (address.includes(":") ? "IPv6" : "IPv4");
const other = (family: Family): Family => (family === "IPv4" ? "IPv6" : "IPv4");

/** Fills in `spec.ipFamilyPolicy` and `spec.ipFamilies`; gives what is wrong with them. `available`: the cluster's families, the default one first. */
export function setFamilies(next: any, previous: any | undefined, available: readonly Family[]): readonly Problem[] {
  const { spec } = next;
  const old = previous === undefined || previous.spec.type === "ExternalName" ? undefined : previous.spec;
  // Neither upgraded nor downgraded unasked, whatever the cluster has become.
  if (old && previous.spec.type === spec.type && spec.ipFamilyPolicy === "PreferDualStack" && old.ipFamilyPolicy === "PreferDualStack" && same(spec.clusterIPs, old.clusterIPs) && same(spec.ipFamilies, old.ipFamilies)) return [];
  const free = spec.clusterIP === "None" && Object.keys(spec.selector ?? {}).length === 0;
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (free ? "RequireDualStack" : "SingleStack");
  const single = spec.ipFamilyPolicy === "SingleStack";
  const problems: Problem[] = [];
  const refuse = (field: string, value: unknown, detail: string): void => void problems.push(invalidValue(field, value, detail));
  if (old && single) {
    // With addresses and families as they were, the policy alone says that the second ones are to go.
    if (same(spec.clusterIPs, old.clusterIPs) && spec.clusterIPs?.length > 1) spec.clusterIPs = spec.clusterIPs.slice(0, 1);
    if (same(spec.ipFamilies, old.ipFamilies) && spec.ipFamilies?.length > 1) spec.ipFamilies = spec.ipFamilies.slice(0, 1);
  } else if (old) {
    if (reduced(spec.clusterIPs, old.clusterIPs)) refuse("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary cluster IP");
    if (reduced(spec.ipFamilies, old.ipFamilies)) refuse("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "must be 'SingleStack' to release the secondary IP family");
  }
  if (single && spec.clusterIPs?.length === 2) refuse("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple cluster IPs are specified");
  if (single && spec.ipFamilies?.length === 2) refuse("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified");
  for (const [i, address] of (spec.clusterIPs ?? []).entries()) {
    if (address === "None" || address === "") break;
    if (i < (spec.ipFamilies?.length ?? 0)) continue;
    const family = familyOf(address);
    if (available.includes(family)) spec.ipFamilies = [...(spec.ipFamilies ?? []), family];
    else refuse(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`);
  }
  if (problems.length > 0) return problems;
  if (free) {
    // Headless without selector: whoever writes the endpoints may use either family.
    const families: readonly Family[] = (spec.ipFamilies?.length ?? 0) === 0 ? available.slice(0, 1) : spec.ipFamilies;
    spec.ipFamilies = families.length < 2 && !single ? [...families, other(families[0]!)] : families;
    return [];
  }
  if (spec.ipFamilyPolicy === "RequireDualStack" && available.length < 2) refuse("spec.ipFamilyPolicy", spec.ipFamilyPolicy, "this cluster is not configured for dual-stack services");
  for (const [i, family] of (spec.ipFamilies ?? []).entries()) if (!available.includes(family)) refuse(`spec.ipFamilies[${i}]`, family, "not configured on this cluster");
  if (problems.length > 0) return problems;
  if ((spec.ipFamilies?.length ?? 0) === 0) spec.ipFamilies = available.slice(0, 1);
  if (!single && spec.ipFamilies.length === 1 && available.length === 2) spec.ipFamilies = [spec.ipFamilies[0], other(spec.ipFamilies[0])];
  return [];
}

const same = (a: readonly string[] | undefined, b: readonly string[] | undefined): boolean => JSON.stringify(a ?? []) === JSON.stringify(b ?? []);
const reduced = (now: readonly string[] | undefined, before: readonly string[] | undefined): boolean => (now?.length ?? 0) > 0 && now!.length < (before?.length ?? 0);
