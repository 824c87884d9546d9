/** What is served, told in upstream's two ways: legacy lists and aggregated v2 (apiserver pkg/endpoints/discovery). */
import { encodeBase64 } from "../base/base64.ts";
import type { Json } from "../base/json.ts";
import { sha256 } from "../base/sha256.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { noRemotes, type RemoteDocuments } from "./aggregation/aggregator.ts";
import { priorityOf } from "./aggregation/priorities.ts";
import type { RemoteVersion } from "./aggregation/remote-discovery.ts";
import type { Headers } from "./http.ts";
import { mediaTypes, one, parseAccept, wantsPretty, type Output } from "./negotiate.ts";
import type { Registry, Served } from "./registry.ts";
import { compareVersions } from "./version-order.ts";

/** A subresource whose body is of another kind than its parent. */
export type SubresourceType = { readonly group: string; readonly version: string; readonly kind: string; readonly verbs: readonly string[] };
export type DescribeSubresource = (kind: AnyKind, subresource: string) => SubresourceType;

/** `remote`: another server serves it. */
type Version = { readonly version: string; readonly served: readonly Served[]; readonly priority: number; readonly remote?: RemoteVersion };
type Group = { readonly name: string; readonly versions: readonly Version[] };

/** Custom resources list what they can in the order of upstream's own handler (apiextensions pkg/apiserver/customresource_discovery_controller.go). */
const customVerbs = ["delete", "deletecollection", "get", "list", "patch", "create", "update", "watch"];
/** Not told of those whose definition is on its way out. */
const writes = new Set(["patch", "create", "update"]);
const verbsOf = ({ kind, verbs }: Served): string[] => (kind.custom === true ? customVerbs.filter(verb => verbs.some(each => each === verb) && !(kind.terminating === true && writes.has(verb))) : [...verbs]);
const subresourcesOf = (kind: AnyKind): string[] => (kind.custom === true ? ["status", "scale"].filter(name => kind.subresources?.includes(name)) : [...(kind.subresources ?? [])].sort());
/** Where a built-in kind's group and version are those of the resource, they are left open. */
function responseKind({ kind: of, group: own, version: current }: Served, { group, version, kind }: Omit<SubresourceType, "verbs">): Json {
  return of.custom !== true && group === own && version === current ? { group: "", version: "", kind } : { group, version, kind };
}

export class Discovery {
  readonly #registry: Registry;
  readonly #describe: DescribeSubresource;
  readonly #sha512: (text: string) => Uint8Array;
  readonly #remotes: RemoteDocuments;
  readonly #cache = new Map<string, { readonly generation: string; readonly body: any; readonly text: string; readonly etag: string }>();

  constructor(registry: Registry, describe: DescribeSubresource, sha512: (text: string) => Uint8Array, remotes: RemoteDocuments = noRemotes) {
    this.#registry = registry;
    this.#remotes = remotes;
    this.#describe = describe;
    this.#sha512 = sha512;
  }

  groups(): readonly Group[] {
    const byGroup = new Map<string, Map<string, Served[]>>();
    for (const served of this.#registry.all()) {
      const versions = byGroup.get(served.group) ?? new Map<string, Served[]>();
      byGroup.set(served.group, versions.set(served.version, [...(versions.get(served.version) ?? []), served]));
    }
    const remotes = this.#remotes.versions();
    const groups = new Map<string, { priority: number; versions: Version[] }>([...byGroup].map(([name, versions]) => {
      const own = [...versions].filter(([version]) => !remotes.some(each => each.group === name && each.version === version)).map(([version, served]) => ({ version, served: [...served].sort((a, b) => (a.resource < b.resource ? -1 : 1)), priority: priorityOf(name, version).versionPriority }));
      return [name, { priority: priorityOf(name, "").groupPriorityMinimum, versions: own }];
    }));
    for (const remote of remotes) {
      const group = groups.get(remote.group) ?? { priority: 0, versions: [] };
      group.versions.push({ version: remote.version, served: [], priority: remote.versionPriority, remote });
      groups.set(remote.group, { ...group, priority: Math.max(group.priority, remote.groupPriority) });
    }
    const inOrder = (versions: readonly Version[]): readonly Version[] => [...versions].sort((a, b) => b.priority - a.priority || compareVersions(a.version, b.version));
    return [...groups].sort(([a, { priority: x }], [b, { priority: y }]) => y - x || (a < b ? -1 : 1)).map(([name, { versions }]) => ({ name, versions: inOrder(versions) }));
  }

