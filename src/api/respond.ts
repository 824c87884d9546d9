/** Answers in the form that was negotiated: objects, lists, watch events and refusals. */
import { ApiError } from "../base/api-error.ts";
import { stringifyJson } from "../base/json-codec.ts";
import { yamlText } from "../base/yaml-text.ts";
import type { Json } from "../base/json.ts";
import { apiVersionOf, type AnyKind } from "../kinds/kind.ts";
import { Status } from "../kinds/meta/status.ts";
import { decode } from "../schema/decode.ts";
import { frameWatchEvent, sealEnvelope } from "../schema/envelope.ts";
import { withNulls } from "../schema/go-nulls.ts";
import { encodeProtobuf } from "../schema/protobuf.ts";
import type { Node } from "../schema/t.ts";
import type { Entry } from "../store/store.ts";
import type { Answer, Core } from "./core.ts";
import { notAcceptable } from "./errors.ts";
import type { HttpResponse } from "./http.ts";
import { listNodeOf, PartialObjectMetadata, PartialObjectMetadataList } from "./meta-types.ts";
import { jsonType, protobufType, yamlType, type Output, type Transform } from "./negotiate.ts";
import type { Listed } from "./read.ts";
import { versionIn } from "./objects.ts";
import type { Served } from "./registry.ts";
import { asServed } from "./strategy.ts";
import { blankCells, columnDefinitions, includeObjectOf, partialOf, rowOf, tableOf } from "./table.ts";
import type { EventEncoder } from "./watch-events.ts";

export type Headers = { readonly [name: string]: string | readonly string[] };

const common: Headers = { "cache-control": "no-cache, private" };
const text = (status: number, type: string, body: string, headers: Headers = {}): HttpResponse => ({ status, headers: { ...common, "content-type": type, ...headers }, content: { type: "text", text: body } });

/** Any JSON document as the client wants it. */
export function sendJson(status: number, body: Json, output: Output | undefined, headers: Headers = {}): HttpResponse {
  if (output?.type === yamlType) return text(status, yamlType, yamlText(body), headers);
  return text(status, jsonType, output?.pretty === true ? stringifyJson(body, 2) : `${stringifyJson(body)}\n`, headers);
}

/** A document of a type that has a protobuf form, too. */
export function sendDocument(node: Node, body: any, output: Output, headers: Headers = {}): HttpResponse {
  if (output.type !== protobufType) return sendJson(200, body, output, headers);
  return bytes(200, sealEnvelope(body.apiVersion ?? "", body.kind, encodeProtobuf(node, body)), headers);
}

/** What Go says with an error in plain text. */
export const noSniff: Headers = { "x-content-type-options": "nosniff" };

export function sendPlain(status: number, body: string, headers: Headers = {}): HttpResponse {
  return text(status, "text/plain; charset=utf-8", body, status < 400 ? headers : { ...noSniff, ...headers });
}

/** A `Status` for a refusal; JSON unless the client reads only protobuf. */
export function sendError(error: ApiError, output: Output | undefined, headers: Headers = {}): HttpResponse {
  const retry = error.details?.retryAfterSeconds;
  const all = retry === undefined ? headers : { ...headers, "retry-after": String(retry) };
  return sendStatus(error.code, error.status(), output, all);
}

export function sendStatus(code: number, status: Json, output: Output | undefined, headers: Headers = {}): HttpResponse {
  if (output?.type === protobufType) return bytes(code, sealEnvelope("v1", "Status", encodeProtobuf(Status.node, status)), headers);
  return sendJson(code, status, output, headers);
}

const bytes = (status: number, body: Uint8Array, headers: Headers): HttpResponse => ({ status, headers: { ...common, "content-type": protobufType, ...headers }, content: { type: "bytes", bytes: body } });

export type View = { readonly core: Core; readonly served: Served; readonly output: Output; readonly query: URLSearchParams };

export function sendObject(status: number, view: View, answer: Answer, headers: Headers = {}): HttpResponse {
  const { served, output } = view;
  const object = asServed(served, answer.object);
  if (output.transform !== undefined) return sendTransformed(status, view, output.transform, served.kind, served.node, answer.object, object, headers);
  if (output.type === protobufType) return bytes(status, sealEnvelope(served.apiVersion, served.kind.kind, encodeProtobuf(served.node, object)), headers);
  if (output.type === yamlType || output.pretty || answer.entry === undefined || served.convert !== undefined) return sendJson(status, ordered(served.node, object), output, headers);
  return { status, headers: { ...common, "content-type": output.type, ...headers }, content: { type: "pieces", pieces: storedPieces(answer.entry) } };
}

