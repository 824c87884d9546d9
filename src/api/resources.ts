/** Requests for resources, from the parsed URL to the answer: one function per verb, all below it shared. */
import { isApiError } from "../base/api-error.ts";
import { typeName } from "../schema/json-patch.ts";
import { answersVerb } from "../kinds/subresources.ts";
import { DeleteOptions } from "../kinds/meta/deleteoptions.ts";
import { readBody, parseText, textOf, type BodyOptions, type Expected, type ParseYaml } from "./body.ts";
import type { Authenticator, TokenIssuer, User } from "./context.ts";
import type { Answer, Call, Core, Trail } from "./core.ts";
import { adviseOnDelete, remove } from "./delete.ts";
import { badRequest, methodNotAllowed, noSuchBody, notFound, notSupported, refusalOf, unknownResource, unsupportedMediaType } from "./errors.ts";
import type { HttpRequest, HttpResponse, Limit } from "./http.ts";
import { jsonType, mediaTypeOf, allForms, checkRoute, customForms, negotiateInput, negotiateOutput, one, plainForms, yamlType, type Output, type OutputRules } from "./negotiate.ts";
import { deleteOptions, listOptions, writeOptions, type WriteOptions } from "./options.ts";
import type { Sampler } from "./metrics/sampler.ts";
import { patch, type Patch } from "./patch.ts";
import { get, list, type Listed } from "./read.ts";
import { isTrue, type RequestInfo } from "./request-info.ts";
import { eventEncoder, sendList, sendObject, sendStatus, type View } from "./respond.ts";
import { selectionOf } from "./select.ts";
import { adopt, askedFor, checkName, prepareServed } from "./strategy.ts";
import type { Served } from "./registry.ts";
import { expectedOf } from "./type-meta.ts";
import type { Subresource, Subresources } from "./subresources/subresource.ts";
import { watch, type WatchServices } from "./watch.ts";
import { create, update } from "./write.ts";
import { duplicatesInYaml } from "./yaml-duplicates.ts";

export type Services = {
  readonly core: Core;
  readonly parseYaml: ParseYaml;
  readonly subresources: Subresources;
  readonly authenticator: Authenticator;
  readonly tokens?: TokenIssuer;
  /** Port of a node agent whose Node object does not say it. */
  readonly nodePort: number;
  readonly watches: WatchServices;
  /** Measures nodes and pods; absent where there is nothing to measure. */
  readonly metrics?: Sampler;
};

/** One authenticated and authorised request. */
export type Context = {
  readonly request: HttpRequest;
  readonly info: RequestInfo;
  readonly user: User;
  readonly warn: (text: string) => void;
  /** Adds an annotation to the audit event. */
  readonly annotate?: (key: string, value: string) => void;
  /** Takes note of the time that is not the server's own. */
  readonly trail?: Trail;
  readonly limit: Limit;
};

/** Which resource the URL names; throws the 404 that upstream's router would give. */
export function servedFor(core: Core, info: RequestInfo): Served {
  const served = core.registry.find(info.group, info.version, info.resource);
  if (served === undefined) throw unknownResource();
  if (!served.kind.namespaced && info.namespace !== "" && !(served.resource === "namespaces" && served.group === "" && info.namespace === info.name)) throw unknownResource();
  if (served.kind.namespaced && info.namespace === "" && info.verb !== "list" && info.verb !== "watch" && (info.verb !== "create" || info.name !== "")) throw info.name === "" ? methodNotAllowed() : unknownResource();
  return served;
}

export async function handleResource(services: Services, context: Context): Promise<HttpResponse> {
  const { core } = services;
  const { info, request } = context;
  const served = servedFor(core, info);
  if (info.verb === "proxy") throw unknownResource();
  if (isNowhere(served, info)) throw unknownResource();
  // Upstream's router knows no HEAD but for what is passed on; custom resources do not pass it.
  if (request.method === "HEAD" && served.kind.custom !== true && info.subresource !== "proxy") throw methodNotAllowed();
  if (served.kind.custom === true) warnOfDeprecation(context, served);
  const call: Call = {
    served, namespace: served.kind.namespaced ? info.namespace : "", name: info.name, subresource: info.subresource, verb: info.verb,
    user: context.user, userAgent: one(request.headers["user-agent"]) ?? "", warn: context.warn, ...(context.annotate === undefined ? {} : { annotate: context.annotate }), trail: context.trail,
    limit: context.limit,
  };
  if (info.subresource !== "") return handleSubresource(services, context, call);
  if (!served.verbs.some(verb => verb === info.verb) || (info.name === "" && (info.verb === "update" || info.verb === "patch"))) throw methodNotAllowed();
  if (served.kind.namespaced && info.namespace === "" && info.verb === "create" && served.kind.virtual !== true) throw methodNotAllowed();
  if (info.verb === "create" && info.name !== "") throw methodNotAllowed();
  const virtual = services.subresources.find(served.kind, "");
  if (virtual !== undefined) return virtual.handle(services, context, call);
  return handleVerb(services, context, call);
}

