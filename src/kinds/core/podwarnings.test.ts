import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDefaults } from "../../schema/defaults.ts";
import { decode } from "../../schema/decode.ts";
import { Pod } from "./pod.ts";
import { podWarnings } from "./podwarnings.ts";

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

test("files that lie in or over each other are told as if each were compared with each", () => {
  let seed = 1;
  const random = (below: number): number => (seed = (seed * 48271) % 2147483647) % below;
  for (let round = 0; round < 300; round++) {
    const paths = Array.from({ length: 1 + random(12) }, () => ["", "a", "a!", "a/b", "a/b/c", "ab", "b", "b/", "b//c", "a/", "a/b!"][random(11)]!);
    const bare = paths.map(path => path.replace(/\/+$/, ""));
    const within = (path: string, folder: string): boolean => `${path}/`.startsWith(`${folder}/`);
    const expected = bare.flatMap((path, i) => bare.slice(0, i).filter(other => path !== "" && other !== "" && (within(path, other) || within(other, path))).map(other => `volume "v" (Secret "s"): overlapping paths: ${JSON.stringify(path)} with ${JSON.stringify(other)}`));
    assert.deepEqual(warningsOf({ volumes: [{ name: "v", secret: { secretName: "s", items: paths.map(path => ({ key: "k", path })) } }] }), expected.slice(0, 40), paths.join(" "));
  }
});

test("ten thousand files, or ports, cost about twice what five thousand do, and are not told one by one", () => {
  const compared = (work: () => readonly string[]): { readonly told: number; readonly count: number } => {
    const [prefixes, starts] = [String.prototype.startsWith, { count: 0 }];
    String.prototype.startsWith = function (this: string, ...args: [string, number?]) { starts.count++; return prefixes.apply(this, args); };
    try {
      return { told: work().length, count: starts.count };
    } finally {
      String.prototype.startsWith = prefixes;
    }
  };
  const shapes: readonly (readonly [string, (i: number) => string])[] = [["apart", i => `f${i}`], ["the same", () => "x"], ["one folder", i => (i === 0 ? "x" : `x/${i}`)], ["nested", i => "x/".repeat(i % 50) + i], ["the folder last", i => (i % 5_000 === 4_999 ? "x" : `x/${i}`)]];
  for (const [what, path] of shapes) {
    const of = (count: number) => compared(() => warningsOf({ volumes: [{ name: "v", configMap: { name: "m", items: Array.from({ length: count }, (_, i) => ({ key: "k", path: path(i) })) } }] }));
    const [half, whole] = [of(5_000), of(10_000)];
    assert.ok(whole.count <= 2.5 * half.count + 1_000 && whole.count < 50 * 10_000 && whole.told <= 40, `${what}: ${half.count} and ${whole.count} comparisons, ${whole.told} told`);
  }
  for (const port of [(i: number) => ({ containerPort: 80, hostPort: 1 + i }), () => ({ containerPort: 80 })]) {
    const ports = Array.from({ length: 10_000 }, (_, i) => port(i));
    let asked = 0;
    const counted = ports.map(each => Object.defineProperty({ ...each, protocol: "TCP" }, "hostPort", { get: () => { asked++; return "hostPort" in each ? each.hostPort : undefined; } }));
    const told = podWarnings({ metadata: {}, spec: { containers: [{ name: "c", resources: {}, ports: counted }], terminationGracePeriodSeconds: 30 } } as any, "").length;
    assert.ok(told <= 40 && asked <= 20 * 10_000, `${told} told, ${asked} looked at`);
  }
});
