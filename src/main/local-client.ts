/** The `Client` of components that live in the server's process: the same verbs, permissions and admission, without HTTP and JSON. */
import type { ApiServer } from "../api/server.ts";
import type { Call } from "../api/core.ts";
import { remove } from "../api/delete.ts";
import { expired, notSupported, refusalOf } from "../api/errors.ts";
import type { WriteOptions as ApiWriteOptions } from "../api/options.ts";
import { patch as patchObject } from "../api/patch.ts";
import { get as getObject, list as listObjects, watchedBy } from "../api/read.ts";
import type { Served } from "../api/registry.ts";
import { selectionOf } from "../api/select.ts";
import { adopt } from "../api/strategy.ts";
import { findPosted } from "../api/subresources/index.ts";
import { post } from "../api/subresources/posted.ts";
import { eventOf } from "../api/watch-events.ts";
import { create as createObject, update as updateObject, type UpdateMode } from "../api/write.ts";
import { must } from "../base/assert.ts";
import type { Json } from "../base/json.ts";
import type { Client, DeleteOptions, ListOptions, ObjectList, Patch, WatchEvent, WatchOptions, WriteOptions } from "../client/client.ts";
import { HttpClient } from "../client/http.ts";
import { routedClient } from "../client/routed.ts";
import { apiVersionOf, type AnyKind, type New, type Resource } from "../kinds/kind.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import { ApiError } from "../base/api-error.ts";
import type { Change } from "../store/store.ts";
import { LocalTransport, type LocalTransportOptions } from "./local-transport.ts";

/** Changes a watcher may lag behind; then it must list again. */
const laggingChangesMax = 100_000;

/** A component's client for everything that is served: what is stored here without HTTP, other servers' objects through it. */
export function localClient(server: ApiServer, options: LocalTransportOptions): Client {
  const http = new HttpClient(new LocalTransport(server, options), "");
  return routedClient(new LocalClient(server, options, http), http);
}

export class LocalClient implements Client {
  readonly #server: ApiServer;
  readonly #options: LocalTransportOptions;
  readonly #signal: AbortSignal;
  readonly #http: HttpClient;

  constructor(server: ApiServer, options: LocalTransportOptions, http = new HttpClient(new LocalTransport(server, options), "")) {
    this.#server = server;
    this.#http = http;
    this.#options = options;
    this.#signal = options.signal ?? new AbortController().signal;
  }

