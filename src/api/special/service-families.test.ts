import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reader } from "../context.ts";
import { setFamilies, type Family } from "./service-families.ts";
import { serviceHooks } from "./service.ts";

const both: readonly Family[] = ["IPv4", "IPv6"];
const only4: readonly Family[] = ["IPv4"];
const service = (spec: object): any => ({ metadata: { name: "s", namespace: "n" }, spec: { type: "ClusterIP", selector: { a: "b" }, ...spec } });
const told = (next: any, previous: any, available: readonly Family[]): string => {
  const problems = setFamilies(next, previous, available);
  return problems.length > 0 ? problems.map(({ field, detail }) => `${field}: ${detail}`).join("; ") : `${next.spec.ipFamilyPolicy} ${next.spec.ipFamilies}`;
};
const dual = { ipFamilyPolicy: "PreferDualStack", ipFamilies: ["IPv4", "IPv6"], clusterIPs: ["10.0.0.9", "fd00::9"], clusterIP: "10.0.0.9" };

for (const [what, spec, previous, available, expected] of [
  ["nothing asked for", {}, undefined, both, "SingleStack IPv4"],
  ["a preference, and the cluster can", { ipFamilyPolicy: "PreferDualStack" }, undefined, both, "PreferDualStack IPv4,IPv6"],
  ["a preference, and the cluster cannot", { ipFamilyPolicy: "PreferDualStack" }, undefined, only4, "PreferDualStack IPv4"],
  ["a demand, and the cluster can", { ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv6"] }, undefined, both, "RequireDualStack IPv6,IPv4"],
  ["a demand, and the cluster cannot", { ipFamilyPolicy: "RequireDualStack" }, undefined, only4, "spec.ipFamilyPolicy: this cluster is not configured for dual-stack services"],
  ["one family", { ipFamilies: ["IPv6"] }, undefined, both, "SingleStack IPv6"],
  ["a family that is not there", { ipFamilies: ["IPv6"] }, undefined, only4, "spec.ipFamilies[0]: not configured on this cluster"],
  ["two families under a policy of one", { ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4", "IPv6"] }, undefined, both, "spec.ipFamilyPolicy: must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"],
  ["an address says its family", { clusterIPs: ["fd00::5"], clusterIP: "fd00::5" }, undefined, both, "SingleStack IPv6"],
  ["an address of a family that is not there", { clusterIPs: ["fd00::5"], clusterIP: "fd00::5" }, undefined, only4, "spec.clusterIPs[0]: IPv6 is not configured on this cluster"],
  ["headless without selector", { clusterIP: "None", clusterIPs: ["None"], selector: {} }, undefined, only4, "RequireDualStack IPv4,IPv6"],
  ["headless with selector", { clusterIP: "None", clusterIPs: ["None"], ipFamilyPolicy: "PreferDualStack" }, undefined, both, "PreferDualStack IPv4,IPv6"],
  ["a preference of before the cluster had both", { ...dual, ipFamilies: ["IPv4"], clusterIPs: ["10.0.0.9"] }, { ...dual, ipFamilies: ["IPv4"], clusterIPs: ["10.0.0.9"] }, both, "PreferDualStack IPv4"],
  ["an update to one family", { ...dual, ipFamilyPolicy: "SingleStack" }, dual, both, "SingleStack IPv4"],
  ["an update that drops an address silently", { ...dual, clusterIPs: ["10.0.0.9"] }, dual, both, "spec.ipFamilyPolicy: must be 'SingleStack' to release the secondary cluster IP"],
  ["an update from one family to two", { ...dual, ipFamilyPolicy: "RequireDualStack", ipFamilies: ["IPv4"], clusterIPs: ["10.0.0.9"] }, { ...dual, ipFamilyPolicy: "SingleStack", ipFamilies: ["IPv4"], clusterIPs: ["10.0.0.9"] }, both, "RequireDualStack IPv4,IPv6"],
] as const)
  test(`families of a service: ${what}`, () => assert.equal(told(service(spec), previous === undefined ? undefined : service(previous), available), expected));

test("each family has its address; a second one comes and goes with the policy, and can then be had again", () => {
  const read = { list: () => [], get: () => undefined } as unknown as Reader;
  const hooks = serviceHooks(read, { next: () => 0.5 } as never, "10.96.0.0/24,fd00:1::/112");
  const write = (next: any, previous?: any): readonly string[] => {
    hooks.prepare?.(next, previous);
    const reservation = hooks.reserve!(next, previous, false);
    reservation.commit();
    return next.spec.clusterIPs;
  };
  const first = service({ ipFamilyPolicy: "RequireDualStack" });
  const [four, six] = write(first) as [string, string];
  assert.match(four, /^10\.96\.0\.\d+$/);
  assert.match(six, /^fd00:1::[0-9a-f]+$/);
  assert.throws(() => write(service({ ipFamilies: ["IPv6"], clusterIPs: [six], clusterIP: six })), /provided IP is already allocated/);
  const single = service({ ...structuredClone(first.spec), ipFamilyPolicy: "SingleStack" });
  assert.deepEqual(write(single, first), [four]);
  assert.deepEqual(write(service({ ipFamilies: ["IPv6"], clusterIPs: [six], clusterIP: six })), [six]);
  assert.throws(() => write(service({ ipFamilies: ["IPv6"], clusterIPs: ["fd00:2::1"], clusterIP: "fd00:2::1" })), /failed to allocate IP fd00:2::1: the provided network does not match the current range/);
});
