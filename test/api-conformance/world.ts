/** A whole control plane in memory under virtual time, asked over the real request path as an administrator's client would ask. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { authorizerChain, privileged } from "../../src/api/authz/authorizer.ts";
import { escalationCheck } from "../../src/api/authz/escalation.ts";
import { Rbac } from "../../src/api/authz/rbac.ts";
import { certificateAdmission } from "../../src/api/admission/certificates.ts";
import { resourceQuota } from "../../src/api/admission/resource-quota.ts";
import { serviceAccountAdmission } from "../../src/api/admission/service-account.ts";
import { bootstrapSystem } from "../../src/api/bootstrap/system.ts";
import type { HttpRequest, HttpResponse } from "../../src/api/http.ts";
import { ApiServer } from "../../src/api/server.ts";
import { decodeBase64 } from "../../src/base/base64.ts";
import { silent } from "../../src/base/log.ts";
import { runControllers } from "../../src/controllers/index.ts";
import { parseCertificateRequest } from "../../src/host/pki-csr.ts";
import { celHost, compilePattern } from "../../src/host/regex.ts";
import { parseYaml } from "../../src/host/yaml.ts";
import { kinds } from "../../src/kinds/index.ts";
import { kindsOf } from "../../src/main/kind-source.ts";
import { LocalClient } from "../../src/main/local-client.ts";
import { MemoryEngine } from "../../src/store/memory.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { VirtualClock } from "../sim/clock.ts";
import { SeededRandom } from "../sim/random.ts";
import { bodyOf } from "../transcripts/harness.ts";

export type Any = any;
export type Asked = { readonly body?: unknown; readonly type?: string; readonly user?: string; readonly headers?: { readonly [name: string]: string } };
export type Answered = { readonly status: number; readonly body: Any; readonly text: string; readonly headers: HttpResponse["headers"] };
export type Watching = { /** Types and names so far, such as `ADDED a`. */ readonly seen: () => readonly string[]; readonly events: () => readonly Any[]; close(): Promise<void> };

const admin = { name: "admin", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };

export class World {
  readonly clock = new VirtualClock();
  readonly #stop = new AbortController();
  #api!: ApiServer;
  #store!: RevisionedStore;
  #names = 0;

  static async start(): Promise<World> {
    const world = new World();
    await world.#start();
    return world;
  }

