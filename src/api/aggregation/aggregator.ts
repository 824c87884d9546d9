/**
 * API groups that other servers serve: APIServices with a service behind them. Their requests are passed on with the caller's identity in
 * headers, their discovery and OpenAPI are merged into ours, and whether they can be reached is looked after (kube-aggregator).
 */
import { isApiError } from "../../base/api-error.ts";
import { must } from "../../base/assert.ts";
import { decodeBase64 } from "../../base/base64.ts";
import type { Json, JsonObject } from "../../base/json.ts";
import { parseJson } from "../../base/json-codec.ts";
import { messageOf } from "../../base/log.ts";
import type { Counter } from "../../base/metrics.ts";
import { supervise } from "../../base/supervise.ts";
import { APIService } from "../../kinds/apiregistration/apiservice.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { decode } from "../../schema/decode.ts";
import type { User } from "../context.ts";
import type { Call, Core } from "../core.ts";
import type { HttpRequest, HttpResponse } from "../http.ts";
import { prefixOf, storeKey } from "../registry.ts";
import type { RequestInfo } from "../request-info.ts";
import { sendPlain } from "../respond.ts";
import { adopt } from "../strategy.ts";
import { update } from "../write.ts";
import { choicesOf } from "../subresources/proxy.ts";
import { conditionsWith, defaultPort, failedDiscovery, judgeService, passed, type Verdict } from "./availability.ts";
import { aggregatorUser, identityHeaders, type FetchRemote, type RemoteAnswer, type RemotePlace } from "./remote.ts";
import { aggregatedAccept, fromAggregated, fromLegacy, type RemoteVersion, type Resources } from "./remote-discovery.ts";
import { nothingRead, readOpenApi, type RemoteOpenApi } from "./openapi-reader.ts";
import { remoteKinds } from "./remote-kinds.ts";

/** How often a server that answers is asked again (remote_available_controller.go's resync). */
const lookEveryMs = 30_000;
/** After a failure: doubled up to `lookEveryMs`. */
const retryFirstMs = 250;
/** Endpoints asked at once; the first good answer is enough. */
const attemptsMax = 5;
const discoveryTimeoutMs = 5_000;
const openApiTimeoutMs = 60_000;
const discoveryBytesMax = 4 * 1024 * 1024;
const openApiBytesMax = 16 * 1024 * 1024;
/** Remote groups and versions that are looked after; more are answered with 503. */
const remotesMax = 200;

/** What discovery and OpenAPI show of other servers. `generation` rises with every change of it. */
export interface RemoteDocuments {
  readonly generation: number;
  versions(): readonly RemoteVersion[];
  /** OpenAPI v2 documents, reduced to the versions' own paths. */
  openApi(): readonly JsonObject[];
  /** `apis/<group>/<version>`, `apis/<group>` → where its OpenAPI v3 is, with its hash. */
  openApiPaths(): ReadonlyMap<string, Json>;
  /** The same path → OpenAPI v3 as JSON text, made of the v2 of a server that has no other. */
  openApiConverted(): ReadonlyMap<string, string>;
}
export const noRemotes: RemoteDocuments = { generation: 0, versions: () => [], openApi: () => [], openApiPaths: () => new Map(), openApiConverted: () => new Map() };

type Remote = {
  readonly name: string;
  readonly stop: AbortController;
  object: any;
  wake: () => void;
  dirty: boolean;
  resources: Resources;
  /** What it served when it last answered. */
  known: Resources;
  current: boolean;
  openApi: RemoteOpenApi;
};
/** Under which OpenAPI v3 has it. */
const pathOf = ({ object: { spec } }: Remote): string => `apis/${spec.group ?? ""}/${spec.version}`;

const user: User = { name: "system:apiserver", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };

export class Aggregator implements RemoteDocuments {
  generation = 0;
  #kinds: readonly AnyKind[] = [];
  readonly #listeners = new Set<() => void>();
  readonly #core: Core;
  readonly #fetch: FetchRemote | undefined;
  readonly #unavailable: Counter;
  readonly #remotes = new Map<string, Remote>();
  #run: AbortSignal | undefined;

