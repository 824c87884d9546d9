import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { testAuthority } from "../certificates.ts";
import { Scratch, type Running } from "./harness.ts";

const scratch = new Scratch();
after(async () => {
  scratch.timonier("delete", "--name", "other");
  await scratch.close();
});

const names = ["api.other.svc"];
const authority = testAuthority("other-ca");
const caBundle = Buffer.from(authority.ca).toString("base64");
/** An address that a service may lead to: not loopback. */
const address = Object.values(networkInterfaces()).flatMap(each => each ?? []).find(each => each.family === "IPv4" && !each.internal && !each.address.startsWith("169.254."))?.address ?? "";

async function startOther(): Promise<{ readonly running: Running; readonly port: number }> {
  const frontProxyCa = JSON.parse(scratch.k("get configmap extension-apiserver-authentication -n kube-system -o json")).data["requestheader-client-ca-file"];
  const settings = join(scratch.folder, "other.json");
  writeFileSync(settings, JSON.stringify({ address, frontProxyCa, ...authority.leaf("other", "server", [], names) }));
  const running = scratch.start(process.execPath, [new URL("other-server.ts", import.meta.url).pathname, settings]);
  return { running, port: await scratch.until("the other server listens", () => Number(/port ([0-9]+)\n/.exec(running.out)?.[1]) || undefined) };
}

const apply = (...objects: readonly object[]): string => scratch.k("apply -f -", JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));
const condition = (): string => {
  const { status } = JSON.parse(scratch.k("get apiservice v1.other.example.com -o json"));
  return (status?.conditions ?? []).map(({ status: holds, reason }: { status: string; reason: string }) => `${holds} ${reason}`).join();
};