/** Built-in kinds: once upstream's router has let the request through. */
export function warnOfDeprecation({ warn, annotate }: Context, { kind }: Served): void {
  if (kind.deprecated === undefined) return;
  warn(kind.deprecated);
  annotate?.("k8s.io/deprecated", "true");
}

/** The object's own verbs; also those of `status` and other subresources that are views of the same object. */
export async function handleVerb(services: Services, context: Context, call: Call): Promise<HttpResponse> {
  const { core } = services;
  const { info, request } = context;
  // Only the object itself and its status are shown in columns.
  const custom = call.served.kind.custom === true;
  const rules = custom ? customForms : call.subresource === "" || call.subresource === "status" ? allForms : plainForms;
  const view = { core, served: call.served, output: custom ? outputOf(request, info, rules, false) : routedOutput(context, call.served, rules), query: info.query };
  switch (info.verb) {
    case "get":
      refuseExport(info.query);
      return showObject(200, view, await get(core, call, info.query.get("resourceVersion") ?? ""));
    case "list": return showList(view, await list(core, call, listOptions(info.query, false)));
    case "watch": return startWatch(services, call, view, info);
    case "create": return createObject(services, context, call, view);
    case "update": return updateObject(services, context, call, view);
    case "patch": return patchObject(services, context, call, view);
    case "delete": return deleteObject(services, context, call, view);
    case "deletecollection": return deleteCollection(services, context, call, view);
    default: throw methodNotAllowed();
  }
}

async function showObject(status: number, view: View, answer: Answer): Promise<HttpResponse> {
  await prepareServed(view.served, [answer.object]);
  return sendObject(status, view, answer);
}

async function showList(view: View, listed: Listed): Promise<HttpResponse> {
  const { core, served, query } = view;
  // What was selected by its fields has been converted for that.
  const fresh = (query.get("fieldSelector") ?? "") === "";
  if (served.kind.conversion !== undefined) await prepareServed(served, listed.entries.map(entry => core.objects.object(entry)), { fresh });
  return sendList(view, listed);
}

/** A parameter that is no more, for who still relies on it (apiserver pkg/endpoints/handlers/get.go). */
function refuseExport(query: URLSearchParams): void {
  const asked = query.get("export");
  if (asked !== null && isTrue(asked)) throw badRequest("the export parameter, deprecated since v1.14, is no longer supported");
}

/** No such part of an object, or more than a part; custom resources do not pass upstream's router, and leave what comes after. */
function isNowhere({ kind, verbs }: Served, { name, subresource, rest, watchPrefix }: RequestInfo): boolean {
  if (subresource !== "" && (watchPrefix || kind.subresources?.includes(subresource) !== true)) return true;
  // What can only be posted has no paths of objects.
  if (name !== "" && subresource === "" && verbs.every(verb => verb === "create")) return true;
  return subresource !== "proxy" && kind.custom !== true && /[^/]/.test(rest);
}

async function handleSubresource(services: Services, context: Context, call: Call): Promise<HttpResponse> {
  const { served, subresource } = call;
  const handler: Subresource | undefined = services.subresources.find(served.kind, subresource);
  if (handler !== undefined) return handler.handle(services, context, call);
  const { verb } = context.info;
  if (!answersVerb(subresource, verb)) throw served.kind.custom === true ? notSupported(served, verb) : methodNotAllowed();
  return handleVerb(services, context, call);
}

/** Custom resources do not pass upstream's router: not `routed`. */
export const outputOf = (request: HttpRequest, info: RequestInfo, rules: OutputRules, routed = true): Output => {
  if (routed) checkPath(request, info);
  return negotiateOutput(request.headers, info.query, rules);
};
const checkPath = (request: HttpRequest, info: RequestInfo): void => checkRoute(request.headers, info.name === "" && request.method === "GET");
/** Likewise; who is let through by the router is told that this is deprecated, also where the form is refused then. */
export function routedOutput(context: Context, served: Served, rules: OutputRules): Output {
  const { request, info } = context;
  checkPath(request, info);
  warnOfDeprecation(context, served);
  return outputOf(request, info, rules, false);
}

