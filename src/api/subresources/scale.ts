/** `scale`: a workload's size as an object of its own, for autoscalers and `kubectl scale` (pkg/registry/apps/deployment/storage). */
import { isObject, setOwn, type JsonObject } from "../../base/json.ts";
import { copyJson } from "../../base/json-codec.ts";
import { selectorFromSet, selectorOf } from "../../base/selector.ts";
import { CustomScale, Scale } from "../../kinds/autoscaling/scale.ts";
import { apiVersionOf, type AnyKind } from "../../kinds/kind.ts";
import { applyPatch, updateManagedFields } from "../../schema/apply.ts";
import { managerOf, parentManagedFields, scaleManagedFields } from "../../schema/managed-fields.ts";
import { invalidValue } from "../../schema/problem.ts";
import { readBody } from "../body.ts";
import type { Call, Core } from "../core.ts";
import { badRequest, invalid, methodNotAllowed, notSupported, unsupportedMediaType } from "../errors.ts";
import type { HttpResponse } from "../http.ts";
import { allForms, mediaTypeOf, negotiateInput } from "../negotiate.ts";
import { writeOptions, type WriteOptions } from "../options.ts";
import { patchJson, readAs } from "../patch.ts";
import { get } from "../read.ts";
import { isTrue } from "../request-info.ts";
import { expectedOf, outputOf, patchTypes, readPatch, type Context, type Services } from "../resources.ts";
import { sendOther } from "../respond.ts";
import { checkName, startingFrom } from "../strategy.ts";
import { update } from "../write.ts";
import type { Subresource } from "./subresource.ts";

const type = { apiVersion: "autoscaling/v1", kind: "Scale", node: Scale.schema.node };

export const scale: Subresource = {
  async handle(services: Services, context: Context, call: Call): Promise<HttpResponse> {
    const { core } = services;
    const { request, info } = context;
    const custom = call.served.kind.custom === true;
    const view = { core, output: outputOf(request, info, allForms, !custom), query: info.query };
    const kind = custom ? CustomScale : Scale;
    if (info.verb === "get") return sendOther(200, view, kind, scaleOf(call.served.kind, await startingFrom(call.served, (await get(core, call, info.query.get("resourceVersion") ?? "")).object)));
    if (info.verb !== "update" && info.verb !== "patch") throw custom ? notSupported(call.served, info.verb) : methodNotAllowed();
    const [wanted, options] = info.verb === "update" ? await fromBody(services, context, call) : await fromPatch(services, context, call);
    return sendOther(200, view, kind, scaleOf(call.served.kind, await resize(core, call, wanted, options)));
  },
};

/** Makes the new Scale from the current one, managedFields included where an apply has set them. */
type Wanted = { readonly applied: boolean; scale(current: any): any };

async function fromBody({ core, parseYaml }: Services, { request, info, warn }: Context, call: Call): Promise<[Wanted, WriteOptions]> {
  const media = negotiateInput(request.headers, true);
  const bytes = await request.body();
  const options = writeOptions("UpdateOptions", info.query);
  const body = readBody(bytes, media, expectedOf(core, { kind: Scale, group: "autoscaling", version: "v1", node: Scale.schema.node }), { parseYaml, fieldValidation: options.fieldValidation, warn });
  call.trail?.asked?.({ ...structuredClone(body), kind: Scale.kind, apiVersion: apiVersionOf(Scale) });
  checkName(call, body.metadata);
  return [{ applied: false, scale: () => body }, options];
}

async function fromPatch(services: Services, { request, info, trail }: Context, call: Call): Promise<[Wanted, WriteOptions]> {
  const kind = patchTypes.get(mediaTypeOf(request.headers));
  if (kind === undefined) throw unsupportedMediaType([...patchTypes.keys()]);
  const bytes = await request.body();
  const options = writeOptions("PatchOptions", info.query, { apply: kind === "apply" });
  trail?.asked?.("body");
  const given = readPatch(services, kind, bytes, isTrue(info.query.get("force")));
  const { node } = Scale.schema;
  const patched = (current: JsonObject): any => {
    if (given.type !== "apply") return patchJson(node, current, { ...given, type: given.type });
    if (!isObject(given.body)) throw badRequest("error decoding YAML: the body is not an object");
    const { resourceVersion: _, ...metadata } = current.metadata as JsonObject;
    return applyPatch({ node, live: { ...current, metadata }, applied: given.body, manager: managerOf(options.fieldManager, call.userAgent), apiVersion: type.apiVersion, kind: type.kind, force: given.force, now: services.core.clock.now(), subresource: "scale" });
  };
  return [{ applied: given.type === "apply", scale: current => readAs(node, patched(current)).object }, options];
}

async function resize(core: Core, call: Call, wanted: Wanted, options: WriteOptions): Promise<any> {
  const answer = await update(core, call, previous => {
    const { kind } = call.served;
    const current = scaleOf(kind, previous);
    const path = (kind.scale?.spec ?? "spec.replicas").split(".");
    const replicasPath = path.map(name => `f:${name}`);
    const before = scaleManagedFields(previous.metadata.managedFields, replicasPath);
    const live = { ...current, metadata: { ...current.metadata, ...(before === undefined ? {} : { managedFields: before }) } };
    const next = wanted.scale(live);
    const replicas = next.spec?.replicas ?? 0;
    if (replicas < 0) throw invalid(Scale, call.name, [invalidValue("spec.replicas", replicas, "must be greater than or equal to 0")]);
    const entries = wanted.applied ? next.metadata.managedFields : updateManagedFields({
      node: Scale.schema.node, before: live, after: next, manager: managerOf(options.fieldManager, call.userAgent), apiVersion: type.apiVersion, now: core.clock.now(), subresource: "scale",
    });
    const made = copyJson(previous);
    put(made, path, replicas);
    made.metadata.managedFields = parentManagedFields(previous.metadata.managedFields, entries, { apiVersion: call.served.apiVersion, replicas: replicasPath });
    if (made.metadata.managedFields === undefined) delete made.metadata.managedFields;
    made.metadata.uid = next.metadata.uid ?? previous.metadata.uid;
    made.metadata.resourceVersion = next.metadata.resourceVersion;
    return made;
  }, options, { applied: true });
  return startingFrom(call.served, answer.object);
}

function put(object: any, [name = "", ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) return setOwn(object, name, value);
  if (!Object.hasOwn(object, name) || !isObject(object[name])) setOwn(object, name, {});
  put(object[name], rest, value);
}
const read = (object: any, path: string): any => path.split(".").reduce((value, name) => (isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), object);

export function scaleOf({ scale: paths }: AnyKind, object: any): any {
  const { metadata, spec } = object;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  const replicas = read(object, paths?.spec ?? "spec.replicas");
  const selector = paths === undefined ? spec.selector : paths.selector === undefined ? undefined : read(object, paths.selector);
  const text = typeof selector === "string" ? selector : selector === undefined ? "" : (selector.matchLabels === undefined && selector.matchExpressions === undefined ? selectorFromSet(selector) : selectorOf(selector)).toString();
  return {
    ...{ kind: type.kind, apiVersion: type.apiVersion }, metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { ...(replicas === 0 || replicas === undefined ? {} : { replicas }) }, status: { replicas: read(object, paths?.status ?? "status.replicas") ?? 0, ...(text === "" ? {} : { selector: text }) },
  };
}
