import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import { groupEndpoints } from "./endpointslice.ts";
import { planSubsets } from "./endpoints-plan.ts";

// A pod is written name[!] for not ready, [x] for being deleted, [.N] for the number of its port "web"; its address ends in the letter's place.
const cases = [
  // service     pods          Endpoints                            EndpointSlices: ready serving terminating
  ["80",         "",           "",                                  ""],
  ["80",         "a",          "1->80",                             "80: 1rs"],
  ["80",         "b a!",       "2/1->80",                           "80: 1 2rs"],
  ["80",         "a bx",       "1->80",                             "80: 1rs 2st"],
  ["80 81",      "a b",        "1,2->80,81",                        "80,81: 1rs 2rs"],
  ["web",        "a.8 b.9",    "1->8 2->9",                         "8: 1rs | 9: 2rs"],
  ["web",        "a",          "",                                  ": 1rs"],
  ["80 pub",     "a! bx",      "1,2->80",                           "80: 1r 2rst"],
] as const;
for (const [ports, pods, endpoints, slices] of cases)
  test(`service ${ports}, pods [${pods}]`, () => {
    const list = pods.split(" ").filter(Boolean).map(pod);
    const { subsets } = planSubsets(service(ports), list);
    assert.equal(subsets.map(({ addresses = [], notReadyAddresses = [], ports = [] }) => `${last(addresses)}${notReadyAddresses.length > 0 ? `/${last(notReadyAddresses)}` : ""}->${ports.map(({ port }) => port).join(",")}`).join(" "), endpoints);
    const groups = groupEndpoints(service(ports), list, () => ({ metadata: { labels: {} } }) as never, "IPv4");
    assert.equal(groups.map(({ ports, endpoints }) => `${ports.map(({ port }) => port).join(",")}: ${endpoints.map(({ addresses, conditions }) => `${addresses[0]?.split(".")[3]}${conditions.ready === true ? "r" : ""}${conditions.serving === true ? "s" : ""}${conditions.terminating === true ? "t" : ""}`).join(" ")}`).join(" | "), slices);
  });

test("a pod on a node that is not there is left out until the node is", () => {
  assert.deepEqual(groupEndpoints(service("80"), [pod("a")], () => undefined, "IPv4").map(({ endpoints }) => endpoints.length), [0]);
});

test("more than a thousand addresses are cut, ready ones last", () => {
  const many = Array.from({ length: 1100 }, (_, i) => ({ ...pod(i < 600 ? "a" : "a!"), metadata: { name: `p${i}`, namespace: "d", uid: String(i), labels: { app: "web" } } }) as unknown as Pod);
  const { subsets: [subset], truncated } = planSubsets(service("80"), many);
  assert.deepEqual([truncated, subset?.addresses?.length, subset?.notReadyAddresses?.length], [true, 600, 400]);
});

const last = (addresses: readonly { readonly ip: string }[]): string => addresses.map(({ ip }) => ip.split(".")[3]).join(",");
function service(text: string): Service {
  const words = text.split(" ");
  const ports = words.filter(word => word !== "pub").map(word => (word === "web" ? { name: "web", port: 1, targetPort: "web", protocol: "TCP" } : { name: word, port: Number(word), protocol: "TCP" }));
  return { metadata: { name: "s", namespace: "d" }, spec: { type: "ClusterIP", clusterIP: "10.0.0.1", ipFamilies: ["IPv4"], selector: { app: "web" }, ports, ...(words.includes("pub") ? { publishNotReadyAddresses: true } : {}) } } as unknown as Service;
}
function pod(text: string): Pod {
  const [, name = "", notReady, dying, port] = /^(\w)(!)?(x)?(?:\.(\d+))?$/.exec(text) ?? [];
  const ip = `10.1.0.${name.charCodeAt(0) - 96}`;
  return {
    metadata: { name, namespace: "d", uid: name, labels: { app: "web" }, ...(dying === undefined ? {} : { deletionTimestamp: "now" }) },
    spec: { nodeName: "n", containers: [{ name: "c", ports: port === undefined ? [] : [{ name: "web", containerPort: Number(port), protocol: "TCP" }] }] },
    status: { phase: "Running", podIP: ip, podIPs: [{ ip }], conditions: [{ type: "Ready", status: notReady === undefined ? "True" : "False" }] },
  } as unknown as Pod;
}