async function startWatch({ core, watches }: Services, call: Call, view: View, info: RequestInfo): Promise<HttpResponse> {
  // The deprecated /watch/…/name form is a watch of one object.
  const named = new URLSearchParams(info.query);
  if (info.watchPrefix && info.name !== "") {
    const given = named.get("fieldSelector") ?? "";
    // What may be watched was judged by the name in the path.
    if (given !== "" && selectionOf(call.served.kind, "", given).name !== info.name) throw badRequest("fieldSelector metadata.name doesn't match requested name");
    if (given === "") named.set("fieldSelector", `metadata.name=${info.name}`);
  }
  const encoder = eventEncoder(view);
  const run = await watch(core, call, listOptions(named, true), encoder, watches);
  return { status: 200, headers: { "content-type": encoder.contentType, "cache-control": "no-cache, private" }, content: { type: "stream", run } };
}

async function createObject(services: Services, { request, info, warn }: Context, call: Call, view: View): Promise<HttpResponse> {
  const { core, parseYaml } = services;
  const type = negotiateInput(request.headers, call.served.kind.custom !== true);
  const bytes = await request.body();
  const options = writeOptions("CreateOptions", info.query);
  const object = readBody(bytes, type, expectedOf(core, call.served), { parseYaml, fieldValidation: options.fieldValidation, warn });
  const made = adopt(call.served, object);
  call.trail?.asked?.(askedFor(call.served, made));
  return showObject(201, view, await create(core, call, made, options));
}

async function updateObject(services: Services, { request, info, warn }: Context, call: Call, view: View): Promise<HttpResponse> {
  const { core, parseYaml } = services;
  const { served } = call;
  const type = negotiateInput(request.headers, call.served.kind.custom !== true);
  const bytes = await request.body();
  const options = writeOptions("UpdateOptions", info.query);
  const read = (body: BodyOptions) => readBody(bytes, type, expectedOf(core, served), body);
  let first = read({ parseYaml, fieldValidation: options.fieldValidation, warn });
  call.trail?.asked?.(askedFor(served, adopt(served, structuredClone(first))));
  checkName(call, first.metadata);
  // A redone attempt reads the body again, since every attempt changes its copy.
  const change = () => {
    const object = first ?? read({ parseYaml, fieldValidation: "Ignore", warn });
    first = undefined;
    return adopt(served, object);
  };
  const createAbsent = served.kind.createOnUpdate === true && call.subresource === "";
  const answer = await update(core, call, change, options, { createAbsent, written: true, exactUid: true, authorizeCreate: () => authorizeCreate(core, call, info.path) });
  return showObject(answer.created === true ? 201 : 200, view, answer);
}

/** Creating by PUT or apply takes the permission to create (handlers/create_update authorization). */
export async function authorizeCreate(core: Core, { served, namespace, name, user }: Call, path: string): Promise<void> {
  const attributes = { verb: "create", group: served.group, version: served.version, resource: served.resource, subresource: "", namespace, name, path, resourceRequest: true };
  const decision = await core.authorizer.authorize(user, attributes);
  if (!decision.allowed) throw refusalOf(user, attributes, decision);
}

export const patchTypes: ReadonlyMap<string, Patch["type"]> = new Map<string, Patch["type"]>([
  ["application/json-patch+json", "json"], ["application/merge-patch+json", "merge"],
  ["application/strategic-merge-patch+json", "strategic"], ["application/apply-patch+yaml", "apply"],
]);

async function patchObject(services: Services, { request, info, warn }: Context, call: Call, view: View): Promise<HttpResponse> {
  const { core } = services;
  const type = patchTypes.get(mediaTypeOf(request.headers));
  const custom = call.served.kind.custom === true;
  if (type === undefined || (custom && type === "strategic")) throw custom ? unsupportedMediaType([...patchTypes].filter(([, each]) => each !== "strategic").map(([media]) => media)) : noSuchBody();
  const bytes = await request.body();
  const options = writeOptions("PatchOptions", info.query, { apply: type === "apply" });
  // An object that is not there is missed before anybody reads what was to become of it.
  if (type !== "apply" && core.reader.get(call.served.group, call.served.resource, call.namespace, call.name) === undefined) throw notFound(call.served, call.name);
  call.trail?.asked?.("body");
  const given = readPatch(services, type, bytes, options, isTrue(info.query.get("force")));
  const answer = await patch(core, { ...call, warn }, given, options, { authorizeCreate: () => authorizeCreate(core, call, info.path) });
  return showObject(answer.created === true ? 201 : 200, view, answer);
}

