import assert from "node:assert/strict";
import { test } from "node:test";
import { credentialsOf, loopbackRegistry, needsGateway, readRegistries, registryOf, renderHosts } from "./registries.ts";

const gateway = { url: "http://10.95.0.1:3333", token: "secret" };
const rules = readRegistries({
  mirrors: {
    "docker.io": { endpoint: ["http://127.0.0.1:5000", "https://mirror.lan/v2/docker.io"] }, "reg.lan:5000": { endpoint: ["http://reg.lan:5000"] }, "*": { endpoint: ["https://cache.lan"] },
  },
  configs: {
    "mirror.lan": { auth: { username: "ann", password: "pass" }, tls: { ca_file: "/etc/ca.pem", cert_file: "/etc/c.pem", key_file: "/etc/k.pem" } },
    "own.lan": { tls: { insecure_skip_verify: true } }, "registry-1.docker.io": { auth: { auth: "eDp5" } },
  },
}, []);

test("mirrors in order, then the registry itself; paths, credentials and TLS of each", () => assert.equal(renderHosts("docker.io", rules), `# Written by timonier before each pull.
server = "https://registry-1.docker.io"
[host."http://127.0.0.1:5000"]
capabilities = ["pull", "resolve"]
[host."https://mirror.lan/v2/docker.io"]
capabilities = ["pull", "resolve"]
override_path = true
ca = "/etc/ca.pem"
client = [["/etc/c.pem", "/etc/k.pem"]]
[host."https://mirror.lan/v2/docker.io".header]
authorization = ["Basic YW5uOnBhc3M="]
`));
test("a box asks the machine for what is on the loopback", () => {
  assert.match(renderHosts("docker.io", rules, gateway)!, /\[host\."http:\/\/10\.95\.0\.1:3333"\]\ncapabilities = .*\n\[host\."http:\/\/10\.95\.0\.1:3333"\.header\]\nx-timonier-token = \["secret"\]\nx-timonier-to = \["127\.0\.0\.1:5000"\]\n\[host\."https:\/\/mirror\.lan/);
  assert.equal(renderHosts("localhost:5000", readRegistries({}, []), gateway), `# Written by timonier before each pull.\nserver = "http://10.95.0.1:3333"\n[host."http://10.95.0.1:3333"]\ncapabilities = ["pull", "resolve"]\n[host."http://10.95.0.1:3333".header]\nx-timonier-token = ["secret"]\nx-timonier-to = ["localhost:5000"]\n`);
  assert.throws(() => renderHosts("x.lan", readRegistries({ mirrors: { "x.lan": { endpoint: ["https://localhost:5001"] } } }, []), gateway), /https:\/\/localhost:5001: this node reaches the machine's loopback over plain HTTP only/);
  assert.deepEqual(["docker.io", "127.0.0.1:5000", "quay.io"].map(name => needsGateway(name, rules)), [true, true, false]);
});
test("a registry that is its own plain mirror is asked so, and once", () => assert.equal(renderHosts("reg.lan:5000", rules), `# Written by timonier before each pull.\nserver = "http://reg.lan:5000"\n`));
test("what has no rules has those of *, or containerd's own", () => {
  assert.match(renderHosts("quay.io", rules)!, /server = "https:\/\/quay\.io"\n\[host\."https:\/\/cache\.lan"\]/);
  assert.match(renderHosts("own.lan", rules)!, /server = "https:\/\/own\.lan"\n\[host\."https:\/\/cache\.lan"\]\ncapabilities = .*\n\[host\."https:\/\/own\.lan"\]\ncapabilities = .*\nskip_verify = true\n$/);
  assert.equal(renderHosts("quay.io", readRegistries({ mirrors: { "docker.io": { endpoint: ["https://m"] } } }, [])), undefined);
});
test("credentials of a registry", () => {
  assert.deepEqual(["docker.io", "mirror.lan", "quay.io"].map(name => credentialsOf(name, rules)), [{ auth: "eDp5" }, { username: "ann", password: "pass" }, undefined]);
});
for (const [name, found] of [
  ["127.0.0.1:5000", "127.0.0.1:5000"], ["localhost:5000", "localhost:5000"], ["127.4.5.6", "127.4.5.6:80"], ["[::1]:5001", "::1:5001"],
  ["docker.io", ""], ["127.0.0.1.example.com:5000", ""], ["10.0.0.1:5000", ""], ["localhost:5000@evil", ""], ["", ""],
] as const)
  test(`registry "${name}" is ${found === "" ? "none of the loopback's" : found}`, () => {
    const registry = loopbackRegistry(name);
    assert.equal(registry ? `${registry.hostname}:${registry.port}` : "", found);
  });
for (const [reference, registry] of [["nginx", "docker.io"], ["library/nginx:1", "docker.io"], ["reg.lan/x", "reg.lan"], ["localhost/x@sha256:1", "localhost"], ["127.0.0.1:5000/x", "127.0.0.1:5000"]] as const)
  test(`${reference} is of ${registry}`, () => assert.equal(registryOf(reference), registry));
for (const [value, message] of [
  [[], /expected the mappings mirrors and configs/],
  [{ mirror: {} }, /^Error: unknown field mirror: expected mirrors\.NAME\.endpoint/],
  [{ mirrors: { "docker.io": { endpoint: "https://m" } } }, /endpoint|mirrors/],
  [{ mirrors: { "docker.io": {} } }, /mirrors\[docker\.io\]\.endpoint: Required value: a mirror without an endpoint is none/],
  [{ mirrors: { "docker.io": { endpoint: ["mirror.lan"] } } }, /mirrors\[docker\.io\]\.endpoint\[0\]: Invalid value: "mirror\.lan": must be a URL/],
  [{ mirrors: { "https://docker.io": { endpoint: ["https://m"] } } }, /mirrors: Invalid value: "https:\/\/docker\.io": must be a registry/],
  [{ mirrors: { "docker.io": { endpoint: ["https://m"], rewrite: { "^a": "b" } } } }, /rewrite: containerd cannot rewrite names/],
  [{ configs: { "a.lan": { auth: { username: "ann" } } } }, /configs\[a\.lan\]\.auth: Required value: username and password, auth, or identity_token/],
  [{ mirrors: { "docker.io": { endpoint: ["https://ann:pass@mirror.lan"] } } }, /endpoint\[0\]: Invalid value: "https:\/\/\[redacted\]@mirror\.lan": must be a URL/],
  [{ mirrors: { "docker.io": { endpoint: ["https://m.lan"] } }, configs: { "m.lan": { auth: { identity_token: "t" } } } }, /configs\[m\.lan\]\.auth: Required value: username and password, or auth: mirrors are not asked with an identity_token/],
  [{ configs: { "a.lan": { tls: { cert_file: "/c" } } } }, /configs\[a\.lan\]\.tls: Required value: cert_file and key_file belong together/],
] as const)
  test(`${JSON.stringify(value)} is refused`, () => assert.throws(() => readRegistries(value as never, []), message));
