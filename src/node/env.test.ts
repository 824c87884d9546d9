import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import { podField, resourceField, serviceVariables } from "./env.ts";

const service = (namespace: string, name: string, clusterIP: string, ports: object[]): Service => ({ metadata: { namespace, name }, spec: { clusterIP, ports } }) as unknown as Service;
const services = [
  service("default", "kubernetes", "10.96.0.1", [{ name: "https", port: 443, protocol: "TCP" }]), service("shop", "my-db", "10.96.0.7", [{ port: 5432, protocol: "TCP" }, { name: "stats-x", port: 53, protocol: "UDP" }]),
  service("shop", "headless", "None", [{ port: 1 }]), service("other", "hidden", "10.96.0.9", [{ port: 1 }]),
];

test("services of the namespace show as variables, and the API always does", () => {
  assert.deepEqual(Object.fromEntries(serviceVariables(services, "shop", true)), {
    KUBERNETES_SERVICE_HOST: "10.96.0.1", KUBERNETES_SERVICE_PORT: "443", KUBERNETES_SERVICE_PORT_HTTPS: "443", KUBERNETES_PORT: "tcp://10.96.0.1:443", KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP_PROTO: "tcp", KUBERNETES_PORT_443_TCP_PORT: "443", KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
    MY_DB_SERVICE_HOST: "10.96.0.7", MY_DB_SERVICE_PORT: "5432", MY_DB_SERVICE_PORT_STATS_X: "53", MY_DB_PORT: "tcp://10.96.0.7:5432", MY_DB_PORT_5432_TCP: "tcp://10.96.0.7:5432", MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432", MY_DB_PORT_5432_TCP_ADDR: "10.96.0.7", MY_DB_PORT_53_UDP: "udp://10.96.0.7:53", MY_DB_PORT_53_UDP_PROTO: "udp", MY_DB_PORT_53_UDP_PORT: "53", MY_DB_PORT_53_UDP_ADDR: "10.96.0.7",
  });
  assert.deepEqual([...serviceVariables(services, "shop", false).keys()].filter(key => key.startsWith("MY_DB")), []);
});

const pod = { metadata: { name: "p", namespace: "n", uid: "u", labels: { b: "2", a: "1 \"x\"\n" }, annotations: { "k/x": "v" } }, spec: { nodeName: "node", serviceAccountName: "sa" } } as unknown as Pod;
const around = { podIPs: ["10.0.0.2", "fd00::2"], hostIPs: ["192.0.2.1"] };
const fields = [
  ["metadata.name", "p"], ["metadata.labels['b']", "2"], ["metadata.labels['nope']", ""], ["metadata.annotations['k/x']", "v"], ["metadata.labels", `a="1 \\"x\\"\\n"\nb="2"`], ["spec.serviceAccountName", "sa"], ["status.podIP", "10.0.0.2"], ["status.podIPs", "10.0.0.2,fd00::2"], ["status.hostIPs", "192.0.2.1"],
] as const;
for (const [path, want] of fields)
  test(`the field ${path} shows ${JSON.stringify(want)}`, () => assert.equal(podField(pod, path, around), want));

const container = { name: "c", resources: { limits: { memory: "100Mi" }, requests: { cpu: "250m" } } } as never;
const resources = [
  ["limits.memory", undefined, "104857600"], ["limits.memory", "1Mi", "100"], ["limits.memory", "1Gi", "1"], ["requests.cpu", undefined, "1"], ["requests.cpu", "1m", "250"], ["limits.cpu", "1", "4"], ["requests.memory", "1Mi", "100"], ["limits.cpu", "0", "4"],
] as const;
for (const [resource, divisor, want] of resources)
  test(`${resource} in units of ${divisor ?? "one"} is ${want}`, () => assert.equal(resourceField(container, resource, divisor, { cpu: "4" }), want));
