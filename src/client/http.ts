import { ApiError, type Reason, type StatusDetails } from "../base/api-error.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { apiVersionOf, type AnyKind, type Resource } from "../kinds/kind.ts";
import { withoutNulls } from "../schema/go-nulls.ts";
import type { Client, DeleteOptions, ListOptions, ObjectList, Patch, Selection, WatchEvent, WatchOptions, WriteOptions } from "./client.ts";
import type { Transport, TransportRequest } from "./transport.ts";

const patchTypes = {
  json: "application/json-patch+json", merge: "application/merge-patch+json",
  strategic: "application/strategic-merge-patch+json", apply: "application/apply-patch+yaml",
} as const;

/** The client of a process that is not the server: JSON over an injected transport. `fieldManager` is the default for its writes; "": the server names it after the user agent. */
export class HttpClient implements Client {
  readonly #transport: Transport;
  readonly #fieldManager: string;
  /** Counts what was read of other servers, for their resource versions have no order. */
  #read = 0;

  constructor(transport: Transport, fieldManager: string) {
    this.#transport = transport;
    this.#fieldManager = fieldManager;
  }
  async get<K extends AnyKind>(kind: K, namespace: string, name: string): Promise<Resource<K>> {
    return this.#object(kind, await this.#send({ method: "GET", target: pathOf(kind, namespace, name), headers: headersFor(kind) }));
  }
  async list<K extends AnyKind>(kind: K, options: ListOptions = {}): Promise<ObjectList<Resource<K>>> {
    const body = await this.#send({ method: "GET", target: pathOf(kind, options.namespace) + queryOf({ ...selectionQuery(options), limit: options.limit, continue: options.continue }), headers: headersFor(kind, "List") });
    const { items, metadata } = body as { readonly items?: readonly Json[] | null; readonly metadata: { readonly resourceVersion: string; readonly continue?: string } };
    const more = metadata.continue;
    return {
      items: (items ?? []).map(item => this.#object(kind, item)), ...this.#revisionOf(kind, metadata.resourceVersion),
      ...(more === undefined || more === "" ? {} : { continue: more }),
    };
  }
  async create<K extends AnyKind>(kind: K, object: unknown, options?: WriteOptions): Promise<Resource<K>> {
    const { metadata } = object as { readonly metadata?: { readonly namespace?: string; readonly name?: string } };
    return this.#object(kind, await this.#write("POST", pathOf(kind, metadata?.namespace), kind, object, options));
  }
  update<K extends AnyKind>(kind: K, object: Resource<K>, options?: WriteOptions): Promise<Resource<K>> {
    return this.#put(kind, object, options?.subresource, options);
  }
  updateStatus<K extends AnyKind>(kind: K, object: Resource<K>, options?: WriteOptions): Promise<Resource<K>> {
    return this.#put(kind, object, "status", options);
  }
  async patch<K extends AnyKind>(kind: K, namespace: string, name: string, patch: Patch, options: WriteOptions = {}): Promise<Resource<K>> {
    const query = queryOf({ ...this.#writeQuery(options), force: patch.type === "apply" && patch.force ? "true" : undefined });
    const target = pathOf(kind, namespace, name, options.subresource) + query;
    return this.#object(kind, await this.#send({ method: "PATCH", target, headers: { ...headersFor(kind), "content-type": patchTypes[patch.type] }, body: JSON.stringify(patch.body) }));
  }
  async delete<K extends AnyKind>(kind: K, namespace: string, name: string, options: DeleteOptions = {}): Promise<void> {
    const body = JSON.stringify({ kind: "DeleteOptions", apiVersion: "v1", ...options });
    await this.#send({ method: "DELETE", target: pathOf(kind, namespace, name), headers: sending, body });
  }
  async createSubresource(kind: AnyKind, namespace: string, name: string, subresource: string, body: Json): Promise<Json> {
    return this.#send({ method: "POST", target: pathOf(kind, namespace, name, subresource), headers: sending, body: JSON.stringify(body) });
  }
  request(method: "GET" | "PUT", target: string, body?: Json): Promise<Json> {
    return this.#send({ method, target, headers: body === undefined ? accept : sending, ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
  }
  async *watch<K extends AnyKind>(kind: K, options: WatchOptions, signal: AbortSignal): AsyncGenerator<WatchEvent<Resource<K>>> {
    const query = queryOf({ ...selectionQuery(options), watch: "true", allowWatchBookmarks: "true", resourceVersion: options.resourceVersion ?? String(options.revision) });
    const { status, lines } = await this.#transport.stream({ method: "GET", target: pathOf(kind, options.namespace) + query, headers: headersFor(kind) }, signal);
    if (status !== 200) {
      let text = "";
      for await (const line of lines) text += `${line}\n`;
      throw errorOf(status, text);
    }
    for await (const line of lines) {
      if (line === "") continue;
      const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: JsonObject };
      if (type === "ERROR") throw errorOf(Number(object["code"] ?? 500), JSON.stringify(object));
      const at = this.#revisionOf(kind, String((object["metadata"] as JsonObject)["resourceVersion"]));
      if (type === "BOOKMARK") yield { type, ...at };
      else if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") yield { type, object: this.#object(kind, object), ...at };
      else throw new Error(`a watch event of unknown type ${JSON.stringify(type)}`);
    }
  }

  async #put<K extends AnyKind>(kind: K, object: Resource<K>, subresource: string | undefined, options: WriteOptions | undefined): Promise<Resource<K>> {
    const { namespace, name } = object.metadata;
    return this.#object(kind, await this.#write("PUT", pathOf(kind, namespace, name, subresource), kind, object, options));
  }
  #write(method: "POST" | "PUT", path: string, kind: AnyKind, object: unknown, options: WriteOptions = {}): Promise<Json> {
    const body = JSON.stringify({ apiVersion: apiVersionOf(kind), kind: kind.kind, ...(object as object) });
    return this.#send({ method, target: path + queryOf(this.#writeQuery(options)), headers: sending, body });
  }
  #writeQuery(options: WriteOptions): Query {
    return { fieldManager: (options.fieldManager ?? this.#fieldManager) || undefined, dryRun: options.dryRun === true ? "All" : undefined };
  }
  async #send(request: TransportRequest): Promise<Json> {
    const { status, body } = await this.#transport.request(request);
    if (status < 200 || status > 299) throw errorOf(status, body);
    return JSON.parse(body) as Json;
  }
  /** Lists leave out what they say once: the kind of their items. */
  #object<K extends AnyKind>(kind: K, value: Json): Resource<K> {
    if (!isObject(value)) throw new Error(`the answer is no ${kind.kind}`);
    const type = { apiVersion: apiVersionOf(kind), kind: kind.kind };
    // What came is a PartialObjectMetadata, or all of it from a server that knows no better.
    return (kind.remote === true ? { ...type, metadata: value["metadata"] } : withoutNulls(kind.schema.node, { ...type, ...value })) as unknown as Resource<K>;
  }
  #revisionOf(kind: AnyKind, resourceVersion: string): { readonly revision: number; readonly resourceVersion?: string } {
    return kind.remote === true ? { revision: ++this.#read, resourceVersion } : { revision: Number(resourceVersion) };
  }
}

