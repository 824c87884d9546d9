/** `scale`: a workload's size as an object of its own, for autoscalers and `kubectl scale` (pkg/registry/apps/deployment/storage). */
import { isObject, type JsonObject } from "../../base/json.ts";
import { CustomScale, Scale } from "../../kinds/autoscaling/scale.ts";
import { apiVersionOf } from "../../kinds/kind.ts";
import { applyPatch, updateManagedFields } from "../../schema/apply.ts";
import { managerOf, parentManagedFields, scaleManagedFields } from "../../schema/managed-fields.ts";
import { readBody } from "../body.ts";
import type { Call, Core } from "../core.ts";
import { methodNotAllowed, noSuchBody, notSupported, unsupportedMediaType } from "../errors.ts";
import type { HttpResponse } from "../http.ts";
import { allForms, mediaTypeOf, negotiateInput } from "../negotiate.ts";
import { writeOptions, type WriteOptions } from "../options.ts";
import { notAnObject, patchJson, readAs } from "../patch.ts";
import { get } from "../read.ts";
import { isTrue } from "../request-info.ts";
import { outputOf, patchTypes, readPatch, type Context, type Services } from "../resources.ts";
import { sendOther } from "../respond.ts";
import { checkName, startingFrom } from "../strategy.ts";
import { update } from "../write.ts";
import { replicasPath, scaleOf, scaleType as type, withReplicas } from "./scale-of.ts";
import type { Subresource } from "./subresource.ts";
import { expectedOf } from "../type-meta.ts";

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
  if (kind === undefined) throw call.served.kind.custom === true ? unsupportedMediaType([...patchTypes.keys()]) : noSuchBody();
  const bytes = await request.body();
  const options = writeOptions("PatchOptions", info.query, { apply: kind === "apply" });
  trail?.asked?.("body");
  const given = readPatch(services, kind, bytes, options, isTrue(info.query.get("force")));
  const { node } = Scale.schema;
  const patched = (current: JsonObject): any => {
    if (given.type !== "apply") return patchJson(node, current, { ...given, type: given.type });
    if (!isObject(given.body)) throw notAnObject(given.body);
    const { resourceVersion: _, ...metadata } = current.metadata as JsonObject;
    return applyPatch({ node, live: { ...current, metadata }, applied: given.body, manager: managerOf(options.fieldManager, call.userAgent), apiVersion: type.apiVersion, kind: type.kind, force: given.force, now: services.core.clock.now(), subresource: "scale" });
  };
  return [{ applied: given.type === "apply", scale: current => readAs(node, patched(current)).object }, options];
}

async function resize(core: Core, call: Call, wanted: Wanted, options: WriteOptions): Promise<any> {
  const answer = await update(core, call, previous => {
    const { kind } = call.served;
    const current = scaleOf(kind, previous);
    const path = replicasPath(kind).map(name => `f:${name}`);
    const before = scaleManagedFields(previous.metadata.managedFields, path);
    const live = { ...current, metadata: { ...current.metadata, ...(before === undefined ? {} : { managedFields: before }) } };
    const next = wanted.scale(live);
    const replicas = next.spec?.replicas ?? 0;
    const made = withReplicas(kind, previous, replicas);
    const entries = wanted.applied ? next.metadata.managedFields : updateManagedFields({
      node: Scale.schema.node, before: live, after: next, manager: managerOf(options.fieldManager, call.userAgent), apiVersion: type.apiVersion, now: core.clock.now(), subresource: "scale",
    });
    made.metadata.managedFields = parentManagedFields(previous.metadata.managedFields, entries, { apiVersion: call.served.apiVersion, replicas: path });
    if (made.metadata.managedFields === undefined) delete made.metadata.managedFields;
    made.metadata.uid = next.metadata.uid ?? previous.metadata.uid;
    made.metadata.resourceVersion = next.metadata.resourceVersion;
    return made;
  }, options, { applied: true });
  return startingFrom(call.served, answer.object);
}