  /** `/api` */
  legacyVersions(address: string): Json {
    return { kind: "APIVersions", versions: ["v1"], serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress: address }] };
  }
  /** `/apis` */
  legacyGroups(): Json {
    return { kind: "APIGroupList", apiVersion: "v1", groups: this.groups().filter(({ name }) => name !== "").map(groupBody) };
  }
  /** `/apis/<group>` */
  legacyGroup(name: string): Json | undefined {
    const group = this.groups().find(each => each.name === name && name !== "");
    return group === undefined ? undefined : { kind: "APIGroup", apiVersion: "v1", ...(groupBody(group) as { readonly [key: string]: Json }) };
  }
  /** `/api/v1`, `/apis/<group>/<version>` */
  legacyResources(group: string, version: string): Json | undefined {
    const found = this.groups().find(({ name }) => name === group)?.versions.find(each => each.version === version);
    if (found === undefined) return undefined;
    const resources = found.served.flatMap(served => [this.#resource(served), ...this.#subresources(served)]);
    return { kind: "APIResourceList", ...(group === "" ? {} : { apiVersion: "v1" }), groupVersion: group === "" ? version : `${group}/${version}`, resources };
  }

  /** The aggregated document of `/api` (`core`) or `/apis`, with its ETag. */
  aggregated(core: boolean): { readonly body: any; readonly text: string; readonly etag: string } {
    const key = String(core);
    const cached = this.#cache.get(key);
    const generation = `${this.#registry.generation} ${this.#remotes.generation}`;
    if (cached?.generation === generation) return cached;
    const items = this.groups().filter(({ name }) => (name === "") === core).map(group => ({
      metadata: group.name === "" ? {} : { name: group.name },
      versions: group.versions.map(({ version: each, served, remote }) => (remote === undefined
        ? { version: each, resources: served.map(one => this.#aggregatedResource(one)), freshness: "Current" }
        : { version: each, ...(remote.resources.length === 0 ? {} : { resources: remote.resources }), freshness: remote.current ? "Current" : "Stale" })),
    }));
    const body = { kind: "APIGroupDiscoveryList", apiVersion: "apidiscovery.k8s.io/v2", metadata: {}, items };
    const text = JSON.stringify(body);
    const made = { generation, body, text: `${text}\n`, etag: etagOf(this.#sha512(text)) };
    this.#cache.set(key, made);
    return made;
  }

  #resource(served: Served): Json {
    const { kind } = served;
    return {
      name: served.resource, singularName: singularOf(kind), namespaced: kind.namespaced, kind: kind.kind, verbs: verbsOf(served),
      ...(kind.shortNames === undefined ? {} : { shortNames: [...kind.shortNames] }), ...(kind.categories === undefined ? {} : { categories: [...kind.categories] }),
      ...(kind.virtual === true || !served.verbs.includes("create") || !this.#servesStored(kind) ? {} : { storageVersionHash: this.#storageHash(served) }),
    };
  }

  #subresources(served: Served): readonly Json[] {
    const { kind } = served;
    return subresourcesOf(kind).map(name => {
      const type = this.#describe(kind, name);
      return {
        name: `${served.resource}/${name}`, singularName: "", namespaced: kind.namespaced,
        ...(type.group === kind.group && type.version === kind.version ? {} : { ...(type.group === "" ? {} : { group: type.group }), version: type.version }),
        kind: type.kind, verbs: [...type.verbs],
      };
    });
  }

  #aggregatedResource(served: Served): Json {
    const { kind } = served;
    return {
      resource: served.resource, responseKind: responseKind(served, { group: served.group, version: served.version, kind: kind.kind }), scope: kind.namespaced ? "Namespaced" : "Cluster", singularResource: singularOf(kind), verbs: verbsOf(served),
      ...(kind.shortNames === undefined ? {} : { shortNames: [...kind.shortNames] }), ...(kind.categories === undefined ? {} : { categories: [...kind.categories] }),
      ...(kind.subresources === undefined || kind.subresources.length === 0 ? {} : {
        subresources: subresourcesOf(kind).map(name => {
          const type = this.#describe(kind, name);
          const own = type.kind === kind.kind && type.group === kind.group && type.version === kind.version;
          return { subresource: name, responseKind: responseKind(served, own ? { ...type, group: served.group, version: served.version } : type), verbs: [...type.verbs] };
        }),
      }),
    };
  }

  /** Tells clients whether two versions are stored alike (apiserver pkg/endpoints/discovery/storageversionhash.go): eight bytes in base64. */
  /** Whether the version that custom resources are stored in is served. */
  #servesStored({ group, plural, storedAs }: AnyKind): boolean {
    return storedAs === undefined || this.#registry.find(group, storedAs.slice(group.length + 1), plural) !== undefined;
  }
  #storageHash({ kind }: Served): string {
    return encodeBase64(sha256(new TextEncoder().encode(`${kind.group}/${kind.hashedAs ?? kind.version}/${kind.kind}`)).subarray(0, 8));
  }
}

/** Upstream's: the digest in capital hexadecimal, quoted. */
export const etagOf = (digest: Uint8Array): string => `"${Array.from(digest, byte => byte.toString(16).padStart(2, "0")).join("").toUpperCase()}"`;

const singularOf = (kind: AnyKind): string => kind.singular ?? kind.kind.toLowerCase();

function groupBody({ name, versions }: Group): Json {
  const list = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions: list, preferredVersion: list[0]! };
}

/** How the client asks for aggregated discovery, wherever it says so in its header; undefined: it does not (apiserver pkg/endpoints/discovery/aggregated). */
export function aggregatedForm(headers: Headers, query: URLSearchParams): Output | undefined {
  for (const { type, params } of parseAccept(one(headers.accept) ?? "")) {
    const offered = mediaTypes.find(each => type === each || type === "*/*" || type === "application/*");
    if (offered === undefined || params.g !== "apidiscovery.k8s.io" || params.as !== "APIGroupDiscoveryList" || params.v !== "v2" || (params.stream ?? "watch") !== "watch") continue;
    return { type: offered, pretty: params.pretty === "1" || wantsPretty(headers, query) };
  }
  return undefined;
}
