/** Attacks of the classes C, D, G, T and U of docs/guide/promises.md, sent to the whole API. Those of A, B, I, L, M, N, R and S have tests beside what they attack. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { privileged } from "../src/api/authz/authorizer.ts";
import type { Authorizer } from "../src/api/context.ts";
import { stringifyJson } from "../src/base/json-codec.ts";
import { isForbiddenAddress } from "../src/host/http-forward.ts";
import { apiVersionOf } from "../src/kinds/kind.ts";
import { sealEnvelope } from "../src/schema/envelope.ts";
import { definition } from "./fuzz/seeds.ts";
import { composition, settleDefinition } from "./fuzz/server.ts";
import { bodyOf, startHarness, type Harness, type Sending } from "./transcripts/harness.ts";

const types = { json: "application/json", yaml: "application/yaml", protobuf: "application/vnd.kubernetes.protobuf", jsonPatch: "application/json-patch+json", merge: "application/merge-patch+json", strategic: "application/strategic-merge-patch+json", apply: "application/apply-patch+yaml" } as const;
const maps = "/api/v1/namespaces/default/configmaps";

async function start(authorizer?: Authorizer): Promise<{ harness: Harness; send: (method: string, path: string, body?: string | Uint8Array, type?: string, more?: Sending) => Promise<{ status: number; text: string; forward: any }> }> {
  const harness = await startHarness({ ...composition(() => 0.5), postJson: async () => ({ status: 500, body: "" }), ...(authorizer === undefined ? {} : { authorizer: () => authorizer }) });
  const send: Awaited<ReturnType<typeof start>>["send"] = async (method, path, body = "", type = types.json, more = {}) => {
    const answer = await harness.send(method, path, { body, ...more, headers: { "content-type": type, ...more.headers } });
    return { status: answer.status, text: String(await bodyOf(answer)), forward: answer.content.type === "forward" ? answer.content.to : undefined };
  };
  for (const name of ["default", "kube-system"]) {
    await send("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name } }), types.json, { user: "admin" });
    await send("POST", `/api/v1/namespaces/${name}/serviceaccounts`, JSON.stringify({ metadata: { name: "default" } }), types.json, { user: "admin" });
  }
  return { harness, send };
}

test("T: no body, patch, query or header reaches Object.prototype, and __proto__ is a key like any other", async () => {
  const { harness, send } = await start();
  const life = new AbortController();
  void harness.api.run(life.signal);
  await settleDefinition(harness, "widgets", "idget");
  const poison = '"__proto__":{"polluted":"yes"},"constructor":{"prototype":{"polluted":"yes"}}';
  const bodies = [`{${poison}}`, `{"metadata":{"name":"m",${poison}}}`, `{"metadata":{"name":"m","labels":{${poison}}}}`, `{"metadata":{"name":"m","annotations":{"__proto__":"x"}},"data":{"__proto__":"x","constructor":"y","toString":"z"}}`, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m"},"data":{${poison}}}`, `{"spec":{"free":{${poison}},"size":1}}`];
  const patches = ["/__proto__/polluted", "/constructor/prototype/polluted", "/metadata/__proto__/polluted", "/metadata/labels/__proto__", "/data/__proto__", "/data/constructor", "/spec/free/__proto__/polluted"].flatMap(path => ["add", "replace", "copy", "move", "remove"].map(op => JSON.stringify([{ op, path, value: "yes", from: "/metadata" }])));
  const widgets = "/apis/x.example.com/v1/namespaces/default/widgets";
  await send("POST", maps, '{"metadata":{"name":"m"},"data":{"a":"b"}}');
  await send("POST", widgets, '{"apiVersion":"x.example.com/v1","kind":"Kidget","metadata":{"name":"m"},"spec":{"size":1,"free":{"a":1}}}');
  for (const base of [maps, widgets, "/apis/apps/v1/namespaces/default/deployments"]) {
    for (const body of bodies) for (const type of [types.json, types.yaml]) for (const [method, path] of [["POST", base], ["PUT", `${base}/m`]] as const) await send(method, `${path}?__proto__=x&fieldSelector=__proto__%3Dx&labelSelector=__proto__`, body, type, { headers: { "__proto__": "x", constructor: "x" } });
    for (const body of bodies) for (const type of [types.merge, types.strategic, types.apply]) await send("PATCH", `${base}/m?fieldManager=x`, body, type);
    for (const body of patches) await send("PATCH", `${base}/m`, body, types.jsonPatch);
  }
  assert.equal(({} as { polluted?: string }).polluted, undefined);
  assert.equal((function () {} as { polluted?: string }).polluted, undefined);
  assert.deepEqual(Object.keys(Object.prototype), []);

  const data = '{"__proto__":"p","constructor":"c","toString":"s","hasOwnProperty":"h"}';
  for (const [method, path, body, type] of [
    ["POST", maps, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"keys"},"data":${data}}`, types.json], ["PUT", `${maps}/keys`, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"keys"},"data":${data}}`, types.yaml],
    ["PATCH", `${maps}/keys`, `{"data":${data}}`, types.merge], ["PATCH", `${maps}/keys`, `{"data":${data}}`, types.strategic], ["PATCH", `${maps}/keys?fieldManager=x&force=true`, `{"apiVersion":"v1","kind":"ConfigMap","data":${data}}`.replace('"data"', '"metadata":{"name":"keys"},"data"'), types.apply],
    ["PATCH", `${maps}/keys`, '[{"op":"remove","path":"/data/__proto__"},{"op":"add","path":"/data/__proto__","value":"p"}]', types.jsonPatch],
  ] as const) {
    const answer = await send(method, path, body, type);
    assert.ok(answer.status < 300, `${method} ${type}: ${answer.text}`);
    assert.deepEqual(Object.entries((JSON.parse((await send("GET", `${maps}/keys`)).text) as { data: object }).data).sort(), [["__proto__", "p"], ["constructor", "c"], ["hasOwnProperty", "h"], ["toString", "s"]]);
  }
  life.abort();
  await harness.close();
});

test("T: what every object inherits is no member of anybody's map", async () => {
  const { harness, send } = await start();
  const inherited = ["constructor", "toString", "hasOwnProperty", "__proto__", "valueOf"];
  await send("POST", maps, '{"metadata":{"name":"plain","labels":{"a":"b"}}}');
  for (const name of inherited) {
    // Selectors: nobody has the label, so it exists nowhere.
    for (const selector of [name, `${name}=x`, `${name} in (x)`]) assert.equal((JSON.parse((await send("GET", `${maps}?labelSelector=${encodeURIComponent(selector)}`)).text) as { items?: unknown[] }).items?.length ?? 0, 0, selector);
    const amounts = `{"${name}":"1","cpu":"1"}`;
    for (const [path, body] of [
      ["/api/v1/namespaces/default/limitranges", `{"metadata":{"name":"x"},"spec":{"limits":[{"type":"Container","min":${amounts},"max":{"cpu":"2"}},{"type":"other","maxLimitRequestRatio":${amounts},"default":{}}]}}`],
      ["/api/v1/namespaces/default/resourcequotas", `{"metadata":{"name":"x"},"spec":{"hard":${amounts}},"status":{"used":{}}}`],
      ["/api/v1/namespaces/default/pods", `{"metadata":{"name":"x"},"spec":{"nodeSelector":{"${name}":"y"},"resources":{"requests":{"cpu":"1"}},"containers":[{"name":"c","image":"i","resources":{"limits":${amounts},"requests":{"cpu":"1"}},"env":[{"name":"A","valueFrom":{"resourceFieldRef":{"resource":"${name}"}}}]}]}}`],
      ["/api/v1/namespaces/default/persistentvolumeclaims", `{"metadata":{"name":"x"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1","${name}":"1"}}}}`],
      ["/api/v1/namespaces/default/services", `{"metadata":{"name":"x"},"spec":{"selector":{"${name}":"y"},"ports":[{"port":80}]}}`],
      ["/apis/node.k8s.io/v1/runtimeclasses", `{"metadata":{"name":"x"},"handler":"runc","scheduling":{"nodeSelector":{"${name}":"y"}},"overhead":{"podFixed":${amounts}}}`],
    ] as const) {
      const { status, text } = await send("POST", `${path}?dryRun=All`, body);
      assert.ok(status < 500, `${path} with ${name}: ${status} ${text.slice(0, 300)}`);
    }
  }
  await harness.close();
});

test("D: whoever may read one namespace reads nothing else, however the path is written", async () => {
  const { harness, send } = await start({ ...privileged, authorize: (user, { namespace, resourceRequest, resource, name }) => ({ allowed: user.name === "admin" || (resourceRequest && (namespace === "default" || (resource === "namespaces" && name === "default"))) }) });
  await send("POST", "/api/v1/namespaces/kube-system/secrets", '{"metadata":{"name":"crown"},"stringData":{"jewel":"kanarienvogel"}}', types.json, { user: "admin" });
  const up = ["..", "%2e%2e", ".%2e", "%2E.", "..%2f..", "%2e%2e%2f", "..%5c", "%252e%252e", "%c0%ae%c0%ae", "%u002e%u002e", "\uff0e\uff0e", ".", "%2e", "", "%00", "default%00", "default%2f..%2fkube-system", "default/../kube-system", "default%2fsecrets%2f..%2f..%2fkube-system", "*", "%2a", "kube-system%20", "default;kube-system", "default,kube-system", "default%0a", "kube%2dsystem", "KUBE-SYSTEM"];
  const roots = ["/api/v1", "//api/v1", "/api//v1", "/API/v1", "/api/v1/.", "/apis/apps/v1/../../../api/v1", "/api/v1/watch", "/apis//v1"];
  const leaks: string[] = [];
  for (const root of roots)
    for (const part of up)
      for (const path of [`${root}/namespaces/${part}/secrets`, `${root}/namespaces/${part}/secrets/crown`, `${root}/namespaces/default/secrets/${part}`, `${root}/namespaces/default/${part}/secrets/crown`, `${root}/namespaces/default/secrets/${part}/kube-system/secrets/crown`, `${root}/namespaces/default/pods/${part}/proxy/../../../kube-system/secrets/crown`, `${root}/${part}/secrets`])
        for (const query of ["", "?namespace=kube-system", "?fieldSelector=metadata.namespace%3Dkube-system", `?continue=${Buffer.from(JSON.stringify({ v: "meta.k8s.io/v1", rv: 1, start: "../kube-system/\0" })).toString("base64url")}&limit=5`]) {
          const { status, text } = await send("GET", path + query, "", types.json, { user: "bob" });
          if (status >= 500 || text.includes(Buffer.from("kanarienvogel").toString("base64"))) leaks.push(`GET ${path}${query}: ${status} ${text.slice(0, 200)}`);
        }
  for (const name of ["../kube-system/x", "a/b", "..", ".", "a\0b", "%2e%2e", "a%2fb"]) for (const metadata of [{ name }, { name: "x", namespace: name }, { generateName: name }]) {
    const { status, text } = await send("POST", "/api/v1/namespaces/default/secrets", JSON.stringify({ metadata }), types.json, { user: "bob" });
    if (status < 400 || status >= 500) leaks.push(`POST ${JSON.stringify(metadata)}: ${status} ${text.slice(0, 200)}`);
  }
  assert.deepEqual(leaks, []);
  assert.deepEqual(harness.store.list("/registry/").entries.filter(({ key }) => key.includes("/secrets/")).map(({ key }) => key), ["/registry/core/secrets/kube-system/crown"]);
  await harness.close();
});

test("C: what objects say of themselves leads the server to no address but pods', nodes' and services'", async () => {
  const { harness, send } = await start();
  const json = (value: unknown): string => JSON.stringify(value);
  await send("POST", "/api/v1/nodes", json({ metadata: { name: "n" } }));
  const reached: string[] = [];
  const visit = async (path: string): Promise<void> => {
    const { status, forward } = await send("GET", path);
    if (forward === undefined) assert.ok(status >= 400 && status !== 500, `${path}: ${status}`);
    else if (forward.trust.type === "none") reached.push(`${path} → ${forward.address}`);
  };
  // Loopback, link-local with the clouds' metadata service, multicast, unspecified, mapped, and what some resolvers take for an address.
  const addresses = ["127.0.0.1", "127.1.2.3", "0.0.0.0", "169.254.169.254", "224.0.0.1", "::1", "::", "fe80::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2130706433", "0x7f.1", "017700000001", "localhost", "127.0.0.1.", "metadata.google.internal", "127.0.0.1:22", "[::1]", "127.0.0.1%00", "10.0.0.1#@127.0.0.1"];
  for (const [i, address] of addresses.entries()) {
    const name = `p${i}`;
    await send("POST", "/api/v1/namespaces/default/pods", json({ metadata: { name }, spec: { nodeName: "n", containers: [{ name: "c", image: "i", ports: [{ containerPort: 80 }] }] } }));
    await send("PATCH", `/api/v1/namespaces/default/pods/${name}/status`, json({ status: { phase: "Running", podIP: address, podIPs: [{ ip: address }], hostIP: address } }), types.merge);
    await send("POST", "/api/v1/namespaces/default/services", json({ metadata: { name }, spec: { ports: [{ port: 80 }] } }));
    await send("POST", "/api/v1/namespaces/default/endpoints", json({ metadata: { name }, subsets: [{ addresses: [{ ip: address }], ports: [{ port: 80 }] }] }));
    await send("POST", "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices", json({ metadata: { name, labels: { "kubernetes.io/service-name": name } }, addressType: address.includes(":") ? "IPv6" : "IPv4", endpoints: [{ addresses: [address] }], ports: [{ port: 80 }] }));
    await send("POST", "/api/v1/namespaces/default/services", json({ metadata: { name: `e${i}` }, spec: { type: "ExternalName", externalName: address } }));
    for (const path of [`pods/${name}/proxy/`, `pods/http:${name}:80/proxy/x`, `pods/https:${name}:80/proxy/x`, `services/${name}/proxy/`, `services/${name}:80/proxy/`, `services/https:${name}:80/proxy/`, `services/e${i}/proxy/`, `services/${encodeURIComponent(`${address}`)}:80/proxy/`, `pods/${encodeURIComponent(`${name}@127.0.0.1`)}/proxy/`]) await visit(`/api/v1/namespaces/default/${path}`);
  }
  // What is handed to the forwarder and forbidden there is refused before a connection is made (http-forward.test.ts).
  assert.deepEqual(reached.filter(each => { const address = each.split(" → ")[1]!; return /^[0-9a-f.:]+$/.test(address) && !isForbiddenAddress(address); }), []);
  assert.ok(reached.length > 0, "void: nothing came as far as the forwarder");
  await harness.close();
});

const depth = (n: number, open: string, close: string, inside = "1"): string => open.repeat(n) + inside + close.repeat(n);
const bombs: readonly (readonly [what: string, method: string, path: string, body: string | Uint8Array, type: string])[] = [
  ["YAML aliases that double", "POST", maps, `a: &a [x,x,x,x,x,x,x,x,x,x]\n${"bcdefghijklm".split("").map((name, i) => `${name}: &${name} [${Array(10).fill(`*${"abcdefghijklm"[i]}`).join(",")}]`).join("\n")}\n`, types.yaml],
  ["a YAML alias of itself", "POST", maps, "a: &a [*a]\n", types.yaml], ["a YAML merge key", "POST", maps, "a: &a {x: 1}\nb:\n  <<: [*a, *a]\n", types.yaml], ["deep YAML", "POST", maps, "- ".repeat(50_000), types.yaml], ["deep YAML flow", "POST", maps, depth(50_000, "[", "]"), types.yaml], ["many YAML documents", "POST", maps, "---\na: 1\n".repeat(50_000), types.yaml],
  ["deep JSON", "POST", maps, depth(200_000, "[", "]"), types.json], ["deep objects", "POST", maps, depth(100_000, '{"a":', "}"), types.json], ["a million members", "POST", maps, `{"data":{${Array.from({ length: 300_000 }, (_, i) => `"${i}":"x"`).join(",")}}}`, types.json], ["a key written a hundred thousand times", "POST", maps, `{"metadata":{"name":"x"},"data":{${'"a":"x",'.repeat(100_000)}"a":"y"}}`, types.json], ["a number of a million digits", "POST", maps, `{"metadata":{"name":"x","generation":${"9".repeat(1_000_000)}}}`, types.json], ["an exponent beyond all", "POST", maps, '{"metadata":{"name":"x","generation":1e999999999}}', types.json],
  ["a patch of 10,001 operations", "PATCH", `${maps}/m`, JSON.stringify(Array(10_001).fill({ op: "test", path: "/data/a", value: "b" })), types.jsonPatch], ["copies that double", "PATCH", `${maps}/m`, JSON.stringify(Array.from({ length: 40 }, () => ({ op: "copy", from: "/data", path: "/data/a" }))), types.jsonPatch], ["a pointer of a hundred thousand parts", "PATCH", `${maps}/m`, JSON.stringify([{ op: "add", path: "/a".repeat(100_000), value: 1 }]), types.jsonPatch], ["a deep merge patch", "PATCH", `${maps}/m`, depth(900, '{"data":', "}"), types.merge], ["a deep strategic patch", "PATCH", `${maps}/m`, depth(900, '{"metadata":', "}", "{}"), types.strategic], ["a deep configuration", "PATCH", `${maps}/m?fieldManager=x`, depth(900, '{"metadata":', "}", "{}"), types.apply],
  ["deep managed fields", "PUT", `${maps}/m`, `{"metadata":{"name":"m","managedFields":[{"manager":"x","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${depth(900, '{"f:a":', "}", "{}")}}]}}`, types.json],
  ["a message longer than it is", "POST", maps, sealEnvelope("v1", "ConfigMap", Uint8Array.from([10, 255, 255, 255, 255, 255, 255, 127])), types.protobuf], ["messages in messages", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", sealEnvelope("apiextensions.k8s.io/v1", "CustomResourceDefinition", Uint8Array.from(Array.from({ length: 3_000 }, (_, i) => [0x5a, (3_000 - i) & 127]).flat())), types.protobuf], ["only tags", "POST", maps, sealEnvelope("v1", "ConfigMap", new Uint8Array(500_000).fill(8)), types.protobuf],
  ["a quantity beyond all", "POST", "/api/v1/namespaces/default/resourcequotas", '{"metadata":{"name":"x"},"spec":{"hard":{"pods":"1e999999999"}}}', types.json], ["a quantity of a million digits", "POST", "/api/v1/namespaces/default/resourcequotas", `{"metadata":{"name":"x"},"spec":{"hard":{"pods":"${"1".repeat(1_000_000)}"}}}`, types.json],
  ["a schedule of many parts", "POST", "/apis/batch/v1/namespaces/default/cronjobs", JSON.stringify({ metadata: { name: "x" }, spec: { schedule: `${Array(50_000).fill("*/1").join(",")} * * * *` } }), types.json],
  ["a deep schema", "POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", stringifyJson({ ...definition("deeps", "eep"), spec: { ...(definition("deeps", "eep")["spec"] as object), versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: JSON.parse(depth(300, '{"type":"object","properties":{"a":', "}}", '{"type":"object"}')) } }] } }), types.json],
];
const queries = ["labelSelector=" + encodeURIComponent(`a in (${Array(100_000).fill("b").join(",")})`), "labelSelector=" + "%28".repeat(50_000), "labelSelector=" + encodeURIComponent("a=b,".repeat(50_000)), "fieldSelector=" + encodeURIComponent("a=b,".repeat(50_000)), "fieldSelector=" + "%5C".repeat(100_000), `continue=${Buffer.from(depth(50_000, "[", "]")).toString("base64url")}`, "limit=" + "9".repeat(100_000), "resourceVersion=" + "9".repeat(100_000), "timeoutSeconds=1e9", "a=b&".repeat(100_000)];

