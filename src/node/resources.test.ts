import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import { containerResources, cpuQuota, cpuShares, oomScoreAdj, podAmount, podLimits, qosOf } from "./resources.ts";

type Amounts = { readonly requests?: object; readonly limits?: object };
function pod(containers: readonly Amounts[], more: { readonly inits?: readonly (Amounts & { restartPolicy?: string })[]; readonly own?: Amounts; readonly overhead?: object } = {}): Pod {
  const list = (all: readonly Amounts[] = []): object[] => all.map((each, i) => ({ name: `c${i}`, ...("restartPolicy" in each ? { restartPolicy: each.restartPolicy } : {}), resources: { requests: (each as Amounts).requests, limits: (each as Amounts).limits } }));
  return { metadata: { name: "p" }, spec: { containers: list(containers), initContainers: list(more.inits), ...(more.own && { resources: more.own }), ...(more.overhead && { overhead: more.overhead }) }, status: {} } as unknown as Pod;
}
const both = { cpu: "1", memory: "1Gi" };

const classes = [
  ["nothing asked", pod([{}]), "BestEffort"], ["a request only", pod([{ requests: { cpu: "1" } }]), "Burstable"], ["limits of both", pod([{ limits: both }]), "Guaranteed"],
  ["requests below limits", pod([{ limits: both, requests: { cpu: "500m", memory: "1Gi" } }]), "Burstable"], ["equal in other words", pod([{ limits: both, requests: { cpu: "1000m", memory: "1024Mi" } }]), "Guaranteed"],
  ["one container without limits", pod([{ limits: both }, {}]), "Burstable"], ["an init container without limits", pod([{ limits: both }], { inits: [{}] }), "Burstable"],
  ["amounts of the pod itself", pod([{}], { own: { limits: both } }), "Guaranteed"], ["other resources only", pod([{ requests: { "example.com/gpu": "1" } }]), "BestEffort"], ["zero", pod([{ requests: { cpu: "0" } }]), "BestEffort"],
] as const;
for (const [what, given, want] of classes)
  test(`a pod with ${what} is ${want}`, () => assert.equal(qosOf(given), want));

const amounts = [
  ["containers add up", pod([{ requests: { cpu: "1" } }, { requests: { cpu: "500m" } }]), "1500m"], ["the largest init container counts", pod([{ requests: { cpu: "1" } }], { inits: [{ requests: { cpu: "3" } }, { requests: { cpu: "2" } }] }), "3"],
  ["sidecars run beside the others", pod([{ requests: { cpu: "1" } }], { inits: [{ requests: { cpu: "1" }, restartPolicy: "Always" }, { requests: { cpu: "2" } }] }), "3"],
  ["overhead is added", pod([{ requests: { cpu: "1" } }], { overhead: { cpu: "250m" } }), "1250m"], ["a limit asks for as much", pod([{ limits: { cpu: "2" } }]), "2"], ["the pod's own amount stands for all", pod([{ requests: { cpu: "1" } }], { own: { requests: { cpu: "5" } } }), "5"],
] as const;
for (const [what, given, want] of amounts)
  test(`${what}: ${want} processors`, () => assert.equal(podAmount(given, "requests", "cpu"), want));

test("shares and quotas have the kernel's bounds", () => {
  assert.deepEqual([0, 1, 2, 100, 1000, 1_000_000].map(cpuShares), [2, 2, 2, 102, 1024, 262_144]);
  assert.deepEqual([0, 1, 10, 200, 2000].map(cpuQuota), [0, 1000, 1000, 20_000, 200_000]);
});

test("a container's limits reach the runtime, and the out-of-memory killer knows the order", () => {
  const limited = pod([{ limits: { cpu: "200m", memory: "64Mi" }, requests: { cpu: "100m", memory: "32Mi" } }]);
  const capacity = 1024 * 2 ** 20;
  assert.deepEqual(containerResources(limited, limited.spec.containers[0]!, capacity), { cpuShares: 102, oomScoreAdj: 969, cpuQuota: 20_000, cpuPeriod: 100_000, memoryLimitInBytes: 64 * 2 ** 20 });
  assert.equal(oomScoreAdj(pod([{ limits: both }]), pod([{ limits: both }]).spec.containers[0]!, capacity), -997);
  assert.equal(oomScoreAdj(pod([{}]), pod([{}]).spec.containers[0]!, capacity), 1000);
  assert.deepEqual(podLimits(limited), { cpuShares: 102, cpuQuota: 20_000, cpuPeriod: 100_000, memory: 64 * 2 ** 20 });
  assert.deepEqual(podLimits(pod([{ limits: both }, { requests: { cpu: "1" } }])), { cpuShares: 2048 });
});