/** A stored object's text with its resourceVersion: joining it would copy the whole once more. */
function storedPieces({ value, revision }: Entry): readonly string[] {
  const { at, text } = versionIn(value, revision);
  return [`${value.slice(0, at)}${text}`, value.slice(at), "\n"];
}

/** Another form of an object, as it is `stored` and as the client's version has it. */
function sendTransformed(status: number, { core, output, query }: Omit<View, "served">, { as, version }: Transform, kind: AnyKind, node: Node, stored: any, object: any, headers: Headers): HttpResponse {
  if (as === "PartialObjectMetadataList") throw notAcceptableAs(`you requested PartialObjectMetadataList, but the requested object is not a list (*${internalType(kind)})`);
  if (as === "PartialObjectMetadata") return sendPartial(status, output, as, partialOf(object, version), headers);
  const row = rowOf(kind, stored, withNulls(node, object), includeObjectOf(query), version, core.clock.now());
  return sendJson(status, tableOf(version, stored.metadata.resourceVersion === undefined ? {} : { resourceVersion: stored.metadata.resourceVersion }, columnDefinitions(kind), [row]), output, headers);
}

/** What Go calls a kind inside upstream's server: its package and name. */
const internalType = ({ group, kind }: Pick<AnyKind, "group" | "kind">): string => `${group === "" || group === "events.k8s.io" ? "core" : group.split(".")[0]}.${kind}`;

/** An object of another kind than the URL's: a Scale, a review, a TokenRequest. */
export function sendOther(status: number, view: Omit<View, "served">, of: AnyKind, object: any, headers: Headers = {}): HttpResponse {
  const { output } = view;
  const { node } = of.schema;
  if (output.transform !== undefined) return sendTransformed(status, view, output.transform, of, node, object, object, headers);
  const [kind, apiVersion] = [of.kind, apiVersionOf(of)];
  if (output.type === protobufType) return bytes(status, sealEnvelope(apiVersion, kind, encodeProtobuf(node, object)), headers);
  return sendJson(status, ordered(node, { ...object, kind, apiVersion }), output, headers);
}

/** As Go writes it, its type first. */
function ordered(node: Node, object: any): Json {
  const { kind, apiVersion, ...rest } = withNulls(node, object);
  return { kind, apiVersion, ...rest };
}

function sendPartial(status: number, output: Output, kind: "PartialObjectMetadata" | "PartialObjectMetadataList", body: any, headers: Headers = {}): HttpResponse {
  if (output.type === protobufType) return bytes(status, sealEnvelope(body.apiVersion, kind, encodeProtobuf((kind === "PartialObjectMetadata" ? PartialObjectMetadata : PartialObjectMetadataList).node, body)), headers);
  return sendJson(status, body, output, headers);
}

const notAcceptableAs = (message: string): ApiError => new ApiError("NotAcceptable", message);

export function sendList(view: View, listed: Listed): HttpResponse {
  const { core, served, output, query } = view;
  const { transform } = output;
  const metadata = {
    ...(listed.revision === 0 ? {} : { resourceVersion: String(listed.revision) }),
    // Lists of custom resources say it always.
    ...(listed.continue !== undefined ? { continue: listed.continue } : served.kind.custom === true && transform === undefined && output.type !== protobufType ? { continue: "" } : {}), ...(listed.remaining === undefined ? {} : { remainingItemCount: listed.remaining }),
  };
  const objects = (): readonly any[] => listed.entries.map(entry => core.objects.object(entry));
  if (transform?.as === "PartialObjectMetadata") throw notAcceptableAs(`you requested PartialObjectMetadata, but the requested object is a list (*${internalType(served.kind)}List)`);
  if (transform?.as === "PartialObjectMetadataList")
    return sendPartial(200, output, transform.as, { kind: transform.as, apiVersion: `meta.k8s.io/${transform.version}`, metadata, items: objects().map(object => partialOf(object, transform.version)) });
  if (transform?.as === "Table") {
    const [include, now] = [includeObjectOf(query), core.clock.now()];
    const { tableOrder } = served.kind;
    const rows = (tableOrder === undefined ? objects() : objects().toSorted(tableOrder)).map(object => rowOf(served.kind, object, withNulls(served.node, asServed(served, object)), include, transform.version, now));
    return sendJson(200, tableOf(transform.version, metadata, columnDefinitions(served.kind), rows), output);
  }
  const [kind, apiVersion] = [served.kind.listKind ?? `${served.kind.kind}List`, served.apiVersion];
  if (output.type === protobufType) {
    const items = objects().map(object => asServed(served, object));
    return bytes(200, sealEnvelope(apiVersion, kind, encodeProtobuf(listNodeOf(served), { metadata, items })), {});
  }
  if (output.type === yamlType || output.pretty || served.convert !== undefined || listed.revision === 0) return sendJson(200, { kind, apiVersion, metadata, items: objects().map(object => (served.kind.custom === true ? ordered(served.node, asServed(served, object)) : untyped(served.node, asServed(served, object)))) }, output);
  const pieces = piecesOf(served, `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`, listed);
  return { status: 200, headers: { ...common, "content-type": output.type }, content: { type: "pieces", pieces } };
}

