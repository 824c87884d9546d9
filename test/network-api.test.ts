/** Upstream's "should support … API operations" for the network kinds: discovery at each level, and every verb, seen through a watch. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bodyOf, Collector, settle, startHarness, type Harness } from "./transcripts/harness.ts";

let harness: Harness;
before(async () => {
  harness = await startHarness();
  for (const name of ["default", "other"]) await call("POST", "/api/v1/namespaces", { metadata: { name } });
});
after(() => harness.close());

async function call(method: string, path: string, body?: object, type = "application/json"): Promise<any> {
  const answer = await harness.send(method, path, body === undefined ? {} : { headers: { "content-type": type }, body: JSON.stringify(body) });
  const text = String(await bodyOf(answer));
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}
const merge = "application/merge-patch+json";

type Case = { readonly title: string; readonly group: string; readonly plural: string; readonly kind: string; readonly namespaced: boolean; readonly spec: (i: number) => object; readonly change: object; readonly status?: object };
const pathBackend = { http: { paths: [{ path: "/", pathType: "Prefix", backend: { service: { name: "web", port: { number: 80 } } } }] } };
const cases: readonly Case[] = [
  { title: "EndpointSlice", group: "discovery.k8s.io", plural: "endpointslices", kind: "EndpointSlice", namespaced: true, spec: i => ({ addressType: "IPv4", endpoints: [{ addresses: [`10.0.0.${i + 1}`] }] }), change: { ports: [{ name: "http", port: 80 }] } },
  { title: "Endpoints", group: "", plural: "endpoints", kind: "Endpoints", namespaced: true, spec: i => ({ subsets: [{ addresses: [{ ip: `10.0.0.${i + 1}` }], ports: [{ name: "http", port: 80 }] }] }), change: { subsets: [{ addresses: [{ ip: "10.0.0.9" }], ports: [{ name: "http", port: 8080 }] }] } },
  { title: "Ingress", group: "networking.k8s.io", plural: "ingresses", kind: "Ingress", namespaced: true, spec: () => ({ spec: { rules: [{ host: "a.example", ...pathBackend }] } }), change: { spec: { ingressClassName: "timonier" } }, status: { loadBalancer: { ingress: [{ ip: "192.0.2.1" }] } } },
  { title: "IngressClass", group: "networking.k8s.io", plural: "ingressclasses", kind: "IngressClass", namespaced: false, spec: () => ({ spec: { controller: "example.com/controller" } }), change: { metadata: { annotations: { changed: "yes" } } } },
  { title: "NetworkPolicy", group: "networking.k8s.io", plural: "networkpolicies", kind: "NetworkPolicy", namespaced: true, spec: () => ({ spec: { podSelector: {} } }), change: { spec: { ingress: [{}] } } },
  { title: "ServiceCIDR", group: "networking.k8s.io", plural: "servicecidrs", kind: "ServiceCIDR", namespaced: false, spec: i => ({ spec: { cidrs: [`10.19${i}.0.0/24`] } }), change: { metadata: { annotations: { changed: "yes" } } }, status: { conditions: [{ type: "Example", status: "True", reason: "Test", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }] } },
  { title: "IPAddress", group: "networking.k8s.io", plural: "ipaddresses", kind: "IPAddress", namespaced: false, spec: () => ({ spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "web" } } }), change: { metadata: { annotations: { changed: "yes" } } } },
  { title: "Service", group: "", plural: "services", kind: "Service", namespaced: true, spec: () => ({ spec: { ports: [{ name: "http", port: 80 }] } }), change: { spec: { selector: { app: "web" } } }, status: { loadBalancer: {}, conditions: [{ type: "Example", status: "True", reason: "Test", message: "", lastTransitionTime: "2026-01-01T00:00:00Z" }] } },
];
for (const { title, group, plural, kind, namespaced, spec, change, status } of cases)
  test(`${title} supports every operation of the API`, async () => {
    const version = "v1";
    const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    if (group !== "") {
      assert.ok((await call("GET", "/apis")).groups.some((each: any) => each.name === group && each.versions.some((has: any) => has.version === version)));
      assert.ok((await call("GET", `/apis/${group}`)).versions.some((has: any) => has.version === version));
    }
    const resources = (await call("GET", root)).resources.map((each: any) => each.name);
    assert.ok(resources.includes(plural) && (status === undefined || resources.includes(`${plural}/status`)));

    const folder = namespaced ? `${root}/namespaces/default/${plural}` : `${root}/${plural}`;
    const name = (i: number): string => (kind === "IPAddress" ? `10.200.0.${i + 1}` : `api-${i}`);
    const object = (i: number): object => ({ apiVersion: group === "" ? version : `${group}/${version}`, kind, metadata: { name: name(i), labels: { special: "yes" } }, ...spec(i) });
    const life = new AbortController();
    const watch = await harness.send("GET", `${root}/${plural}?watch=true&labelSelector=special%3Dyes`, { signal: life.signal });
    const seen = new Collector();
    if (watch.content.type === "stream") void watch.content.run(seen, life.signal);
    const events = async (): Promise<string> => {
      await settle();
      return seen.take().join("").split("\n").filter(Boolean).map(line => JSON.parse(line)).filter(({ type }) => type !== "BOOKMARK").map(({ type, object: { metadata } }) => `${type} ${metadata.name}`).join(" ");
    };
    for (const i of [0, 1, 2]) assert.match((await call("POST", folder, object(i))).metadata.uid, /./);
    assert.equal(await events(), `ADDED ${name(0)} ADDED ${name(1)} ADDED ${name(2)}`);
    assert.equal((await call("GET", `${folder}/${name(0)}`)).metadata.name, name(0));
    const listed = async (path: string): Promise<number> => (await call("GET", `${path}?labelSelector=special%3Dyes`)).items.length;
    assert.equal(await listed(folder), 3);
    assert.equal(await listed(`${root}/${plural}`), 3, "over all namespaces");
    if (namespaced) assert.equal(await listed(`${root}/namespaces/other/${plural}`), 0);

    const patched = await call("PATCH", `${folder}/${name(0)}`, { ...change, metadata: { annotations: { ...("metadata" in change ? (change.metadata as any).annotations : {}), patched: "yes" } } }, merge);
    assert.equal(patched.metadata.annotations.patched, "yes");
    const updated = await call("PUT", `${folder}/${name(0)}`, { ...patched, metadata: { ...patched.metadata, annotations: { ...patched.metadata.annotations, updated: "yes" } } });
    assert.equal(updated.metadata.annotations.updated, "yes");
    assert.equal(await events(), `MODIFIED ${name(0)} MODIFIED ${name(0)}`);
    if (status !== undefined) {
      const shown = await call("PATCH", `${folder}/${name(0)}/status`, { metadata: { annotations: { patchedstatus: "yes" } }, status }, merge);
      // A write of a ServiceCIDR's status leaves its metadata.
      const note = kind === "ServiceCIDR" ? undefined : "yes";
      assert.equal(shown.metadata.annotations.patchedstatus, note);
      assert.deepEqual((await call("GET", `${folder}/${name(0)}/status`)).status, shown.status);
      const [field = ""] = Object.keys(status);
      const written = await call("PUT", `${folder}/${name(0)}/status`, { ...shown, metadata: { ...shown.metadata, annotations: { ...shown.metadata.annotations, updatedstatus: "yes" } } });
      assert.deepEqual([written.status[field], written.metadata.annotations.updatedstatus], [shown.status[field], note]);
      assert.match(await events(), note === undefined ? /^MODIFIED / : /^MODIFIED .* MODIFIED /);
    }
    await call("DELETE", `${folder}/${name(0)}`);
    assert.equal(await events(), `DELETED ${name(0)}`);
    await call("DELETE", `${folder}?labelSelector=special%3Dyes`);
    assert.equal(await events(), `DELETED ${name(1)} DELETED ${name(2)}`);
    assert.equal(await listed(folder), 0);
    life.abort();
  });
