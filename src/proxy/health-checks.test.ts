import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { healthAnswer, healthChecks } from "./health-checks.ts";

const service = (spec: object): Service => ({ metadata: { namespace: "d", name: "web" }, spec: { type: "LoadBalancer", externalTrafficPolicy: "Local", healthCheckNodePort: 30_001, ...spec } }) as unknown as Service;
/** `address@node[!]`: with a `!` it is not ready. */
const slice = (...texts: string[]): EndpointSlice => ({ endpoints: texts.map(text => ({ addresses: [text.split("@")[0]], nodeName: text.split("@")[1]!.replace("!", ""), conditions: { ready: !text.endsWith("!") } })) }) as unknown as EndpointSlice;

for (const [what, spec, slices, want] of [
  ["ready endpoints of this node are counted, each address once", {}, [slice("10.0.0.1@n1", "10.0.0.2@n1!", "10.0.0.3@n2"), slice("10.0.0.1@n1")], 1],
  ["none is a number too", {}, [slice("10.0.0.3@n2")], 0],
  ["a service for every node has no such port", { externalTrafficPolicy: "Cluster" }, [slice("10.0.0.1@n1")], undefined],
  ["a node port has none either", { type: "NodePort" }, [slice("10.0.0.1@n1")], undefined],
] as const)
  test(`health checks: ${what}`, () => assert.equal(healthChecks([service(spec)], () => slices, "n1")[0]?.localEndpoints, want));

test("the answer is upstream's, and says 503 without an endpoint", () => {
  const check = { port: 30_001, namespace: "d", name: "web", localEndpoints: 2 };
  assert.deepEqual(healthAnswer(check), {
    status: 200, headers: { "content-type": "application/json", "x-content-type-options": "nosniff", "x-load-balancing-endpoint-weight": "2" },
    body: '{\n\t"service": {\n\t\t"namespace": "d",\n\t\t"name": "web"\n\t},\n\t"localEndpoints": 2,\n\t"serviceProxyHealthy": true\n}',
  });
  assert.equal(healthAnswer({ ...check, localEndpoints: 0 }).status, 503);
});
