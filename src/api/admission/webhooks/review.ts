/** A request as webhooks and policies see it: in which version, and as an AdmissionReview's `request` (apiserver plugin/webhook/request/admissionreview.go). */
import { isObject, setOwn, type Json, type JsonObject } from "../../../base/json.ts";
import { copyJson } from "../../../base/json-codec.ts";
import { Namespace } from "../../../kinds/core/namespace.ts";
import { apiVersionOf } from "../../../kinds/kind.ts";
import { decode, DecodeError } from "../../../schema/decode.ts";
import type { Words } from "../../../schema/decode-explain.ts";
import { goQuote } from "../../../schema/problem.ts";
import type { Node } from "../../../schema/t.ts";
import type { DeleteOptions, WriteOptions } from "../../options.ts";
import type { Registry, Served } from "../../registry.ts";
import { asServed, prepareServed } from "../../strategy.ts";
import { scaleOf, scaleType, withReplicas } from "../../subresources/scale-of.ts";
import { typeMetaOf } from "../../type-meta.ts";
import type { AdmissionRequest } from "../admission.ts";
import type { Seen } from "./match.ts";

/** The pipeline holds on to the object itself: its content is exchanged. */
export async function replaceContent({ object }: AdmissionRequest, form: Form, patched: Json, how?: Reading): Promise<void> {
  const next = await form.read(patched, how);
  for (const key of Object.keys(object)) delete object[key];
  for (const [key, value] of Object.entries(next)) setOwn(object, key, value);
}

/** How a hook sees the object, and how what it made of it is read again. */
export type Form = Seen & {
  readonly kind: { readonly group: string; readonly version: string; readonly kind: string };
  /** The object's schema; absent for a subresource's body. */
  readonly node?: Node;
  /** Must come before `show`: where another webhook converts, it is asked here. */
  ready(): Promise<void>;
  show(object: any): JsonObject;
  read(value: Json, how?: Reading): Promise<any>;
};
/** In whose words an error is told, and whether fields that are not known are one. */
export type Reading = { readonly words?: Words; readonly strict?: boolean };

export function formsOf(options: { readonly registry: () => Registry }, request: AdmissionRequest): readonly Form[] {
  const { kind, subresource, object } = request;
  const registry = options.registry();
  // A subresource's body (Binding, Eviction, PodExecOptions, …) is shown as it is.
  const body = subresource !== "" && isObject(object) && object.kind !== kind.kind ? (object as { readonly apiVersion?: string; readonly kind?: string }) : undefined;
  const own = request.served ?? registry.of(kind);
  const all: readonly Served[] = own === undefined ? [] : [own, ...registry.all().filter(other => other.prefix === own.prefix && other.kind.kind === kind.kind && other !== own)];
  return all.map((served): Form => {
    if (subresource === "scale" && isObject(object) && object.kind === kind.kind) return scaleForm(served, request);
    if (body !== undefined) {
      const [group, version] = splitVersion(body.apiVersion ?? "v1");
      return { group: served.group, version: served.version, resource: served.resource, kind: { group, version, kind: body.kind ?? "" }, ready: async () => undefined, show: each => bodyOf(each, request), read: async value => copyJson(value) };
    }
    return {
      group: served.group, version: served.version, resource: served.resource, kind: { group: served.group, version: served.version, kind: kind.kind },
      node: served.node, ready: () => prepareServed(served, [request.object, request.previous].filter(each => each !== undefined)),
      show: each => {
        const { apiVersion: _a, kind: _k, ...rest } = versioned(asServed(served, each), request) as JsonObject;
        return { kind: kind.kind, apiVersion: served.apiVersion, ...rest };
      },
      read: async (value, { words, strict = false } = {}) => {
        if (kind.custom !== true) checkKind(value as JsonObject, served.apiVersion, kind.kind);
        const { object: decoded, unknown } = decode(served.node, value, words);
        if (strict && unknown.length > 0) throw new DecodeError(`strict decoding error: ${[...unknown].sort().map(path => `unknown field ${JSON.stringify(path)}`).join(", ")}`);
        if (kind.conversion !== undefined) return own === undefined || served === own ? decoded : (await kind.conversion.convert([decoded], own.apiVersion))[0];
        const stored = served.convert === undefined ? decoded : kind.custom === true ? served.convert.toStored(decoded) : decode(kind.schema.node, served.convert.toStored(decoded)).object;
        return { ...stored, apiVersion: apiVersionOf(kind), kind: kind.kind };
      },
    };
  });
}

/** An object that was made another is none that upstream can read. */
function checkKind(object: JsonObject, apiVersion: string, kind: string): void {
  const given = typeMetaOf({ apiVersion: object.apiVersion ?? apiVersion, kind: object.kind ?? kind });
  if (typeof given === "string") throw new DecodeError(given);
  if (given.apiVersion !== apiVersion || given.kind !== kind) throw new DecodeError(`no kind ${goQuote(given.kind)} is registered for version ${goQuote(given.apiVersion)} in scheme "pkg/runtime/scheme.go:111"`);
}

