/** OpenAPI v2 and v3 of everything that is served, made when first asked for (kube-openapi handler, handler3). */
import type { Clock } from "../base/clock.ts";
import { parseJson, stringifyJson } from "../base/json-codec.ts";
import type { Json, JsonObject } from "../base/json.ts";
import type { AnyKind } from "../kinds/kind.ts";
import { openapiV2 } from "../kinds/openapi/v2.ts";
import { openapiV3, openapiV3Paths } from "../kinds/openapi/v3.ts";
import { openapiProtobuf, openapiProtobufType } from "../schema/openapi-protobuf.ts";
import { openapiV3Protobuf, openapiV3ProtobufType } from "../schema/openapi-v3-protobuf.ts";
import { noRemotes, type RemoteDocuments } from "./aggregation/aggregator.ts";
import { mergeDocuments } from "./aggregation/remote-openapi.ts";
import { etagOf } from "./discovery.ts";
import type { HttpRequest, HttpResponse } from "./http.ts";
import { one, parseAccept } from "./negotiate.ts";
import type { Registry } from "./registry.ts";
import { serveContent } from "./serve-content.ts";

const json = "application/json";

type Document = { readonly body: string | Uint8Array; readonly etag: string; readonly madeMs: number };
const headersOf = (type: string, etag: string) => ({ "content-type": type, etag, vary: "Accept", "cache-control": "no-cache, private" });

export class OpenApi {
  readonly #registry: Registry;
  readonly #sha512: (text: string) => Uint8Array;
  readonly #remotes: RemoteDocuments;
  #generation = "";
  #documents = new Map<string, Document>();
  #paths: readonly string[] = [];
  readonly #version: string;
  readonly #clock: Pick<Clock, "now">;

  /** `version` stands for the built-in kinds, which change only with it. */
  constructor(registry: Registry, sha512: (text: string) => Uint8Array, version: string, clock: Pick<Clock, "now">, remotes: RemoteDocuments = noRemotes) {
    this.#registry = registry;
    this.#remotes = remotes;
    this.#sha512 = sha512;
    this.#version = version;
    this.#clock = clock;
  }

  /** `/openapi/v2` */
  v2(request: HttpRequest): HttpResponse {
    const type = typeOf(request, openapiProtobufType);
    if (type === undefined) return notAcceptable;
    const document = this.#document(`v2 ${type}`, () => (type === json ? stringifyJson(this.#merged()) : openapiProtobuf(this.#merged())));
    return serveContent(request, document.body, document.madeMs, headersOf(type, document.etag));
  }

  /** `/openapi/v3`: where each group and version's document is, by its hash. */
  v3Index(request: HttpRequest): HttpResponse {
    const own = this.#v3Paths().map((path): readonly [string, Json] => [path, this.#v3Place(path)]);
    const converted = [...this.#remotes.openApiConverted().keys()].map((path): readonly [string, Json] => [path, this.#v3Place(path)]);
    const others = [...converted, ...this.#remotes.openApiPaths()];
    const paths = Object.fromEntries(others.length === 0 ? own : [...own, ...others].sort(([a], [b]) => (a < b ? -1 : 1)));
    // Quirk: upstream leaves the type to Go, which takes it for text.
    return serveContent(request, stringifyJson({ paths }), this.#clock.now(), { "content-type": "text/plain; charset=utf-8", "cache-control": "no-cache, private" });
  }

  /** `/openapi/v3/<path>`; `undefined` for a path that has none. */
  v3(request: HttpRequest, path: string, query: URLSearchParams): HttpResponse | undefined {
    if (!this.#v3Paths().includes(path) && !this.#remotes.openApiConverted().has(path)) return undefined;
    const type = typeOf(request, openapiV3ProtobufType);
    if (type === undefined) return notAcceptable;
    const hash = query.get("hash") ?? "";
    const current = this.#v3Hash(path);
    const headers = headersOf(type, `"${current}"`);
    if (hash !== "" && hash !== current) return { status: 301, headers: { ...headers, location: `/openapi/v3/${path}?hash=${current}` }, content: { type: "text", text: "" } };
    const { body, madeMs } = this.#v3Document(path, type);
    if (hash === "") return serveContent(request, body, madeMs, headers);
    // Quirk: a year from now, and named after Go's zone.
    const expires = new Date(this.#clock.now());
    expires.setUTCFullYear(expires.getUTCFullYear() + 1);
    return serveContent(request, body, madeMs, { ...headers, "cache-control": "public, immutable", expires: expires.toUTCString().replace("GMT", "UTC") });
  }

  #merged(): JsonObject {
    const others = this.#remotes.openApi();
    const ours = openapiV2(this.#kinds());
    return others.length === 0 ? ours : mergeDocuments(ours, others);
  }
  #kinds(): readonly AnyKind[] {
    return this.#registry.kinds();
  }
  #v3Place(path: string): Json {
    return { serverRelativeURL: `/openapi/v3/${path}?hash=${this.#v3Hash(path)}` };
  }
  #v3Document(path: string, type: string): Document {
    const converted = this.#remotes.openApiConverted().get(path);
    if (type !== json) return this.#document(`v3 ${path} ${type}`, () => openapiV3Protobuf(converted === undefined ? openapiV3(this.#kinds(), path) : parseJson(converted).value as JsonObject));
    return this.#document(`v3 ${path}`, () => converted ?? stringifyJson(openapiV3(this.#kinds(), path)));
  }
  /** Told without making the documents: all of them at once would hold up everybody else for half a second. */
  #v3Hash(path: string): string {
    const converted = this.#remotes.openApiConverted().get(path);
    if (converted !== undefined) return etagOf(this.#sha512(converted)).slice(1, -1);
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
      document = { body, madeMs: this.#clock.now(), etag: etagOf(this.#sha512(typeof body === "string" ? body : `${key} ${this.#generation} ${body.length}`)) };
      this.#documents.set(key, document);
    }
    return document;
  }
}

/** What to answer in. Clients that read protobuf ask for nothing else, under a name that mime parsers refuse in an answer. */
function typeOf(request: HttpRequest, protobuf: string): string | undefined {
  const accept = one(request.headers.accept) ?? "";
  if (accept === "") return json;
  for (const { type } of parseAccept(accept)) {
    if (type === json || type === "*/*" || type === "application/*") return json;
    if (type.replace("@", ".") === protobuf) return protobuf;
  }
  return undefined;
}
const notAcceptable: HttpResponse = { status: 406, headers: { vary: "Accept", "cache-control": "no-cache, private" }, content: { type: "text", text: "" } };