  async #start(): Promise<void> {
    const { clock } = this;
    const random = new SeededRandom(1);
    const failed = (error: Error): void => { throw error; };
    this.#store = await RevisionedStore.open(new MemoryEngine(), { clock, log: silent, onFailure: failed });
    const rbac = new Rbac();
    rbac.follow(this.#store);
    this.#api = new ApiServer({
      store: this.#store, kinds, clock, random, log: silent, fatal: failed, freeze: true, parseYaml, compilePattern,
      authenticator: () => ({
        authenticate: async ({ headers }) => {
          const name = String(headers["x-test-user"] ?? "admin");
          const [, namespace] = /^system:serviceaccount:([^:]+):/.exec(name) ?? [];
          return name === "admin" ? admin : { name, uid: "", groups: [...(namespace === undefined ? [] : ["system:serviceaccounts", `system:serviceaccounts:${namespace}`]), "system:authenticated"], extra: {} };
        },
        reviewToken: async () => ({ authenticated: false }),
      }),
      authorizer: () => authorizerChain(privileged, rbac),
      admission: [serviceAccountAdmission({ clock, random }), ...certificateAdmission({ authorizer: authorizerChain(privileged, rbac), decode: decodeBase64, read: bytes => parseCertificateRequest(Buffer.from(bytes).toString("latin1")) }), escalationCheck(rbac, authorizerChain(privileged, rbac)), resourceQuota()],
      loadCel: async () => (await import("../../src/api/cel-library.ts")).celWith(celHost),
      sha512: text => createHash("sha512").update(text).digest(),
      build: { gitVersion: "v1.36.0+timonier", gitCommit: "", buildDate: "2026-01-01T00:00:00Z", platform: "linux/amd64", runtime: "node" }, address: "10.0.0.1:6443",
    });
    void this.#api.run(this.#stop.signal);
    await this.#pass(bootstrapSystem(this.#api.core, { address: "10.0.0.1", port: 6443, serviceAddress: "10.96.0.1", clientCa: "a", frontProxyCa: "b", frontProxyNames: [] }));
    const client = new LocalClient(this.#api, { user: admin, userAgent: "kube-controller-manager", signal: this.#stop.signal });
    void runControllers({ client, clock, random, log: silent, kinds: kindsOf(this.#api), settings: { rootCA: "-----BEGIN CERTIFICATE-----\nsimulated\n" } }, this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#pass(Promise.resolve());
    await this.#store.close();
  }

  get store(): RevisionedStore { return this.#store; }
  /** A name that nobody had. */
  name(prefix: string): string { return `${prefix}-${++this.#names}`; }

  async #pass<T>(promise: Promise<T>): Promise<T> {
    let done = false;
    const settled = promise.finally(() => (done = true));
    settled.catch(() => undefined);
    await this.clock.until(() => done, 600_000, "the answer");
    return settled;
  }

  async #send(method: string, target: string, { body, type = "application/json", user, headers = {} }: Asked, signal: AbortSignal): Promise<HttpResponse> {
    const bytes = body instanceof Uint8Array ? body : new TextEncoder().encode(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body));
    const request: HttpRequest = { method, target, headers: { "user-agent": "e2e.test", ...(body === undefined ? {} : { "content-type": type }), ...headers, ...(user === undefined ? {} : { "x-test-user": user }) }, body: async () => bytes, peer: { address: "127.0.0.1" }, upgrade: false, signal };
    return this.#pass(this.#api.handle(request));
  }

  async ask(method: string, target: string, asked: Asked = {}): Promise<Answered> {
    const response = await this.#send(method, target, asked, new AbortController().signal);
    const content = await bodyOf(response);
    const text = typeof content === "string" ? content : new TextDecoder().decode(content);
    return { status: response.status, text, body: /^\s*[[{]/.test(text) ? JSON.parse(text) : undefined, headers: response.headers };
  }

  async #expect(status: number, method: string, target: string, asked: Asked): Promise<Any> {
    const answer = await this.ask(method, target, asked);
    assert.equal(answer.status, status, `${method} ${target}: ${answer.text.slice(0, 600)}`);
    return answer.body;
  }
  get(target: string): Promise<Any> { return this.#expect(200, "GET", target, {}); }
  create(target: string, body: unknown): Promise<Any> { return this.#expect(201, "POST", target, { body }); }
  update(target: string, body: unknown): Promise<Any> { return this.#expect(200, "PUT", target, { body }); }
  merge(target: string, body: unknown): Promise<Any> { return this.#expect(200, "PATCH", target, { body, type: "application/merge-patch+json" }); }
  strategic(target: string, body: unknown): Promise<Any> { return this.#expect(200, "PATCH", target, { body, type: "application/strategic-merge-patch+json" }); }
  delete(target: string): Promise<Any> { return this.#expect(200, "DELETE", target, {}); }
  async refused(status: number, method: string, target: string, asked: Asked = {}): Promise<string> {
    return String((await this.#expect(status, method, target, asked))?.message ?? "");
  }

  /** Lets time pass until `goal` holds for what the target shows. `undefined`: it is not there. */
  async eventually(target: string, goal: (object: Any) => boolean, what: string): Promise<Any> {
    for (let i = 0; i < 300; i++) {
      const { status, body } = await this.ask("GET", target);
      const object = status === 404 ? undefined : body;
      if (goal(object)) return object;
      await this.clock.pass(200);
    }
    assert.fail(`${target}: ${what} within a minute; it is ${JSON.stringify((await this.ask("GET", target)).body).slice(0, 800)}`);
  }

  /** A namespace of its own, ready for use. */
  async namespace(prefix: string): Promise<string> {
    const name = this.name(prefix);
    await this.create("/api/v1/namespaces", { metadata: { name } });
    await this.eventually(`/api/v1/namespaces/${name}/serviceaccounts/default`, object => object !== undefined, "its default account appears");
    return name;
  }

  async watch(target: string): Promise<Watching> {
    const stop = new AbortController();
    const response = await this.#send("GET", `${target}${target.includes("?") ? "&" : "?"}watch=1`, {}, stop.signal);
    assert.equal(response.status, 200, target);
    let text = "";
    const sink = { buffered: 0, drop() {}, write: (chunk: string | Uint8Array) => void (text += typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)) };
    const running = response.content.type === "stream" ? response.content.run(sink, stop.signal) : assert.fail("a watch is a stream");
    const events = (): readonly Any[] => text.split("\n").filter(line => line !== "").map(line => JSON.parse(line)).filter(({ type }) => type !== "BOOKMARK");
    return { events, seen: () => events().map(({ type, object }) => `${type} ${object.metadata?.name ?? object.message}`), close: async () => { stop.abort(); await this.#pass(running); } };
  }
}

export type Operations = {
  /** Group and version as in a path: `apis/apps/v1` or `api/v1`. */
  readonly at: string;
  readonly resource: string;
  readonly kind: string;
  readonly namespaced: boolean;
  /** An object without its name and namespace. */
  readonly object: (name: string, namespace: string) => Any;
  /** A change of the spec by PUT, and how it then shows. */
  readonly change?: (object: Any) => Any;
  readonly changed?: (object: Any) => unknown;
  /** What is put in `status` by PUT; PATCH adds an annotation through it. */
  readonly status?: (object: Any) => Any;
  readonly subresources?: readonly string[];
  /** Deletion leaves it, marked, until a controller takes its finalizers off. */
  readonly lingers?: boolean;
};

/** What upstream's "should support … API operations" do: discovery at each level, then every verb, with a watch that sees it all. */
export async function operations(world: World, { at, resource, kind, namespaced, object, change, changed, status, subresources = [], lingers = false }: Operations): Promise<void> {
  const [, group = "", version = ""] = /^apis\/([^/]+)\/([^/]+)$/.exec(at) ?? ["", "", "v1"];
  if (group !== "") {
    const groups = await world.get("/apis");
    assert.ok(groups.groups.some((each: Any) => each.name === group && each.versions.some((other: Any) => other.version === version)), `${group}/${version} is among the groups`);
    assert.ok((await world.get(`/apis/${group}`)).versions.some((each: Any) => each.version === version));
  }
  const resources: readonly Any[] = (await world.get(`/${at}`)).resources;
  assert.ok(resources.some(each => each.name === resource && each.kind === kind && each.namespaced === namespaced), `${resource} is discovered`);
  for (const each of [...subresources, ...(status === undefined ? [] : ["status"])]) assert.ok(resources.some(({ name }) => name === `${resource}/${each}`), `${resource}/${each} is discovered`);

  const namespace = namespaced ? await world.namespace("ops") : "";
  const collection = namespaced ? `/${at}/namespaces/${namespace}/${resource}` : `/${at}/${resource}`;
  const label = world.name("special");
  const made = async (): Promise<Any> => {
    const name = world.name("e2e");
    const { metadata = {}, ...rest } = object(name, namespace);
    return world.create(collection, { ...rest, metadata: { name, ...metadata, labels: { ...metadata.labels, e2e: label } } });
  };
  const first = await made();
  const { name } = first.metadata;
  const selected = `${collection}?labelSelector=e2e%3D${label}`;
  await made();
  await made();
  const one = `${collection}/${name}`;
  assert.equal((await world.get(one)).metadata.uid, first.metadata.uid);
  assert.equal((await world.get(selected)).items.length, 3);
  if (namespaced) assert.equal((await world.get(`/${at}/${resource}?labelSelector=e2e%3D${label}`)).items.length, 3, "in all namespaces");
  const watching = await world.watch(`${selected}&resourceVersion=${(await world.get(selected)).metadata.resourceVersion}`);

  const patched = await world.merge(one, { metadata: { annotations: { patched: "true" } } });
  assert.equal(patched.metadata.annotations.patched, "true");
  const current = await world.get(one);
  const next = { ...(change?.(current) ?? current), metadata: { ...current.metadata, annotations: { ...current.metadata.annotations, updated: "true" } } };
  const updated = await world.update(one, next);
  assert.equal(updated.metadata.annotations.updated, "true");
  if (changed !== undefined) assert.deepEqual(changed(updated), changed(next));
  assert.deepEqual(watching.seen().slice(0, 2), [`MODIFIED ${name}`, `MODIFIED ${name}`]);
  if (status !== undefined) {
    assert.equal((await world.get(`${one}/status`)).metadata.name, name);
    const stored = await world.get(one);
    const wanted = status(stored);
    const shown = await world.update(`${one}/status`, { ...stored, status: wanted });
    for (const [field, value] of Object.entries(wanted)) assert.deepEqual(shown.status[field], value, `status.${field}`);
    assert.deepEqual(shown.spec, stored.spec, "a write of the status leaves the spec");
    const annotated = await world.merge(`${one}/status`, { metadata: { annotations: { patchedstatus: "true" } }, status: wanted });
    // Of some kinds a write of the status leaves the metadata, too.
    for (const [field, value] of Object.entries(wanted)) assert.deepEqual(annotated.status[field], value, `status.${field}`);
  }
  await world.delete(one);
  if (lingers) await world.eventually(one, each => each === undefined || each.metadata.deletionTimestamp !== undefined, "it is marked");
  else assert.equal((await world.ask("GET", one)).status, 404);
  await world.delete(selected);
  await world.eventually(selected, ({ items }) => items.length === 0 || (lingers && items.every(({ metadata }: Any) => metadata.deletionTimestamp !== undefined)), "the collection is deleted");
  if (!lingers) assert.deepEqual(watching.seen().filter(text => text.startsWith("DELETED")).length, 3);
  await watching.close();
}
