/** Class H: whatever way a write takes to the store, admission has seen it. One step that remembers stands for all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { AdmissionRequest } from "../src/api/admission/admission.ts";
import { stringifyJson } from "../src/base/json-codec.ts";
import { parseYaml } from "../src/host/yaml.ts";
import { apiVersionOf, type AnyKind } from "../src/kinds/kind.ts";
import { decode } from "../src/schema/decode.ts";
import { sealEnvelope } from "../src/schema/envelope.ts";
import { encodeProtobuf } from "../src/schema/protobuf.ts";
import { composition } from "./fuzz/server.ts";
import { seedOf } from "./fuzz/seeds.ts";
import { bodyOf, startHarness } from "./transcripts/harness.ts";

type Seen = Pick<AdmissionRequest, "operation" | "subresource" | "name"> & { readonly resource: string; readonly phase: "mutate" | "validate" };

async function start() {
  const seen: Seen[] = [];
  const note = (phase: Seen["phase"]) => ({ operation, kind, subresource, name }: AdmissionRequest) => void seen.push({ phase, operation, subresource, name, resource: kind.plural });
  // The real steps would refuse some of what is sent here; that they are in the same list is what counts.
  const harness = await startHarness({ ...composition(() => 0.5), parseYaml, postJson: async () => ({ status: 500, body: "" }), admission: [{ name: "spy", mutate: note("mutate"), validate: note("validate") }] });
  const paths = new Map<string, number>();
  const problems: string[] = [];
  const send = async (method: string, path: string, body: string | Uint8Array = "", type = "application/json"): Promise<void> => {
    const [before, from] = [harness.store.revision, seen.length];
    const answer = await harness.send(method, path, { headers: { "content-type": type }, body });
    const text = String(await bodyOf(answer));
    if (answer.status >= 500) problems.push(`${method} ${path}: ${answer.status} ${text.slice(0, 300)}`);
    if (harness.store.revision === before) return;
    const [resource = "", , subresource = ""] = path.replace(/^\/(api|apis\/[^/]+)\/[^/]+\//, "").replace(/^namespaces\/[^/]+\/(?=[a-z])(?!(status|finalize)\b)/, "").split("?")[0]!.split("/");
    const way = `${method} ${subresource === "" ? "" : `/${subresource} `}${type}`.trim();
    paths.set(way, (paths.get(way) ?? 0) + 1);
    for (const phase of ["mutate", "validate"]) if (!seen.slice(from).some(each => each.phase === phase && each.resource === resource)) problems.push(`${method} ${path} wrote without ${phase}: ${JSON.stringify(seen.slice(from))}`);
  };
  return { harness, send, paths, problems };
}

test("every way of writing passes admission, for every kind", async () => {
  const { harness, send, paths, problems } = await start();
  for (const name of ["default", "other"]) await send("POST", "/api/v1/namespaces", JSON.stringify({ metadata: { name } }));
  await send("POST", "/api/v1/namespaces/default/serviceaccounts", JSON.stringify({ metadata: { name: "default" } }));
  const written = new Set<string>();
  for (const kind of harness.api.registry.kinds().filter(each => each.virtual !== true && each.kind !== "Namespace" && seedOf(each, "a") !== undefined)) {
    const before = harness.store.revision;
    await writeEveryWay(kind, send);
    if (harness.store.revision > before) written.add(kind.kind);
  }
  const pods = "/api/v1/namespaces/default/pods";
  const pod = (name: string): string => JSON.stringify({ metadata: { name }, spec: seedOf(harness.api.registry.kinds().find(each => each.kind === "Pod")!, name)!["spec"] });
  await send("POST", "/api/v1/nodes", JSON.stringify({ metadata: { name: "n" } }));
  for (const name of ["x", "y", "z"]) await send("POST", pods, pod(name));
  await send("POST", `${pods}/x/binding`, JSON.stringify({ metadata: { name: "x" }, target: { kind: "Node", name: "n" } }));
  await send("POST", "/api/v1/namespaces/default/bindings", JSON.stringify({ metadata: { name: "y" }, target: { kind: "Node", name: "n" } }));
  await send("PATCH", `${pods}/x/ephemeralcontainers`, JSON.stringify({ spec: { ephemeralContainers: [{ name: "e", image: "i" }] } }), "application/strategic-merge-patch+json");
  await send("PATCH", `${pods}/x/resize`, JSON.stringify({ spec: { containers: [{ name: "c", resources: { requests: { cpu: "200m" } } }] } }), "application/strategic-merge-patch+json");
  await send("POST", `${pods}/z/eviction`, JSON.stringify({ apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "z" } }));
  await send("PUT", "/api/v1/namespaces/other/finalize", JSON.stringify({ metadata: { name: "other" }, spec: { finalizers: ["kubernetes", "example.com/x"] } }));
  await send("PUT", "/api/v1/namespaces/other/status", JSON.stringify({ metadata: { name: "other" }, status: { phase: "Active", conditions: [{ type: "A", status: "True" }] } }));
  await send("DELETE", "/api/v1/namespaces/other");
  await harness.close();

  assert.deepEqual(problems, []);
  assert.ok(written.size >= 40, `void: only ${written.size} kinds were written: ${[...written].join(" ")}`);
  const expected = [
    ...["application/json", "application/yaml", "application/vnd.kubernetes.protobuf"].flatMap(type => [`POST ${type}`, `PUT ${type}`]),
    ...["application/json-patch+json", "application/merge-patch+json", "application/strategic-merge-patch+json", "application/apply-patch+yaml"].map(type => `PATCH ${type}`),
    "DELETE application/json", "PUT /status application/json", "PATCH /status application/merge-patch+json", "PUT /scale application/json", "PATCH /ephemeralcontainers application/strategic-merge-patch+json", "PATCH /resize application/strategic-merge-patch+json",
    "POST /binding application/json", "POST /eviction application/json",
  ];
  assert.deepEqual(expected.filter(way => !paths.has(way)), [], `void: these ways were not taken; taken were ${JSON.stringify([...paths])}`);
});

/** Creates, changes and deletes objects of a kind in every encoding and by every kind of patch. */
async function writeEveryWay(kind: AnyKind, send: (method: string, path: string, body?: string | Uint8Array, type?: string) => Promise<void>): Promise<void> {
  const root = kind.group === "" ? "/api/v1" : `/apis/${kind.group}/${kind.version}`;
  const base = `${root}${kind.namespaced ? "/namespaces/default" : ""}/${kind.plural}`;
  const object = (name: string, labels: object = {}): any => {
    const seed = seedOf(kind, name) as any;
    return { apiVersion: apiVersionOf(kind), kind: kind.kind, ...seed, metadata: { ...seed.metadata, name: seed.metadata.name, labels } };
  };
  const { name } = object("a").metadata;
  const protobuf = (given: any): Uint8Array => sealEnvelope(apiVersionOf(kind), kind.kind, encodeProtobuf(kind.schema.node, decode(kind.schema.node, given).object));
  const labels = (value: string): object => ({ metadata: { labels: { way: value } } });
  await send("POST", base, stringifyJson(object("a")));
  await send("POST", base, stringifyJson(object("b")), "application/yaml");
  if (kind.custom !== true && kind.kind !== "CustomResourceDefinition") await send("POST", base, protobuf(object("web")), "application/vnd.kubernetes.protobuf");
  await send("PUT", `${base}/${name}`, stringifyJson(object("a", { way: "json" })));
  await send("PUT", `${base}/${name}`, stringifyJson(object("a", { way: "yaml" })), "application/yaml");
  if (kind.custom !== true && kind.kind !== "CustomResourceDefinition") await send("PUT", `${base}/${name}`, protobuf(object("a", { way: "protobuf" })), "application/vnd.kubernetes.protobuf");
  await send("PATCH", `${base}/${name}`, JSON.stringify([{ op: "add", path: "/metadata/labels", value: { way: "json-patch" } }]), "application/json-patch+json");
  await send("PATCH", `${base}/${name}`, JSON.stringify(labels("merge")), "application/merge-patch+json");
  await send("PATCH", `${base}/${name}`, JSON.stringify(labels("strategic")), "application/strategic-merge-patch+json");
  await send("PATCH", `${base}/${name}?fieldManager=way&force=true`, stringifyJson({ ...object("a"), metadata: { name, labels: { way: "apply" } } }), "application/apply-patch+yaml");
  await send("PATCH", `${base}/applied?fieldManager=way`, stringifyJson({ ...object("applied"), metadata: { name: "applied" } }), "application/apply-patch+yaml");
  await send("PUT", `${base}/${name}/status`, stringifyJson({ ...object("a"), metadata: { name, labels: { way: "status" } }, status: { replicas: 1, phase: "Running", conditions: [] } }));
  await send("PATCH", `${base}/${name}/status`, JSON.stringify({ status: { replicas: 2, phase: "Pending", observedGeneration: 1 } }), "application/merge-patch+json");
  await send("PUT", `${base}/${name}/scale`, JSON.stringify({ metadata: { name, namespace: "default" }, spec: { replicas: 7 } }));
  await send("DELETE", `${base}/${name}`, JSON.stringify({ kind: "DeleteOptions", apiVersion: "v1" }));
  await send("DELETE", base);
}