export function readPatch({ parseYaml }: Services, type: Patch["type"], bytes: Uint8Array, { fieldValidation }: Pick<WriteOptions, "fieldValidation">, force: boolean): Patch {
  const expected: Expected = { group: "", version: "", kind: "Patch", node: DeleteOptions.node, isKnown: () => true };
  const text = textOf(bytes);
  try {
    if (type === "apply" && text.trim() === "") return { type, body: null, duplicates: [], force };
    const { value, duplicates } = parseText(text, type === "apply" ? yamlType : jsonType, expected, parseYaml);
    // Where fields are checked, the operations are read twice upstream.
    if (type === "json" && fieldValidation !== "Ignore" && value !== null && !Array.isArray(value)) throw badRequest(`json: cannot unmarshal ${typeName(value)} into Go value of type []handlers.jsonPatchOp`);
    return type === "apply" ? { type, body: value, duplicates: duplicatesInYaml(text, duplicates), force } : { type, body: value, duplicates };
  } catch (error) {
    if (!isApiError(error, "BadRequest")) throw error;
    const why = /json parse error: (.*) \([^(]*\)$/s.exec(error.message)?.[1] ?? error.message.replace(/^the object provided is unrecognized \(must be of type Patch\): (.*) \([^(]*\)$/s, "error converting YAML to JSON: $1");
    throw badRequest(type === "apply" ? `error decoding YAML: ${why}` : type === "strategic" ? why : `error decoding patch: ${why}`);
  }
}

/** DeleteOptions from the body in any form and under any group's name, else from the query. */
export async function readDeleteOptions(services: Services, { request, info, warn, trail }: Context) {
  const bytes = await request.body();
  if (bytes.length === 0) return deleteOptions(info.query, undefined);
  const type = negotiateInput(request.headers, true);
  const expected: Expected = { group: "", version: "v1", kind: "DeleteOptions", node: DeleteOptions.node, isKnown: () => true, anyVersion: true };
  const given = readBody(bytes, type, expected, { parseYaml: services.parseYaml, fieldValidation: "Ignore", warn });
  trail?.asked?.({ ...given, kind: "DeleteOptions", apiVersion: "meta.k8s.io/__internal" });
  return deleteOptions(info.query, given);
}

async function deleteObject(services: Services, context: Context, call: Call, view: View): Promise<HttpResponse> {
  const options = await readDeleteOptions(services, context);
  const { served } = call;
  const done = await remove(services.core, call, options);
  const accepted = !done.deleted && options.orphanDependents === false ? 202 : 200;
  if (!done.deleted || served.kind.returnDeleted === true) return showObject(accepted, view, done);
  return sendStatus(200, {
    kind: "Status", apiVersion: "v1", metadata: {}, status: "Success",
    details: { name: call.name, ...(served.group === "" ? {} : { group: served.group }), kind: served.resource, uid: done.object.metadata.uid },
  }, view.output);
}

/** Objects deleted at the same time by one deletecollection. */
const parallelDeletesMax = 16;

async function deleteCollection(services: Services, context: Context, call: Call, view: View): Promise<HttpResponse> {
  const { core } = services;
  // Which ones is asked before how.
  const which = listOptions(context.info.query, false);
  selectionOf(call.served.kind, which.labelSelector, which.fieldSelector);
  const options = await readDeleteOptions(services, context);
  adviseOnDelete(call, options);
  const listed = await list(core, call, which);
  const waiting = [...listed.entries];
  const work = async (): Promise<void> => {
    for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
      const { name, namespace, uid } = core.objects.object(entry).metadata;
      try {
        await remove(core, { ...call, name, namespace: namespace ?? "" }, { ...options, uid: options.uid ?? uid });
      } catch (error) {
        // Gone or replaced meanwhile: then this one is deleted.
        if (!isApiError(error, "NotFound") && !(isApiError(error, "Conflict") && options.uid === undefined && options.resourceVersion === undefined)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(parallelDeletesMax, waiting.length) }, work));
  return showList(view, listed);
}
