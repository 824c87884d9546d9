/** Audit events by an administrator's policy: stages, levels, bodies (apiserver pkg/endpoints/filters/audit.go, pkg/audit/request.go). Loaded with the policy. */
import { isApiError } from "../../base/api-error.ts";
import { isObject, type Json, type JsonObject } from "../../base/json.ts";
import { JsonError, parseJson, stringifyJson } from "../../base/json-codec.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { auditEvent, type AuditSink, type AuditTrail } from "../audit.ts";
import { readBody, type ParseYaml } from "../body.ts";
import type { RequestAttributes } from "../context.ts";
import type { Headers, HttpRequest, HttpResponse, Peer } from "../http.ts";
import { protobufType } from "../negotiate.ts";
import type { Registry } from "../registry.ts";
import { isLongRunning, type RequestInfo } from "../request-info.ts";
import type { AuditPolicy, Kept, Stage } from "./policy.ts";

/** Longer bodies are not kept: the event says so. Upstream's --audit-log-truncate-max-event-size is 100 KiB when enabled. */
export const bodyCharsMax = 3 * 1024 * 1024;

export type RecorderOptions = { readonly policy: AuditPolicy; readonly sink: AuditSink; readonly registry: Registry; readonly parseYaml: ParseYaml; readonly now: () => number; readonly attributesOf: (info: RequestInfo) => RequestAttributes };

/** One request under audit. */
export type Recording = {
  /** The request whose body is remembered. */
  readonly request: HttpRequest;
  /** The answer to send on, which tells when it is over. */
  end(response: HttpResponse, info: RequestInfo | undefined): Promise<HttpResponse>;
};