/** What is changed has the version that it is made from. A copy: what a webhook converted is known by the object itself, so that comes first. */
function versioned(object: any, { previous }: AdmissionRequest): any {
  return previous === undefined || object.metadata.resourceVersion !== undefined ? object : { ...object, metadata: { ...object.metadata, resourceVersion: previous.metadata.resourceVersion } };
}
/** A subresource's body is where it was sent to. */
function bodyOf(body: any, { name, namespace }: AdmissionRequest): JsonObject {
  const { kind, apiVersion, metadata, ...rest } = body;
  return { kind, apiVersion, ...(kind === "PodExecOptions" && rest.command === undefined ? { command: null } : {}), ...(metadata === undefined ? {} : { metadata: { ...metadata, name: metadata.name ?? name, namespace } }), ...rest };
}
/** A workload's size, as an object of its own; what is made of it is the workload with that size. */
function scaleForm({ group, version, resource, kind }: Served, request: AdmissionRequest): Form {
  const { object } = request;
  return {
    group, version, resource, kind: { group: "autoscaling", version: "v1", kind: "Scale" }, ready: async () => undefined,
    show: each => scaleOf(kind, versioned(each, request)),
    read: async value => withReplicas(kind, object, decode(scaleType.node, value).object.spec?.replicas ?? 0),
  };
}

function splitVersion(apiVersion: string): readonly [string, string] {
  const at = apiVersion.indexOf("/");
  return at < 0 ? ["", apiVersion] : [apiVersion.slice(0, at), apiVersion.slice(at + 1)];
}

export function reviewOf(request: AdmissionRequest, form: Form, own: Form, uid: string): Json {
  const { operation, subresource, user, dryRun, object, previous } = request, { name, namespace } = placeOf(request);
  const resource = ({ group, version, resource: plural }: Seen): Json => ({ group, version, resource: plural });
  const { name: username, uid: userUid, groups, extra } = user;
  return {
    uid, kind: form.kind, resource: resource(form), ...(subresource === "" ? {} : { subResource: subresource }),
    requestKind: own.kind, requestResource: resource(own), ...(subresource === "" ? {} : { requestSubResource: subresource }),
    ...(name === "" ? {} : { name }), ...(namespace === "" ? {} : { namespace }), operation,
    userInfo: { ...(username === "" ? {} : { username }), ...(userUid === "" ? {} : { uid: userUid }), ...(groups.length === 0 ? {} : { groups: [...groups] }), ...(Object.keys(extra).length === 0 ? {} : { extra: extra as unknown as Json }) },
    object: object === undefined ? null : form.show(object), oldObject: previous === undefined ? null : form.show(previous), dryRun,
    options: operation === "CONNECT" ? null : { kind: `${operation.charAt(0)}${operation.slice(1).toLowerCase()}Options`, apiVersion: "meta.k8s.io/v1", ...(request.options === undefined ? {} : optionsOf(request.options, request.verb === "deletecollection")) },
  };
}
/** Quirk: the many that are deleted at once are called so (admission/errors.go). */
export const refusedName = ({ verb, name }: AdmissionRequest): string => (verb === "deletecollection" ? "Unknown" : name);

/** Quirks: who deletes many names none, and a namespace is in itself (RequestInfo). */
export function placeOf({ verb, kind, name, namespace, object }: AdmissionRequest): { readonly name: string; readonly namespace: string } {
  if (kind === Namespace) return { name, namespace: name };
  return { name: verb === "deletecollection" ? "" : name === "" ? object?.metadata?.name ?? "" : name, namespace };
}
/** `many`: each of them is deleted by its own uid, which nobody asked for. */
function optionsOf(options: WriteOptions | DeleteOptions, many: boolean): { readonly [name: string]: Json } {
  const dryRun: { readonly [name: string]: Json } = options.dryRun ? { dryRun: ["All"] } : {};
  if ("fieldManager" in options) return { ...dryRun, ...(options.fieldManager === "" ? {} : { fieldManager: options.fieldManager }), ...((options.askedValidation ?? "") === "" ? {} : { fieldValidation: options.askedValidation! }) };
  const { gracePeriodSeconds, uid, resourceVersion, orphanDependents, propagationPolicy } = options;
  const preconditions = { ...(uid === undefined || many ? {} : { uid }), ...(resourceVersion === undefined ? {} : { resourceVersion }) };
  return {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }), ...(Object.keys(preconditions).length === 0 ? {} : { preconditions }), ...(orphanDependents === undefined ? {} : { orphanDependents }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }), ...dryRun,
  };
}