test("another API server and a conversion webhook behind a service: discovered, asked, watched, lost", async () => {
  const { code, err } = scratch.timonier("up", "--name", "other", "--runtime", "simulated", "--port", "17983", "--node-port", "17990");
  assert.equal(code, 0, err);
  const { running, port } = await startOther();
  apply(
    { apiVersion: "v1", kind: "Namespace", metadata: { name: "other" } },
    { apiVersion: "v1", kind: "Service", metadata: { name: "api", namespace: "other" }, spec: { ports: [{ port: 443, targetPort: port }] } },
    { apiVersion: "discovery.k8s.io/v1", kind: "EndpointSlice", metadata: { name: "api-1", namespace: "other", labels: { "kubernetes.io/service-name": "api" } }, addressType: "IPv4", ports: [{ name: "", port }], endpoints: [{ addresses: [address] }] },
    { apiVersion: "apiregistration.k8s.io/v1", kind: "APIService", metadata: { name: "v1.other.example.com" }, spec: { group: "other.example.com", version: "v1", groupPriorityMinimum: 1000, versionPriority: 15, caBundle, service: { name: "api", namespace: "other" } } },
  );
  await scratch.until("the other server is available", () => condition() === "True Passed");

  assert.match(scratch.k("api-resources --api-group=other.example.com"), /things +th +other\.example\.com\/v1 +true +Thing/);
  assert.match(scratch.k("get things"), /one/);
  scratch.k("create clusterrole things --verb=list --resource=things.other.example.com");
  scratch.k("create clusterrolebinding things --clusterrole=things --user=bob");
  assert.match(scratch.kubectl("get", "things", "--as=eve").err, /User "eve" cannot list resource "things" in API group "other.example.com"/);
  scratch.k("get things --as=bob");
  // kubectl held this process: what the server said arrives now.
  await scratch.until("what the other server was asked", () => running.out.includes("for bob"));
  assert.match(running.out, /^front-proxy-client for bob \[system:authenticated\]: GET \/apis\/other\.example\.com\/v1\/namespaces\/default\/things\?limit=500$/m);
  assert.doesNotMatch(running.out, /for eve/);
  const watching = scratch.startKubectl("get --raw /apis/other.example.com/v1/namespaces/default/things?watch=1");
  await scratch.until("events of the other server", () => watching.out.includes("DELETED"));
  await watching.end();

  // What is stored there goes with its owner here, the other way round, and with its namespace.
  const uidOf = (what: string): string => scratch.k(`get ${what} -o jsonpath={.metadata.uid}`);
  const owned = (kind: string, uid: string, name: string, more: object) => ({ metadata: { name, ownerReferences: [{ apiVersion: kind === "Thing" ? "other.example.com/v1" : "v1", kind, name: "owner", uid }] }, ...more });
  const makeThing = (name: string, namespace = "default", kind = "", uid = ""): void => void scratch.k(`create -n ${namespace} -f -`, JSON.stringify({ ...(kind === "" ? { metadata: { name } } : owned(kind, uid, name, {})), apiVersion: "other.example.com/v1", kind: "Thing" }));
  scratch.k("create configmap owner");
  makeThing("dependent", "default", "ConfigMap", uidOf("configmap owner"));
  scratch.k("delete configmap owner");
  await scratch.until("the thing that a ConfigMap owned", () => !scratch.k("get things").includes("dependent"));
  makeThing("owner");
  apply(owned("Thing", uidOf("things owner"), "dependent", { apiVersion: "v1", kind: "ConfigMap" }));
  scratch.k("delete things owner");
  scratch.k("wait --for=delete configmap/dependent --timeout=60s");
  scratch.k("create namespace shop");
  makeThing("inside", "shop");
  scratch.k("delete namespace shop");
  await scratch.until("who emptied the namespace", () => /for system:serviceaccount:kube-system:namespace-controller .*: DELETE \/apis\/other\.example\.com\/v1\/namespaces\/shop\/things\/inside$/m.test(running.out));

  const version = (name: string, storage: boolean, properties: object) => ({ name, served: true, storage, schema: { openAPIV3Schema: { type: "object", properties: { spec: { type: "object", properties } } } } });
  const text = { type: "string" };
  apply({ apiVersion: "apiextensions.k8s.io/v1", kind: "CustomResourceDefinition", metadata: { name: "hosts.example.org" }, spec: {
    group: "example.org", scope: "Namespaced", names: { plural: "hosts", kind: "Host" }, versions: [version("v1", true, { hostPort: text }), version("v2", false, { host: text, port: text })],
    conversion: { strategy: "Webhook", webhook: { conversionReviewVersions: ["v1"], clientConfig: { caBundle, service: { name: "api", namespace: "other", path: "/convert" } } } },
  } });
  scratch.k("wait --for=condition=Established crd/hosts.example.org");
  apply({ apiVersion: "example.org/v1", kind: "Host", metadata: { name: "a", namespace: "default" }, spec: { hostPort: "x:1" } });
  assert.equal(scratch.k("get hosts.v2.example.org a -o jsonpath={.spec.host}"), "x");
  scratch.k(`patch hosts.v2.example.org a --type=merge -p '{"spec":{"port":"2"}}'`);
  assert.equal(scratch.k("get hosts.v1.example.org a -o jsonpath={.spec.hostPort}"), "x:2");

  scratch.k("create namespace held");
  await running.end();
  // Nothing tells of a server that is gone but asking it: touching its slice asks at once.
  scratch.k("annotate endpointslice -n other api-1 touched=yes");
  await scratch.until("the other server is missed", () => condition() === "False FailedDiscoveryCheck");
  assert.match(scratch.kubectl("get", "--raw", "/apis/other.example.com/v1").err, /the server is currently unable to handle the request/);
  scratch.k("delete namespace held --wait=false");
  await scratch.until("what holds the namespace", () => scratch.k(`get namespace held -o jsonpath={.status.conditions[?(@.type=="NamespaceDeletionDiscoveryFailure")].message}`).endsWith("other.example.com/v1: stale GroupVersion discovery: other.example.com/v1"));
  scratch.k("delete apiservice v1.other.example.com");
  scratch.k("wait --for=delete namespace/held --timeout=90s");
  assert.match(scratch.kubectl("get", "hosts.v2.example.org").err, /conversion webhook for example\.org\/v1, Kind=Host failed: Post "https:\/\/api\.other\.svc:443\/convert\?timeout=30s": .*(refused|ECONNREFUSED)/);
});