  /** `fetch` absent: other servers are never reached, requests for them are answered with 503. */
  constructor(core: Core, fetch: FetchRemote | undefined, unavailable: Counter) {
    this.#core = core;
    this.#unavailable = unavailable;
    this.#fetch = fetch;
    if (core.registry.of(APIService) === undefined) return;
    for (const object of core.reader.list("apiregistration.k8s.io", "apiservices", "")) this.#hear(object);
    core.store.watch(prefixOf(APIService), core.store.revision, ({ changes }) => {
      for (const { type, entry } of changes) {
        const object = core.objects.object(entry);
        if (type === "delete" || object.spec.service === undefined) this.#forget(object.metadata.name);
        else this.#hear(object);
      }
    });
  }

  /** Looks after the servers until `signal` aborts. */
  async run(signal: AbortSignal): Promise<void> {
    this.#run = signal;
    for (const remote of this.#remotes.values()) this.#start(remote);
    if (!signal.aborted) await new Promise<void>(resolve => signal.addEventListener("abort", () => resolve(), { once: true }));
  }

  #hear(object: any): void {
    if (object.spec.service === undefined) return;
    const { name } = object.metadata;
    const known = this.#remotes.get(name);
    if (known !== undefined) {
      const changed = JSON.stringify(known.object.spec) !== JSON.stringify(object.spec);
      known.object = object;
      if (changed) this.#touch(known);
      return;
    }
    if (this.#remotes.size >= remotesMax) return void this.#core.log.warn("too many API services of other servers; this one is not reached", { name, remotesMax });
    const remote: Remote = { name, stop: new AbortController(), object, wake: () => undefined, dirty: true, resources: [], known: [], current: false, openApi: nothingRead };
    this.#remotes.set(name, remote);
    this.#changed();
    this.#start(remote);
  }

  #forget(name: string): void {
    const remote = this.#remotes.get(name);
    if (remote === undefined) return;
    this.#remotes.delete(name);
    this.#changed();
    remote.stop.abort();
  }

