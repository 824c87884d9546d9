/** OpenAPI v2 and v3 of everything that is served, made when first asked for (kube-openapi handler, handler3). */
import { stringifyJson } from "../base/json-codec.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { openapiV2 } from "../kinds/openapi/v2.ts";
import { openapiV3, openapiV3Paths } from "../kinds/openapi/v3.ts";
import { openapiProtobuf } from "../schema/openapi-protobuf.ts";
import { noRemotes, type RemoteDocuments } from "./aggregation/aggregator.ts";
import { mergeDocuments } from "./aggregation/remote-openapi.ts";
import { etagOf } from "./discovery.ts";
import { ApiError } from "../base/api-error.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { one, parseAccept } from "./negotiate.ts";
import type { Registry } from "./registry.ts";

const json = "application/json";
const v2Protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

type Document = { readonly body: string | Uint8Array; readonly etag: string };

export class OpenApi {
  readonly #registry: Registry;
  readonly #sha512: (text: string) => Uint8Array;
  readonly #remotes: RemoteDocuments;
  #generation = "";
  #documents = new Map<string, Document>();
  #paths: readonly string[] = [];
  readonly #version: string;

  /** `version` stands for the built-in kinds, which change only with it. */
  constructor(registry: Registry, sha512: (text: string) => Uint8Array, version: string, remotes: RemoteDocuments = noRemotes) {
    this.#registry = registry;
    this.#remotes = remotes;
    this.#sha512 = sha512;
    this.#version = version;
  }

  /** `/openapi/v2` */
  v2(request: HttpRequest): HttpResponse {
    const type = typeOf(request);
    const document = this.#document(`v2 ${type}`, () => (type === json ? stringifyJson(this.#merged()) : openapiProtobuf(this.#merged())));
    return send(request, document, type, {});
  }

  /** `/openapi/v3`: where each group and version's document is, by its hash. */
  v3Index(): Json {
    const own = this.#v3Paths().map((path): readonly [string, Json] => [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#v3Hash(path)}` }]);
    const others = this.#remotes.openApiPaths();
    return { paths: Object.fromEntries(others.size === 0 ? own : [...own, ...others].sort(([a], [b]) => (a < b ? -1 : 1))) };
  }

  /** `/openapi/v3/<path>`; `undefined` for a path that has none. */
  v3(request: HttpRequest, path: string, query: URLSearchParams): HttpResponse | undefined {
    if (!this.#v3Paths().includes(path)) return undefined;
    const hash = query.get("hash") ?? "";
    const current = this.#v3Hash(path);
    if (hash !== "" && hash !== current) return { status: 301, headers: { location: `/openapi/v3/${path}?hash=${current}` }, content: { type: "text", text: "" } };
    return send(request, this.#v3Document(path), json, hash === "" ? {} : { "cache-control": "public, immutable", expires: "Thu, 31 Dec 2099 23:59:59 GMT" });
  }

  #merged(): JsonObject {
    const others = this.#remotes.openApi();
    const ours = openapiV2(this.#kinds());
    return others.length === 0 ? ours : mergeDocuments(ours, others);
  }
  #kinds(): readonly AnyKind[] {
    return this.#registry.kinds();
  }
  #v3Document(path: string): Document {
    return this.#document(`v3 ${path}`, () => stringifyJson(openapiV3(this.#kinds(), path)));
  }
  /** Told without making the documents: all of them at once would hold up everybody else for half a second. */
  #v3Hash(path: string): string {
    const custom = this.#kinds().filter(kind => kind.custom === true && path.startsWith(`apis/${kind.group}`));
    const described = custom.map(kind => [kind, ...(kind.alsoServed ?? [])].map(({ schema }) => stringifyJson([kind.plural, kind.kind, kind.namespaced, kind.subresources ?? [], schema.node.custom?.publish("v3") ?? null])));
    return etagOf(this.#sha512(stringifyJson([this.#version, path, described]))).slice(1, -1);
  }
  #v3Paths(): readonly string[] {
    this.#refresh();
    if (this.#paths.length === 0) this.#paths = openapiV3Paths(this.#kinds());
    return this.#paths;
  }
  #refresh(): void {
    const generation = `${this.#registry.generation} ${this.#remotes.generation}`;
    if (this.#generation === generation) return;
    this.#documents = new Map();
    this.#paths = [];
    this.#generation = generation;
  }
  #document(key: string, make: () => string | Uint8Array): Document {
    this.#refresh();
    let document = this.#documents.get(key);
    if (document === undefined) {
      const body = make();
      document = { body, etag: etagOf(this.#sha512(typeof body === "string" ? body : `${key} ${this.#generation} ${body.length}`)) };
      this.#documents.set(key, document);
    }
    return document;
  }
}

/** Clients that read protobuf ask for nothing else, under a name that mime parsers refuse in an answer. */
function typeOf(request: HttpRequest): typeof json | typeof v2Protobuf {
  const accept = one(request.headers.accept) ?? "";
  if (accept === "") return json;
  for (const { type } of parseAccept(accept)) {
    if (type === json || type === "*/*" || type === "application/*") return json;
    if (type.startsWith("application/com.github.proto-openapi.spec.v2")) return v2Protobuf;
  }
  throw new ApiError("NotAcceptable", `only the following media types are accepted: ${json}, ${v2Protobuf}`);
}

function send(request: HttpRequest, { body, etag }: Document, type: string, more: { readonly [name: string]: string }): HttpResponse {
  const headers = { "content-type": type, etag, vary: "Accept", "cache-control": "no-cache, private", ...more };
  if ((one(request.headers["if-none-match"]) ?? "").split(",").some(each => each.trim().replace(/^W\//, "") === etag)) return { status: 304, headers, content: { type: "text", text: "" } };
  return { status: 200, headers, content: typeof body === "string" ? { type: "text", text: body } : { type: "bytes", bytes: body } };
}
