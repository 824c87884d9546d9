import assert from "node:assert/strict";
import { test } from "node:test";
import { Deployment } from "../kinds/apps/deployment.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { HttpClient } from "./http.ts";
import type { TransportRequest } from "./transport.ts";

/** A transport that answers from a list and remembers what it was asked. */
function client(...answers: readonly (readonly [status: number, body: string])[]): { client: HttpClient; asked: TransportRequest[] } {
  const left = [...answers];
  const asked: TransportRequest[] = [];
  const next = (request: TransportRequest): readonly [number, string] => {
    asked.push(request);
    return left.shift() ?? [500, "no answer left"];
  };
  return {
    asked,
    client: new HttpClient({
      request: async request => {
        const [status, body] = next(request);
        return { status, headers: {}, body };
      },
      stream: async request => {
        const [status, body] = next(request);
        return { status, headers: {}, lines: (async function* () { yield* body.split("\n"); })() };
      },
    }, "tester"),
  };
}
const pod = { metadata: { name: "web", namespace: "d", resourceVersion: "7" } } as unknown as Pod;
const ok = [200, JSON.stringify(pod)] as const;

test("each verb is the request that upstream's clients send", async () => {
  const { client: api, asked } = client(ok, ok, ok, ok, ok, ok, ok, [201, "{}"]);
  await api.get(Pod, "d", "web");
  await api.create(Pod, { metadata: { namespace: "d", name: "web" } });
  await api.update(Pod, pod);
  await api.updateStatus(Pod, pod, { fieldManager: "me" });
  await api.patch(Deployment, "d", "web", { type: "apply", body: {}, force: true });
  await api.patch(Node, "", "n1", { type: "strategic", body: { a: 1 } }, { subresource: "status", dryRun: true });
  await api.delete(Pod, "d", "web", { gracePeriodSeconds: 0, preconditions: { uid: "u" } });
  await api.createSubresource(Pod, "d", "web", "binding", { target: { name: "n1" } });
  assert.deepEqual(asked.map(({ method, target, headers }) => `${method} ${target} ${headers["content-type"] ?? ""}`), [
    "GET /api/v1/namespaces/d/pods/web ",
    "POST /api/v1/namespaces/d/pods?fieldManager=tester application/json",
    "PUT /api/v1/namespaces/d/pods/web?fieldManager=tester application/json",
    "PUT /api/v1/namespaces/d/pods/web/status?fieldManager=me application/json",
    "PATCH /apis/apps/v1/namespaces/d/deployments/web?fieldManager=tester&force=true application/apply-patch+yaml",
    "PATCH /api/v1/nodes/n1/status?fieldManager=tester&dryRun=All application/strategic-merge-patch+json",
    "DELETE /api/v1/namespaces/d/pods/web application/json",
    "POST /api/v1/namespaces/d/pods/web/binding application/json",
  ]);
  assert.deepEqual(JSON.parse(asked[1]!.body!), { apiVersion: "v1", kind: "Pod", metadata: { namespace: "d", name: "web" } });
});

test("a list gives its items their kind, and its revision and token", async () => {
  const { client: api, asked } = client([200, JSON.stringify({ metadata: { resourceVersion: "42", continue: "next" }, items: [pod] })], [200, JSON.stringify({ metadata: { resourceVersion: "43" }, items: null })]);
  const { items, revision, continue: more } = await api.list(Pod, { fieldSelector: "spec.nodeName=n 1", limit: 1 });
  assert.deepEqual([items[0]?.kind, items[0]?.metadata.name, revision, more], ["Pod", "web", 42, "next"]);
  assert.equal(asked[0]?.target, "/api/v1/pods?fieldSelector=spec.nodeName%3Dn%201&limit=1");
  assert.deepEqual(await api.list(Pod, { namespace: "d" }), { items: [], revision: 43 });
});

test("a Status becomes an ApiError; anything else keeps its code and says what came", async () => {
  const status = { kind: "Status", status: "Failure", message: "pods \"web\" not found", reason: "NotFound", code: 404, details: { name: "web" } };
  const { client: api } = client([404, JSON.stringify(status)], [502, "<html>bad gateway</html>"]);
  await assert.rejects(api.get(Pod, "d", "web"), { name: "ApiError", reason: "NotFound", code: 404, message: "pods \"web\" not found", details: { name: "web" } });
  await assert.rejects(api.get(Pod, "d", "web"), { name: "ApiError", reason: "", code: 502, message: "the server answered 502: <html>bad gateway</html>" });
});

test("a watch gives events and bookmarks until an error event says it is too old", async () => {
  const lines = [
    { type: "ADDED", object: { ...pod, metadata: { ...pod.metadata, resourceVersion: "8" } } }, { type: "BOOKMARK", object: { metadata: { resourceVersion: "9" } } },
    { type: "ERROR", object: { kind: "Status", reason: "Expired", message: "too old resource version", code: 410 } },
  ].map(line => JSON.stringify(line)).join("\n");
  const { client: api, asked } = client([200, lines]);
  const seen: string[] = [];
  await assert.rejects(async () => {
    for await (const event of api.watch(Pod, { revision: 7, namespace: "d" }, new AbortController().signal)) seen.push(`${event.type} ${event.revision}`);
  }, { reason: "Expired", code: 410 });
  assert.deepEqual(seen, ["ADDED 8", "BOOKMARK 9"]);
  assert.equal(asked[0]?.target, "/api/v1/namespaces/d/pods?watch=true&allowWatchBookmarks=true&resourceVersion=7");
});