test("G: bombs in every encoding are refused or cost what they weigh", async () => {
  const { harness, send } = await start();
  await send("POST", maps, JSON.stringify({ metadata: { name: "m" }, data: { a: "b".repeat(200_000) } }));
  for (const [what, method, path, body, type] of bombs) {
    const { status, text } = await send(method, path, body, type);
    assert.ok(status < 500, `${what}: ${status} ${text.slice(0, 300)}`);
    assert.ok(text.length < 8 << 20, `${what}: the answer is ${text.length} characters long`);
  }
  for (const query of queries) {
    const { status } = await send("GET", `${maps}?${query}`);
    assert.ok(status < 500, `${query.slice(0, 60)}: ${status}`);
  }
  assert.equal((await send("GET", "/readyz")).status, 200);
  await harness.close();
});

test("U: patterns and expressions of users are matched in linear time, or refused", async () => {
  const { harness, send } = await start();
  const life = new AbortController();
  void harness.api.run(life.signal);
  const evil = ["^(([a-z0-9]+)+\\.?)*$", "(a+)+$", "(a|a)*$", "(a|aa)+$", "(.*a){20}", "^(a?){40}a{40}$", "([a-zA-Z]+)*!", "(x+x+)+y"];
  for (const [i, pattern] of evil.entries()) {
    const { metadata, spec } = definition(`evils${i}`, `vil${i}`) as any;
    const schema = { type: "object", properties: { spec: { type: "object", properties: { a: { type: "string", maxLength: 1_000, pattern }, b: { type: "string", maxLength: 1_000, "x-kubernetes-validations": [{ rule: `self.matches(${JSON.stringify(pattern)})` }] } } } } };
    const made = await send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", stringifyJson({ metadata, spec: { ...spec, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: schema } }] } }));
    assert.equal(made.status, 201, made.text);
    for (let turns = 0; turns < 50 && !harness.api.registry.kinds().some(kind => kind.plural === `evils${i}`); turns++) await harness.clock.advance(100);
    const kind = harness.api.registry.kinds().find(each => each.plural === `evils${i}`)!;
    for (const text of ["a".repeat(900) + "!", "x".repeat(999)]) for (const field of ["a", "b"]) {
      const { status } = await send("POST", `/apis/x.example.com/v1/namespaces/default/evils${i}`, JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, metadata: { generateName: "x-" }, spec: { [field]: text } }));
      assert.ok(status === 201 || status === 422, `${pattern}: ${status}`);
    }
  }
  // Back references and looking around have no linear engine: they are refused when they are written.
  for (const pattern of ["(a)\\1", "(?=a)b", "(?<!a)b"]) {
    const { metadata, spec } = definition("refuseds", "efused") as any;
    const { status } = await send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", stringifyJson({ metadata, spec: { ...spec, versions: [{ name: "v1", served: true, storage: true, schema: { openAPIV3Schema: { type: "object", properties: { a: { type: "string", pattern } } } } }] } }));
    assert.equal(status, 422, pattern);
  }
  life.abort();
  await harness.close();
});