/** A request whose body can be read twice. */
class Remembered implements HttpRequest {
  readonly method: string;
  readonly target: string;
  readonly headers: Headers;
  readonly peer: Peer;
  readonly upgrade: boolean;
  /** The body, once somebody has asked for it. */
  bytes: Promise<Uint8Array> | undefined;
  readonly #request: HttpRequest;
  constructor(request: HttpRequest) {
    ({ method: this.method, target: this.target, headers: this.headers, peer: this.peer, upgrade: this.upgrade } = request);
    this.#request = request;
  }
  readonly body = (): Promise<Uint8Array> => (this.bytes ??= this.#request.body());
  get signal(): AbortSignal { return this.#request.signal; }
}

export class AuditRecorder {
  readonly #options: RecorderOptions;
  constructor(options: RecorderOptions) {
    this.#options = options;
  }

  /** `trail.known` is called once the caller is known: that is when a request counts as received. */
  begin(request: HttpRequest, trail: AuditTrail, receivedMs: number): Recording {
    const remembered = new Remembered(request);
    const write = (stage: Stage, info: RequestInfo | undefined, kept: Kept, response: HttpResponse | undefined, more: JsonObject = {}): void => {
      if (kept.level === "None" || kept.omitStages.has(stage)) return;
      this.#options.sink(stringifyJson({ ...auditEvent({ request, info, trail, response, receivedMs, nowMs: this.#options.now() }, kept.level, stage, true), ...more }));
    };
    let asked: Json | "body" | undefined;
    trail.asked = object => {
      asked = object;
      const metadata = isObject(object) ? object["metadata"] : undefined;
      if (isObject(metadata)) trail.ref = Object.fromEntries(["namespace", "name", "uid", "resourceVersion"].flatMap(field => (typeof metadata[field] === "string" ? [[field, metadata[field]]] : [])));
    };
    trail.known = info => write("RequestReceived", info, this.#keptOf(trail, info), undefined);
    return { request: remembered, end: (response, info) => this.#end(trail, info, response, () => this.#requestObject(asked, info, remembered.bytes, this.#keptOf(trail, info)), write) };
  }

  async #end(trail: AuditTrail, info: RequestInfo | undefined, response: HttpResponse, requestObjectOf: () => Promise<Json | undefined>, write: (stage: Stage, info: RequestInfo | undefined, kept: Kept, response: HttpResponse | undefined, more?: JsonObject) => void): Promise<HttpResponse> {
    const kept = this.#keptOf(trail, info);
    if (kept.level === "None") return response;
    const requestObject = kept.level === "Metadata" || info === undefined ? undefined : await requestObjectOf();
    const asked: JsonObject = requestObject === undefined ? {} : { requestObject };
    const { content } = response;
    if (content.type === "stream") {
      write("ResponseStarted", info, kept, response, asked);
      return { ...response, content: { type: "stream", run: async (out, signal) => { try { await content.run(out, signal); } finally { write("ResponseComplete", info, kept, response, asked); } } } };
    }
    const started = info !== undefined && isLongRunning(info);
    if (started || content.type === "forward") write("ResponseStarted", info, kept, response, asked);
    if (content.type === "forward") return { ...response, content: { ...content, done: () => write("ResponseComplete", info, kept, response, asked) } };
    if (response.status === 401 && trail.user === undefined) write("ResponseStarted", info, kept, response);
    else {
      const panic = response.status === 500 && content.type === "text" && content.text.startsWith("This request caused apiserver to panic");
      const answered = kept.level === "RequestResponse" ? this.#responseObject(response, info, kept) : undefined;
      write(panic ? "Panic" : "ResponseComplete", info, kept, response, { ...asked, ...(answered === undefined ? {} : { responseObject: answered.object }) });
      return answered?.response ?? response;
    }
    return response;
  }

  #keptOf(trail: AuditTrail, info: RequestInfo | undefined): Kept {
    const nothing: RequestAttributes = { verb: "", group: "", version: "", resource: "", subresource: "", namespace: "", name: "", path: "", resourceRequest: false };
    return this.#options.policy(trail.user, info === undefined ? nothing : this.#options.attributesOf(info));
  }

  /** What was sent, as JSON; a patch as it stands. */
  async #requestObject(asked: Json | "body" | undefined, info: RequestInfo | undefined, bytes: Promise<Uint8Array> | undefined, kept: Kept): Promise<Json | undefined> {
    if (asked === undefined || info === undefined) return undefined;
    if (asked !== "body") return withoutManagedFields(asked, kept);
    // What could not be read was answered already.
    const body = await bytes?.catch(() => undefined);
    if (body === undefined || body.length === 0 || !info.resourceRequest) return undefined;
    if (body.length > bodyCharsMax) return tooLong(body.length);
    return this.#parsed(body, info, kept);
  }

  #responseObject(response: HttpResponse, info: RequestInfo | undefined, kept: Kept): { readonly object: Json; readonly response: HttpResponse } | undefined {
    const { content } = response;
    if (info === undefined || !info.resourceRequest) return undefined;
    const text = content.type === "pieces" ? [...content.pieces].join("") : content.type === "text" ? content.text : undefined;
    const sent: HttpResponse = content.type === "pieces" && text !== undefined ? { ...response, content: { type: "text", text } } : response;
    if (text === undefined) return content.type !== "bytes" ? undefined : { object: content.bytes.length > bodyCharsMax ? tooLong(content.bytes.length) : (this.#parsed(content.bytes, info, kept) ?? null), response: sent };
    if (text === "" || !/^\s*\{/.test(text)) return undefined;
    return { object: text.length > bodyCharsMax ? tooLong(text.length) : withoutManagedFields(parseJson(text).value, kept), response: sent };
  }

  #parsed(bytes: Uint8Array, info: RequestInfo, kept: Kept): Json | undefined {
    const served = this.#options.registry.find(info.group, info.version, info.resource);
    try {
      if (bytes[0] !== 0x6b || bytes[1] !== 0x38) {
        const text = new TextDecoder().decode(bytes);
        return withoutManagedFields(/^\s*[[{]/.test(text) ? parseJson(text).value : this.#options.parseYaml(text).value, kept);
      }
      if (served === undefined) return undefined;
      const kind: AnyKind = served.kind;
      return withoutManagedFields(readBody(bytes, protobufType, { group: served.group, version: served.version, kind: kind.kind, node: served.node, isKnown: () => true }, { parseYaml: this.#options.parseYaml, fieldValidation: "Ignore", warn() {} }), kept);
    } catch (error) {
      // Not readable as that: the client was told, the event goes without it.
      if (error instanceof JsonError || isApiError(error, "BadRequest") || error instanceof SyntaxError) return undefined;
      throw error;
    }
  }
}

const tooLong = (length: number): Json => ({ kind: "Unknown", apiVersion: "audit.k8s.io/v1", message: `${length} characters are not kept: no more than ${bodyCharsMax}` });

function withoutManagedFields(value: Json, { omitManagedFields }: Kept): Json {
  if (!omitManagedFields || !isObject(value)) return value;
  const strip = (object: Json): Json => {
    if (!isObject(object) || !isObject(object["metadata"]) || object["metadata"]["managedFields"] === undefined) return object;
    const { managedFields: _, ...metadata } = object["metadata"];
    return { ...object, metadata };
  };
  const items = value["items"];
  return Array.isArray(items) ? { ...value, items: items.map(strip) } : strip(value);
}