  async get<K extends AnyKind>(kind: K, namespace: string, name: string): Promise<Resource<K>> {
    const call = await this.#call("get", kind, namespace, name);
    return (await getObject(this.#server.core, call, "")).object;
  }

  async list<K extends AnyKind>(kind: K, options: ListOptions = {}): Promise<ObjectList<Resource<K>>> {
    const { core } = this.#server;
    const call = await this.#call("list", kind, options.namespace ?? "", "", "", options.fieldSelector);
    const listed = await listObjects(core, call, {
      labelSelector: options.labelSelector ?? "", fieldSelector: options.fieldSelector ?? "", limit: options.limit ?? 0, continue: options.continue ?? "",
      resourceVersion: "", resourceVersionMatch: "", allowWatchBookmarks: false, sendInitialEvents: undefined, timeoutSeconds: undefined,
    });
    return { items: listed.entries.map(entry => core.objects.object(entry)), revision: listed.revision, ...(listed.continue === undefined ? {} : { continue: listed.continue }) };
  }

  async create<K extends AnyKind>(kind: K, object: New<K>, options: WriteOptions = {}): Promise<Resource<K>> {
    const metadata = (object as { readonly metadata?: { readonly namespace?: string } }).metadata;
    const call = await this.#call("create", kind, metadata?.namespace ?? "", "");
    const posted = findPosted(kind, "");
    if (posted !== undefined) return post(this.#server.services, call, posted, object, writing(options));
    return (await createObject(this.#server.core, call, this.#read(call, object), writing(options))).object;
  }

  async update<K extends AnyKind>(kind: K, object: Resource<K>, options: WriteOptions = {}): Promise<Resource<K>> {
    const { namespace = "", name } = object.metadata as { readonly namespace?: string; readonly name: string };
    const call = await this.#call("update", kind, namespace, name, options.subresource ?? "");
    const mode: UpdateMode = { createAbsent: kind.createOnUpdate === true && call.subresource === "", authorizeCreate: async () => void (await this.#call("create", kind, namespace, name)) };
    return (await updateObject(this.#server.core, call, () => this.#read(call, object), writing(options), mode)).object;
  }

  async updateStatus<K extends AnyKind>(kind: K, object: Resource<K>, options: WriteOptions = {}): Promise<Resource<K>> {
    return this.update(kind, object, { ...options, subresource: "status" });
  }

  async patch<K extends AnyKind>(kind: K, namespace: string, name: string, patch: Patch, options: WriteOptions = {}): Promise<Resource<K>> {
    const call = await this.#call("patch", kind, namespace, name, options.subresource ?? "");
    const given = { ...patch, duplicates: [] } as Parameters<typeof patchObject>[2];
    return (await patchObject(this.#server.core, call, given, writing(options), { authorizeCreate: async () => void (await this.#call("create", kind, namespace, name)) })).object;
  }

  async delete<K extends AnyKind>(kind: K, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const call = await this.#call("delete", kind, namespace, name);
    const { preconditions, ...rest } = options;
    await remove(this.#server.core, call, { dryRun: false, ...rest, ...preconditions });
  }

  async createSubresource(kind: AnyKind, namespace: string, name: string, subresource: string, body: Json): Promise<Json> {
    const call = await this.#call("create", kind, namespace, name, subresource);
    const posted = findPosted(kind, subresource);
    if (posted === undefined) throw notSupported(call.served, `create of ${subresource}`);
    return post(this.#server.services, call, posted, body, writing({}));
  }

  request(method: "GET" | "PUT", target: string, body?: Json): Promise<Json> {
    return this.#http.request(method, target, body);
  }

  async *watch<K extends AnyKind>(kind: K, options: WatchOptions, signal: AbortSignal): AsyncIterable<WatchEvent<Resource<K>>> {
    const { core } = this.#server;
    const call = await this.#call("watch", kind, options.namespace ?? "", "", "", options.fieldSelector);
    const selection = selectionOf(kind, options.labelSelector ?? "", options.fieldSelector ?? "");
    const waiting: Change[] = [];
    let [progress, sent, overrun, wake] = [options.revision, options.revision, false, (): void => undefined];
    const { scope, only } = watchedBy(core, call, selection);
    const watch = core.store.watch(scope, options.revision, batch => {
      if (waiting.length + batch.changes.length > laggingChangesMax) overrun = true;
      else waiting.push(...batch.changes);
      ({ progress } = batch);
      wake();
    }, only);
    if ("compacted" in watch) throw expired(`too old resource version: ${options.revision} (${watch.oldest})`);
    const abort = (): void => wake();
    signal.addEventListener("abort", abort, { once: true });
    try {
      while (!signal.aborted && !this.#signal.aborted) {
        if (overrun) throw expired("the watcher was too slow");
        const changes = waiting.splice(0);
        const upTo = progress;
        for (const change of changes) {
          const event = eventOf(core, selection, change);
          if (event === undefined) continue;
          sent = change.revision;
          yield { type: event.type as "ADDED" | "MODIFIED" | "DELETED", object: event.object, revision: change.revision };
          if (signal.aborted) return;
        }
        if (changes.length > 0 && sent < upTo) {
          sent = upTo;
          yield { type: "BOOKMARK", revision: upTo };
        }
        if (waiting.length === 0 && !overrun && !signal.aborted) await new Promise<void>(resolve => (wake = resolve));
      }
    } finally {
      watch.close();
      signal.removeEventListener("abort", abort);
    }
  }

  /** The call, if the user may make it. */
  async #call(verb: string, kind: AnyKind, namespace: string, name: string, subresource = "", fieldSelector?: string): Promise<Call> {
    const { core } = this.#server;
    const served: Served = must(core.registry.of(kind), `${kind.kind} is served`);
    const where = kind.namespaced ? namespace : "";
    const attributes = { verb, group: kind.group, version: kind.version, resource: kind.plural, subresource, namespace: where, name, path: "", resourceRequest: true, ...(fieldSelector === undefined ? {} : { fieldSelector }) };
    const decision = await core.authorizer.authorize(this.#options.user, attributes);
    if (!decision.allowed) throw refusalOf(this.#options.user, attributes, decision);
    return { served, namespace: where, name, subresource, user: this.#options.user, userAgent: this.#options.userAgent, limit: { signal: this.#signal }, warn: () => undefined };
  }

  /** A private copy of what a component hands in; it may be frozen, shared or incomplete. */
  #read({ served }: Call, object: unknown): any {
    try {
      const decoded = decode(served.node, object as Json).object;
      return adopt(served, { ...decoded, kind: served.kind.kind, apiVersion: apiVersionOf(served.kind) });
    } catch (error) {
      if (error instanceof DecodeError) throw new ApiError("BadRequest", error.message);
      throw error;
    }
  }
}

function writing({ dryRun, fieldManager }: WriteOptions): ApiWriteOptions {
  return { dryRun: dryRun ?? false, fieldManager: fieldManager ?? "", fieldValidation: "Ignore" };
}