  #touch(remote: Remote): void {
    remote.dirty = true;
    remote.wake();
  }

  #changed(): void {
    this.generation++;
    this.#kinds = remoteKinds([...this.#remotes.values()].map(remote => ({ ...this.#version(remote), resources: remote.known })), this.#kinds);
    for (const listener of this.#listeners) listener();
  }

  // What is served.

  /** What other servers' objects can be followed; those of a server that does not answer now included. */
  kinds(): readonly AnyKind[] {
    return this.#kinds.length === 0 ? this.#kinds : this.#kinds.filter(({ group, plural }) => this.#core.registry.resource(group, plural) === undefined);
  }
  /** `group/version` of whatever cannot be discovered now, in order. */
  undiscovered(): readonly string[] {
    return [...this.#remotes.values()].filter(({ current }) => !current).map(({ object: { spec } }) => `${spec.group ?? ""}/${spec.version}`).sort();
  }
  /** Calls back after what `kinds` and `undiscovered` say may have changed, until the returned function is called. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  find(group: string, version: string): any | undefined {
    return this.#remotes.size === 0 ? undefined : this.#remotes.get(`${version}.${group}`)?.object;
  }

  /** The answer to a request for another server's group, if it is for one. The caller was authenticated and authorized. */
  answer(request: HttpRequest, info: RequestInfo, caller: User, auditId: string): HttpResponse | undefined {
    if (this.#remotes.size === 0) return undefined;
    const [, first, group = "", version = "", ...rest] = info.path.split("/");
    if (first === "openapi" && group === "v3") return this.#openApi(request, info.path.slice("/openapi/v3/".length), caller, auditId);
    const object = first === "apis" ? this.find(group, version) : undefined;
    return object === undefined ? undefined : this.#pass(object, request, caller, auditId, rest.join("") === "" ? discoveryTimeoutMs : undefined);
  }

  #openApi(request: HttpRequest, path: string, caller: User, auditId: string): HttpResponse | undefined {
    const described = this.#describedBy(path);
    return described === undefined ? undefined : this.#pass(described.object, request, caller, auditId, undefined);
  }

  #pass(object: any, request: HttpRequest, caller: User, auditId: string, answerMs: number | undefined): HttpResponse {
    const unavailable = sendPlain(503, "service unavailable\n");
    const available = object.status?.conditions?.some(({ type, status }: any) => type === "Available" && status === "True");
    if (available !== true) return unavailable;
    const places = this.#places(object);
    if (typeof places === "string") {
      this.#core.log.warn("an API service's address is not known", { name: object.metadata.name, error: places });
      return unavailable;
    }
    return { status: 200, headers: {}, content: { type: "forward", to: {
      ...places[Math.floor(this.#core.random.next() * places.length)]!, scheme: "https", target: request.target, ...(answerMs === undefined ? {} : { answerMs }), headers: { ...identityHeaders(caller), "audit-id": auditId },
    } } };
  }

  /** Every address that may be asked, or why there is none (apiserver pkg/util/proxy/proxy.go). */
  #places({ spec: { service, caBundle, insecureSkipTLSVerify } }: any): readonly RemotePlace[] | string {
    const { name = "", namespace = "", port = defaultPort } = service;
    const found = this.#core.reader.get("", "services", namespace, name);
    if (found === undefined) return `service ${JSON.stringify(name)} not found`;
    const ca = caBundle === undefined || caBundle === "" ? {} : { ca: new TextDecoder().decode(decodeBase64(caBundle) ?? new Uint8Array()) };
    const trust = { type: "aggregated" as const, serverName: `${name}.${namespace}.svc`, insecure: insecureSkipTLSVerify === true, ...ca };
    if (found.spec.type === "ExternalName") return [{ address: found.spec.externalName, port, trust }];
    const at = (found.spec.ports ?? []).find((each: any) => each.port === port);
    if (at === undefined) return `no service port ${port} found for service ${JSON.stringify(name)}`;
    const choices = choicesOf(this.#core.reader, namespace, name, at.name ?? "");
    return choices.length === 0 ? `no endpoints available for service ${JSON.stringify(name)}` : choices.map(each => ({ ...each, trust }));
  }

  versions(): readonly RemoteVersion[] {
    return [...this.#remotes.values()].map(remote => this.#version(remote));
  }
  #version({ object: { spec }, current, resources }: Remote): RemoteVersion {
    return { group: spec.group ?? "", version: spec.version, groupPriority: spec.groupPriorityMinimum, versionPriority: spec.versionPriority, current, resources };
  }
  openApi(): readonly JsonObject[] {
    return [...this.#remotes.values()].sort((a, b) => b.object.spec.groupPriorityMinimum - a.object.spec.groupPriorityMinimum || (a.name < b.name ? -1 : 1)).flatMap(({ openApi: { v2 } }) => (v2 === undefined ? [] : [parseJson(v2).value as JsonObject]));
  }
  openApiPaths(): ReadonlyMap<string, Json> {
    return new Map([...this.#remotes.values()].flatMap((remote): [string, Json][] => Object.entries(remote.openApi.v3Places).filter(([path]) => this.#describedBy(path) === remote)));
  }
  /** Whose OpenAPI v3 a path is: the version's own server's; its group's is any of theirs. What else a server describes is not its own. */
  #describedBy(path: string): Remote | undefined {
    for (const remote of this.#remotes.values()) if (Object.hasOwn(remote.openApi.v3Places, path) && (path === pathOf(remote) || path === `apis/${remote.object.spec.group}` && !this.#core.registry.isBuiltIn(remote.object.spec.group))) return remote;
    return undefined;
  }
  openApiConverted(): ReadonlyMap<string, string> {
    return new Map([...this.#remotes.values()].flatMap((remote): [string, string][] => (remote.openApi.converted === undefined ? [] : [[pathOf(remote), remote.openApi.converted]])));
  }

  // Looking after one of them.

  #start(remote: Remote): void {
    const run = this.#run;
    if (run === undefined || run.aborted || this.#fetch === undefined) return;
    const end = (): void => remote.stop.abort();
    run.addEventListener("abort", end, { once: true });
    const { signal } = remote.stop;
    signal.addEventListener("abort", () => run.removeEventListener("abort", end), { once: true });
    const { clock, log } = this.#core;
    void supervise({ name: `API service ${remote.name}`, run: until => this.#follow(remote, until) }, { clock, maxWaitMs: lookEveryMs, log }, signal);
  }

  async #follow(remote: Remote, signal: AbortSignal): Promise<void> {
    const { clock, store, objects } = this.#core;
    const { name: service = "", namespace = "" } = remote.object.spec.service;
    const { spec } = remote.object;
    const watches = [
      store.watch(storeKey("/registry/core/services/", namespace, service), store.revision, () => this.#touch(remote)),
      store.watch(`/registry/discovery.k8s.io/endpointslices/${namespace}/`, store.revision, ({ changes }) => {
        if (changes.some(({ entry }) => objects.object(entry).metadata.labels?.["kubernetes.io/service-name"] === service)) this.#touch(remote);
      }),
    ];
    const abort = (): void => remote.wake();
    signal.addEventListener("abort", abort, { once: true });
    try {
      // Another service behind the same name: its watches are others.
      for (let failures = 0; !signal.aborted && remote.object.spec.service !== undefined && (remote.object.spec.service === spec.service || JSON.stringify(remote.object.spec.service) === JSON.stringify(spec.service));) {
        remote.dirty = false;
        failures = (await this.#look(remote, signal)) ? 0 : failures + 1;
        if (remote.dirty || signal.aborted) continue;
        const wait = failures === 0 ? lookEveryMs : Math.min(lookEveryMs, retryFirstMs * 2 ** (failures - 1));
        await new Promise<void>(resolve => {
          const stop = clock.after(wait, resolve);
          remote.wake = () => {
            stop();
            resolve();
          };
        });
      }
    } finally {
      remote.wake = () => undefined;
      for (const watch of watches) if (!("compacted" in watch)) watch.close();
      signal.removeEventListener("abort", abort);
    }
  }

  /** True when the server answered. What it says of itself is known before it is told as available. */
  async #look(remote: Remote, signal: AbortSignal): Promise<boolean> {
    const { reader } = this.#core;
    const { object } = remote;
    const { name = "", namespace = "" } = object.spec.service;
    const slices = reader.list("discovery.k8s.io", "endpointslices", namespace).filter(({ metadata }) => metadata.labels?.["kubernetes.io/service-name"] === name);
    let verdict = judgeService(object.spec.service, reader.get("", "services", namespace, name), slices);
    let place: RemotePlace | undefined;
    if (verdict === undefined) {
      const answered = await this.#probe(object);
      if (typeof answered === "string") verdict = failedDiscovery(answered);
      else place = answered;
    }
    if (signal.aborted || remote.object !== object && JSON.stringify(remote.object.spec) !== JSON.stringify(object.spec)) return true;
    if (place === undefined) {
      this.#setResources(remote, [], false);
      await this.#setCondition(remote, verdict!, signal);
      return false;
    }
    await this.#readDiscovery(remote, place);
    await this.#setCondition(remote, passed, signal);
    await this.#readOpenApi(remote, place);
    return true;
  }

  /** The first endpoint that answers, or why none does. */
  async #probe(object: any): Promise<RemotePlace | string> {
    const places = this.#places(object);
    if (typeof places === "string") return places;
    const path = `/apis/${object.spec.group ?? ""}/${object.spec.version}`;
    const asked = places.slice(0, attemptsMax).map(async (place): Promise<RemotePlace> => {
      const url = `https://${place.address.includes(":") ? `[${place.address}]` : place.address}:${place.port}${path}`;
      let status: number;
      try {
        ({ status } = await this.#get(place, path, {}, discoveryTimeoutMs, discoveryBytesMax));
      } catch (error) {
        // messageOf tells causes too: the text is upstream's as it stands.
        throw new Error(`failing or missing response from ${url}: ${messageOf(error)}`);
      }
      if (status < 200 || status >= 300) throw new Error(`failing or missing response from ${url}: bad status from ${url}: ${status}`);
      return place;
    });
    try {
      return await Promise.any(asked);
    } catch (error) {
      return messageOf((error as AggregateError).errors.at(-1));
    }
  }

  #get(at: RemotePlace, path: string, headers: { readonly [name: string]: string }, timeoutMs: number, bytesMax: number): Promise<RemoteAnswer> {
    return must(this.#fetch, "only what can be fetched is looked after")({ at, path, headers: { ...identityHeaders(aggregatorUser), ...headers }, timeoutMs, bytesMax });
  }

  async #readDiscovery(remote: Remote, place: RemotePlace): Promise<void> {
    const { group = "", version } = remote.object.spec;
    try {
      const all = await this.#get(place, "/apis", { accept: aggregatedAccept }, discoveryTimeoutMs, discoveryBytesMax);
      const isAggregated = all.status === 200 && /as=APIGroupDiscoveryList/.test(all.headers["content-type"] ?? "");
      if (isAggregated) return this.#setResources(remote, fromAggregated(parseJson(all.body).value, group, version) ?? [], true);
      const path = `/apis/${group}/${version}`;
      const one = await this.#get(place, path, { accept: "application/json" }, discoveryTimeoutMs, discoveryBytesMax);
      if (one.status !== 200) throw new Error(`failed to download legacy discovery for ${path}: ${one.status}`);
      this.#setResources(remote, fromLegacy(parseJson(one.body).value), true);
    } catch (error) {
      this.#core.log.warn("an API service's discovery could not be read", { name: remote.name, error: messageOf(error) });
      this.#setResources(remote, [], false);
    }
  }

  #setResources(remote: Remote, resources: Resources, current: boolean): void {
    if (remote.current === current && JSON.stringify(remote.resources) === JSON.stringify(resources)) return;
    remote.resources = resources;
    remote.current = current;
    if (current) remote.known = resources;
    this.#changed();
  }

  async #readOpenApi(remote: Remote, place: RemotePlace): Promise<void> {
    try {
      const read = await readOpenApi(remote.openApi, pathOf(remote), (path, headers) => this.#get(place, path, headers, openApiTimeoutMs, openApiBytesMax));
      if (read !== remote.openApi) this.generation++;
      remote.openApi = read;
    } catch (error) {
      this.#core.log.warn("an API service's OpenAPI could not be read", { name: remote.name, error: messageOf(error) });
    }
  }

  async #setCondition({ name }: Remote, verdict: Verdict, signal: AbortSignal): Promise<void> {
    const { core } = { core: this.#core };
    const stored = core.reader.get("apiregistration.k8s.io", "apiservices", "", name);
    if (stored === undefined || signal.aborted || conditionsWith(stored, verdict, core.clock.now()) === undefined) return;
    const call: Call = { served: must(core.registry.of(APIService), "API services are served"), namespace: "", name, subresource: "status", user, userAgent: "kube-apiserver", limit: { signal }, warn: () => undefined };
    try {
      await update(core, call, found => adopt(call.served, decode(call.served.node, { ...found, status: { conditions: conditionsWith(found, verdict, core.clock.now()) ?? found.status.conditions } }).object), { dryRun: false, fieldManager: "kube-apiserver", fieldValidation: "Ignore" });
      if (verdict.status === "False") this.#unavailable.add(1, name, verdict.reason);
    } catch (error) {
      // It is gone: so is what would be said of it.
      if (!isApiError(error, "NotFound")) throw error;
    }
  }
}
