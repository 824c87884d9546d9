import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDefaults } from "../../schema/defaults.ts";
import { decode } from "../../schema/decode.ts";
import { Pod } from "./pod.ts";

const warningsOf = (spec: object, container: object = {}): readonly string[] => {
  const pod: any = decode(Pod.schema.node, { metadata: { name: "a", namespace: "b" }, spec: { containers: [{ name: "c", image: "i", ...container }], ...spec } } as never).object;
  applyDefaults(Pod.schema.node, pod);
  Pod.defaults!(pod);
  return [...Pod.warnings!(pod, undefined)];
};

for (const [what, spec, container, expected] of [
  ["an ordinary pod", {}, {}, []],
  ["a label that is old", { nodeSelector: { "beta.kubernetes.io/os": "linux" } }, {}, ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']],
  ["part of a byte", {}, { resources: { requests: { memory: "1500m" } } }, ['spec.containers[0].resources.requests[memory]: fractional byte value "1500m" is invalid, must be an integer']],
  ["a variable twice", {}, { env: [{ name: "A", value: "1" }, { name: "A", value: "2" }] }, ['spec.containers[0].env[1]: hides previous definition of "A", which may be dropped when using apply']],
  ["a variable made of itself", {}, { env: [{ name: "A", value: "1" }, { name: "A", value: "$(A)2" }] }, []],
  ["a port twice", {}, { ports: [{ containerPort: 80 }, { containerPort: 80 }] }, ["spec.containers[0].ports[1]: duplicate port definition with spec.containers[0].ports[0]"]],
  ["a file in the place of a folder", { volumes: [{ name: "v", configMap: { name: "m", items: [{ key: "a", path: "x" }, { key: "b", path: "x/y" }] } }] }, {}, ['volume "v" (ConfigMap "m"): overlapping paths: "x/y" with "x"']],
  ["a file beside one whose name begins like its own", { volumes: [{ name: "v", configMap: { name: "m", items: [{ key: "a", path: "x" }, { key: "b", path: "xy" }] } }] }, {}, []],
  ["a file twice in one projection", { volumes: [{ name: "v", projected: { sources: [{ configMap: { name: "m", items: [{ key: "a", path: "x/" }] } }, { serviceAccountToken: { path: "x" } }] } }] }, {}, ['volume "v" (Projected): overlapping paths: "x" (ServiceAccountToken) with "x" (ConfigMap "m")']],
  ["a port's name twice", {}, { ports: [{ name: "p", containerPort: 80 }, { name: "p", containerPort: 81 }] }, ['spec.containers[0].ports[1]: duplicate port name "p" with spec.containers[0].ports[0], services and probes that select ports by name will use spec.containers[0].ports[0]']],
  ["a secret twice and one without a name", { imagePullSecrets: [{ name: "s" }, { name: "s" }, {}], hostAliases: [{ ip: "10.0.0.1" }, { ip: "10.0.0.1" }] }, {}, [
    'spec.hostAliases[1].ip: duplicate ip "10.0.0.1"', 'spec.imagePullSecrets[1].name: duplicate name "s"', 'spec.imagePullSecrets[2].name: invalid empty name ""',
  ]],
  ["a volume that is gone", { volumes: [{ name: "v", glusterfs: { endpoints: "e", path: "p" } }] }, {}, ["spec.volumes[0].glusterfs: deprecated in v1.25, non-functional in v1.26+"]],
] as const) test(`${what} is ${expected.length === 0 ? "nothing to warn of" : "warned of"}`, () => assert.deepEqual(warningsOf(spec, container), expected));