/** Items of a typed list say neither kind nor apiVersion. */
function untyped(node: Node, object: any): Json {
  const { kind: _k, apiVersion: _a, ...rest } = withNulls(node, object);
  return rest;
}

function* piecesOf(served: Served, head: string, { entries }: Listed): Iterable<string> {
  const typed = `{"kind":${JSON.stringify(served.kind.kind)},"apiVersion":${JSON.stringify(served.apiVersion)},`;
  yield head;
  let opening = "{";
  for (const { value, revision } of entries) {
    const { at, text } = versionIn(value, revision);
    // The two parts as they lie in memory: joining them would copy every list twice.
    yield opening + value.slice(served.kind.custom !== true && value.startsWith(typed) ? typed.length : 1, at) + text;
    yield value.slice(at);
    opening = ",{";
  }
  yield "]}\n";
}

/** How this client's watch events are written. */
export function eventEncoder(view: View): EventEncoder {
  const { core, served, output, query } = view;
  const { transform } = output;
  if (output.type === yamlType) throw notAcceptable([`${jsonType};stream=watch`, `${protobufType};stream=watch`]);
  const form = `${served.apiVersion} ${served.edition} ${output.type} ${transform === undefined ? "" : `${transform.as} ${transform.version}`}`;
  const blank = (revision: number, end: boolean): any => {
    const metadata = { resourceVersion: String(revision), ...(end ? { annotations: { "k8s.io/initial-events-end": "true" } } : {}) };
    return { ...decode(served.node, { metadata }).object, kind: served.kind.kind, apiVersion: served.apiVersion };
  };
  if (output.type === protobufType) {
    const seal = (object: any): Uint8Array => transform === undefined
      ? sealEnvelope(served.apiVersion, served.kind.kind, encodeProtobuf(served.node, object))
      : sealEnvelope(`meta.k8s.io/${transform.version}`, "PartialObjectMetadata", encodeProtobuf(PartialObjectMetadata.node, partialOf(object, transform.version)));
    return {
      form, contentType: `${protobufType};stream=watch`,
      encode: (type, object) => frameWatchEvent(type, seal(asServed(served, object))),
      bookmark: (revision, end) => frameWatchEvent("BOOKMARK", seal(blank(revision, end))),
      error: error => frameWatchEvent("ERROR", sealEnvelope("v1", "Status", encodeProtobuf(Status.node, error.status()))),
    };
  }
  const line = (type: string, object: string): string => `{"type":"${type}","object":${object}}\n`;
  const base = { contentType: jsonType, error: (error: ApiError) => line("ERROR", stringifyJson(error.status())) };
  if (transform?.as === "Table") {
    const include = includeObjectOf(query);
    let columns: Json = columnDefinitions(served.kind);
    const table = (object: any, row: Json): string => {
      const body = stringifyJson(tableOf(transform.version, { resourceVersion: object.metadata.resourceVersion }, columns, [row]));
      columns = null;
      return body;
    };
    return {
      ...base, form: "",
      encode: (type, object) => line(type, table(object, rowOf(served.kind, object, withNulls(served.node, asServed(served, object)), include, transform.version, core.clock.now()))),
      bookmark: (revision, end) => {
        const object = blank(revision, end);
        return line("BOOKMARK", table(object, { cells: blankCells(served.kind), object: include === "None" && !end ? null : partialOf(object, transform.version) }));
      },
    };
  }
  if (transform !== undefined) {
    const partial = (object: any): string => stringifyJson(partialOf(object, transform.version));
    return { ...base, form, encode: (type, object) => line(type, partial(object)), bookmark: (revision, end) => line("BOOKMARK", partial(blank(revision, end))) };
  }
  return {
    ...base, form,
    encode: (type, object, stored) => line(type, served.convert === undefined ? stored() : stringifyJson(ordered(served.node, asServed(served, object)))),
    bookmark: (revision, end) => line("BOOKMARK", stringifyJson(ordered(served.node, blank(revision, end)))),
  };
}