const accept = { accept: "application/json" };
const headersFor = ({ remote }: AnyKind, list: "List" | "" = ""): { readonly accept: string } =>
  (remote === true ? { accept: `application/json;as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1,application/json` } : accept);
const sending = { ...accept, "content-type": "application/json" };

/** `/api/v1/namespaces/default/pods/web/status`. */
export function pathOf(kind: AnyKind, namespace?: string, name?: string, subresource?: string): string {
  const root = kind.group === "" ? "/api" : `/apis/${kind.group}`;
  const space = kind.namespaced && namespace !== undefined && namespace !== "" ? `/namespaces/${encodeURIComponent(namespace)}` : "";
  return `${root}/${kind.version}${space}/${kind.plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}${subresource === undefined ? "" : `/${subresource}`}`;
}

type Query = { readonly [name: string]: string | number | undefined };
function selectionQuery({ labelSelector, fieldSelector }: Selection): Query {
  return { labelSelector, fieldSelector };
}
function queryOf(query: Query): string {
  const pairs = Object.entries(query).filter(([, value]) => value !== undefined).map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return pairs.length === 0 ? "" : `?${pairs.join("&")}`;
}

/** The error that an answer with this status stands for. */
export function errorOf(status: number, text: string): ApiError {
  const body = parseStatus(text);
  // client-go rest/request.go, newUnstructuredResponseError.
  if (body?.["kind"] !== "Status" && status === 503) return new ApiError("ServiceUnavailable", "the server is currently unable to handle the request");
  if (body?.["kind"] !== "Status") return new ApiError("", `the server answered ${status}: ${text.slice(0, 200)}`, undefined, status);
  return new ApiError((body["reason"] ?? "") as Reason | "", String(body["message"] ?? ""), body["details"] as StatusDetails | undefined, Number(body["code"] ?? status));
}
function parseStatus(text: string): JsonObject | undefined {
  try {
    const value = JSON.parse(text) as Json;
    return isObject(value) ? value : undefined;
  } catch (error) {
    // Not from our server (a proxy's page, say): the text itself is the message.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
