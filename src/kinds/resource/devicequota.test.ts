import assert from "node:assert/strict";
import { test } from "node:test";
import { amountsOf, countsFor, usageOf } from "../core/quotausage.ts";

const claims = { group: "resource.k8s.io", plural: "resourceclaims" };
const gold = "gold.deviceclass.resource.k8s.io/devices";
const implicit = "requests.deviceclass.resource.kubernetes.io/gold";
const chosen = "requests.example.com/gpu";
const classes = [{ metadata: { name: "gold" }, spec: { extendedResourceName: "example.com/gpu" } }, { metadata: { name: "plain" }, spec: {} }];

const ask = (deviceClassName: string, allocationMode: string, count?: number) => ({ deviceClassName, allocationMode, ...(count === undefined ? {} : { count }) });
const claim = (requests: object[], metadata: object = {}): any => ({ metadata: { name: "c", creationTimestamp: "2026-01-01T00:00:02Z", ...metadata }, spec: { devices: { requests } } });
function usage(object: any, stored: { [plural: string]: any[] } = {}): object {
  const { "count/resourceclaims.resource.k8s.io": count, ...rest } = amountsOf(usageOf(claims, object, 0, (_, plural) => stored[plural] ?? []));
  assert.equal(count, "1");
  return rest;
}

test("a resource claim counts its devices by class: of alternatives the most, all of them as 32", () => {
  const requests = [{ name: "a", exactly: ask("gold", "ExactCount", 2) }, { name: "b", firstAvailable: [ask("gold", "ExactCount", 1), ask("gold", "ExactCount", 3), ask("plain", "All")] }];
  assert.deepEqual(usage(claim(requests), { deviceclasses: classes }), { [gold]: "5", [implicit]: "5", [chosen]: "5", "plain.deviceclass.resource.k8s.io/devices": "32", "requests.deviceclass.resource.kubernetes.io/plain": "32" });
  assert.deepEqual(usage(claim(requests.slice(0, 1))), { [gold]: "2", [implicit]: "2" }, "a class that is not there has no other name");
});

test("what a pod asks for as a resource is not counted again in the claim that was made for it", () => {
  const owner = { apiVersion: "v1", kind: "Pod", name: "p", uid: "u", controller: true };
  const made = { annotations: { "resource.kubernetes.io/extended-resource-claim": "true" }, ownerReferences: [owner] };
  const pod = (count: string, more: object = {}) => ({ metadata: { name: "p", uid: "u" }, spec: { containers: [{ name: "c", resources: { requests: { "example.com/gpu": count } } }] }, ...more });
  const names = (resourceClaimName: string) => ({ status: { extendedResourceClaimStatus: { resourceClaimName, requestMappings: [] } } });
  const of = (metadata: object, pods: any[], resourceclaims: any[] = []) => usage(claim([{ name: "a", exactly: ask("gold", "ExactCount", 3) }], metadata), { deviceclasses: classes, pods, resourceclaims });
  const whole = { [gold]: "3", [implicit]: "3", [chosen]: "3" };
  const other = (name: string, creationTimestamp: string) => claim([], { ...made, name, creationTimestamp });
  const table: [string, object, object][] = [
    ["all of it", of(made, [pod("3")]), { [gold]: "3", [implicit]: "3" }],
    ["a part of it", of(made, [pod("1")]), { ...whole, [chosen]: "2" }],
    ["the pod names it", of(made, [pod("3", names("c"))]), { [gold]: "3", [implicit]: "3" }],
    ["the pod names another", of(made, [pod("3", names("d"))]), whole],
    ["no such pod", of(made, []), whole],
    ["another pod of that name", of(made, [{ ...pod("3"), metadata: { name: "p", uid: "v" } }]), whole],
    ["it has ended", of(made, [pod("3", { status: { phase: "Failed" } })]), whole],
    ["not made for resources", of({ ownerReferences: [owner] }, [pod("3")]), whole],
    ["not its controller", of({ ...made, ownerReferences: [{ ...owner, controller: false }] }, [pod("3")]), whole],
    ["an earlier one was made for it", of(made, [pod("3")], [other("b", "2026-01-01T00:00:01Z")]), whole],
    ["one of the same second with a lower name", of(made, [pod("3")], [other("b", "2026-01-01T00:00:02Z")]), whole],
    ["a later one", of(made, [pod("3")], [other("b", "2026-01-01T00:00:03Z")]), { [gold]: "3", [implicit]: "3" }],
  ];
  for (const [what, got, expected] of table) assert.deepEqual(got, expected, what);
});

test("a quota bounds pods by any extended resource, and claims by those that a class stands behind", () => {
  const hard = { [gold]: "1", [implicit]: "1", [chosen]: "1", "requests.example.com/other": "1", "requests.deviceclass.resource.kubernetes.io/plain": "1", "requests.deviceclass.resource.kubernetes.io/ghost": "1", "requests.kubernetes.io/own": "1", "count/resourceclaims.resource.k8s.io": "1", "hugepages-2Mi": "1", "requests.hugepages-2Mi": "1" };
  const names = (resource: { group: string; plural: string }) => countsFor({ spec: { hard } }, resource, () => classes);
  assert.deepEqual(names(claims), [gold, implicit, chosen, "requests.deviceclass.resource.kubernetes.io/plain", "count/resourceclaims.resource.k8s.io"]);
  assert.deepEqual(names({ group: "", plural: "pods" }), [implicit, chosen, "requests.example.com/other", "requests.deviceclass.resource.kubernetes.io/plain", "requests.deviceclass.resource.kubernetes.io/ghost", "hugepages-2Mi", "requests.hugepages-2Mi"]);
});
