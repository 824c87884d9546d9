/**
 * What the server decides about every object, whatever its kind (apiserver pkg/registry/rest): who may write which part
 * through which endpoint, uid, times, generation, and what of metadata may never change. Kinds add only their own rules.
 */
import { sameJson } from "../base/json.ts";
import { copyJson } from "../base/json-codec.ts";
import { timeOf } from "../base/time.ts";
import { apiVersionOf, type AnyKind, type PrepareContext, type Problem } from "../kinds/kind.ts";
import { amongst, inOrder } from "../schema/problem-order.ts";
import { finalizerWarnings, repeatedOnUpdate, validateObjectMeta } from "../kinds/meta/rules.ts";
import { decode } from "../schema/decode.ts";
import { applyDefaults } from "../schema/defaults.ts";
import { withNulls } from "../schema/go-nulls.ts";
import type { Steps } from "../schema/t.ts";
import { validate } from "../schema/validate.ts";
import type { Hooks } from "./core.ts";
import { badRequest, invalid } from "./errors.ts";
import type { Served } from "./registry.ts";

/** A decoded object of the served version as one of the stored version, with defaults. Takes the object over. */
export function adopt(served: Served, decoded: any): any {
  const { kind, convert } = served;
  // A custom resource is stored with the fields of the version it came in, whatever the stored version's schema names.
  const object: any = convert === undefined ? decoded : kind.custom === true ? convert.toStored(decoded) : decode(kind.schema.node, convert.toStored(decoded)).object;
  setServedDefaults(served, object);
  return object;
}

/** What a client's object says, as the audit keeps it: in the version that it came in, with its defaults. */
export function askedFor(served: Served, adopted: any): any {
  const { apiVersion: _a, kind: _k, ...rest } = asServed(served, adopted);
  return structuredClone({ kind: served.kind.kind, apiVersion: served.apiVersion, ...withNulls(served.node, rest) });
}

/** Custom resources have the defaults of the version in the URL, all others those of what is stored. */
export function setServedDefaults({ kind, node }: Served, object: any): void {
  if (kind.custom === true) applyDefaults(node, object);
  else setDefaults(kind, object);
}

export function setDefaults(kind: AnyKind, object: any): void {
  applyDefaults(kind.schema.node, object);
  kind.defaults?.(object);
}

/** Before stored objects are shown in this version: what somebody else must convert is. `fresh` false: once is enough. */
export async function prepareServed({ kind, apiVersion }: Served, objects: readonly any[], how?: { readonly fresh?: boolean }): Promise<void> {
  await kind.conversion?.prepare(objects, apiVersion, how);
}

/** A stored object as the one that a change starts from. */
export async function startingFrom(served: Served, object: any): Promise<any> {
  if (served.kind.conversion === undefined) return object;
  await prepareServed(served, [object]);
  return asServed(served, object);
}

/** As it is stored: a custom resource in its definition's storage version. */
export async function asStored({ kind }: Served, object: any): Promise<any> {
  const { storedAs, conversion } = kind;
  if (storedAs === undefined || object.apiVersion === storedAs) return object;
  const stored = conversion === undefined ? { ...object, apiVersion: storedAs } : (await conversion.convert([object], storedAs))[0];
  if (kind.custom === true && storedAs === apiVersionOf(kind)) applyDefaults(kind.schema.node, stored);
  return stored;
}

/** The stored object as a client of this version sees it. */
export function asServed(served: Served, object: any): any {
  return served.convert === undefined ? object : { ...(served.convert.fromStored(object) as object), apiVersion: served.apiVersion, kind: served.kind.kind };
}

/** The fields that make up an object besides its type and metadata: a custom resource may have any. */
function fieldsOf(kind: AnyKind, ...objects: readonly any[]): readonly string[] {
  if (kind.custom !== true) return Object.keys(kind.fields);
  return [...new Set(objects.flatMap(object => Object.keys(object)))].filter(name => name !== "apiVersion" && name !== "kind" && name !== "metadata");
}

export const hasStatus = (kind: AnyKind): boolean => kind.subresources?.includes("status") === true;

/** Takes away what a client may not bring to a create; afterwards the object names its own type and namespace. */
/** What nobody sets of an object that is to be made (apiserver pkg/registry/rest/meta.go, WipeObjectMetaSystemFields). */
export function wipeSystemFields(metadata: any): void {
  delete metadata.deletionTimestamp;
  delete metadata.deletionGracePeriodSeconds;
  delete metadata.selfLink;
  delete metadata.uid;
  delete metadata.creationTimestamp;
}

export function wipeForCreate(served: Served, object: any, namespace: string): void {
  const { metadata } = object;
  object.kind = served.kind.kind;
  // A custom resource stays what its client made it until it is stored.
  object.apiVersion = served.kind.custom === true ? served.apiVersion : apiVersionOf(served.kind);
  wipeSystemFields(metadata);
  if (hasStatus(served.kind) && served.kind.statusOnCreate !== true) dropStatus(served.kind, object);
  matchNamespace(served.kind, metadata, namespace);
}

/** A kind's object of which nothing was said. */
const blanks = new WeakMap<AnyKind, any>();

function dropStatus(kind: AnyKind, object: any): void {
  if (kind.custom === true) return void delete object.status;
  if (!("status" in kind.fields)) return;
  let blank = blanks.get(kind);
  if (blank === undefined) blanks.set(kind, (blank = decode(kind.schema.node, { metadata: {} }).object));
  // Most clients give none.
  if (sameJson(object.status, blank.status)) return;
  delete object.status;
  if (blank.status !== undefined) object.status = copyJson(blank.status);
  setDefaults(kind, object);
}

/** rest.EnsureObjectNamespaceMatchesRequestNamespace: absent takes the request's, cluster-scoped kinds have none. */
export function matchNamespace(kind: AnyKind, metadata: any, namespace: string): void {
  if (!kind.namespaced) delete metadata.namespace;
  else if ((metadata.namespace ?? "") === "") metadata.namespace = namespace;
  else if (metadata.namespace !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
}

/** What a client wrote, or its patch made, must be of the name and namespace in the URL (handlers/rest.go checkName). */
export function checkName({ name, namespace }: { readonly name: string; readonly namespace: string }, metadata: any): void {
  const given = metadata.name ?? "";
  // Before the name (rest.EnsureObjectNamespaceMatchesRequestNamespace).
  if (namespace !== "" && (metadata.namespace ?? "") !== "" && metadata.namespace !== namespace) throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  if (given === "") throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  if (given !== name) throw badRequest(`the name of the object (${given}) does not match the name on the URL (${name})`);
}

/** System fields, in the order Go writes metadata. */
export function stampNew(kind: AnyKind, object: any, name: string, uid: string, now: number): void {
  const { name: _, generateName, namespace, generation, ...rest } = object.metadata;
  object.metadata = {
    name, ...(generateName === undefined ? {} : { generateName }), ...(namespace === undefined ? {} : { namespace }), uid,
    // Quirk: kinds that do not count their generations keep what a client says of it.
    ...(kind.generation !== undefined ? { generation: 1 } : generation === undefined ? {} : { generation }), creationTimestamp: timeOf(now), ...rest,
  };
}

/** Keeps from what is stored everything that this endpoint does not write. */
export function limitToEndpoint(kind: AnyKind, hooks: Hooks | undefined, subresource: string, next: any, previous: any): void {
  next.kind = previous.kind;
  next.apiVersion = previous.apiVersion;
  if (subresource !== "" && hooks?.limit?.(subresource, next, previous) === true) return;
  const keep = (field: string): void => {
    if (previous[field] === undefined) delete next[field];
    else next[field] = copyJson(previous[field]);
  };
  if (subresource === "status") {
    for (const field of fieldsOf(kind, next, previous)) if (field !== "status") keep(field);
    // Quirk: a custom resource's metadata cannot be written through its status. See apiextensions pkg/registry/customresource/status_strategy.go.
    if (kind.custom === true || kind.statusAlone === true) next.metadata = { ...copyJson(previous.metadata), ...(next.metadata.managedFields === undefined ? {} : { managedFields: next.metadata.managedFields }) };
  } else if ((subresource === "" && hasStatus(kind)) || subresource !== "") keep("status");
}

/** rest.BeforeUpdate: what an update cannot touch is taken from what is stored. The generation is counted when all changes are made: whoever makes some sees the old one. */
export function stampUpdate(kind: AnyKind, next: any, previous: any): void {
  const old = previous.metadata;
  const { name, generateName, namespace, uid, generation: _g, creationTimestamp: _c, resourceVersion: _r, deletionTimestamp, deletionGracePeriodSeconds: grace, selfLink: _s, ...rest } = next.metadata;
  const kept = (field: string, value: unknown) => (value === undefined || value === null || value === "" ? {} : { [field]: value });
  next.metadata = {
    ...kept("name", name), ...kept("generateName", generateName), ...kept("namespace", namespace), uid: uid === undefined || uid === "" ? old.uid : uid,
    ...kept("generation", old.generation), creationTimestamp: old.creationTimestamp,
    ...kept("deletionTimestamp", old.deletionTimestamp ?? deletionTimestamp), ...kept("deletionGracePeriodSeconds", grace ?? old.deletionGracePeriodSeconds),
    ...rest,
  };
}

export function countGeneration(kind: AnyKind, next: any, previous: any, subresource: string): void {
  if (kind.generation === true && specChanged(kind, next, previous, subresource)) next.metadata.generation = (previous.metadata.generation ?? 0) + 1;
}

/** Anything but metadata and status; spec alone where there is one. */
function specChanged(kind: AnyKind, next: any, previous: any, subresource: string): boolean {
  const fields = kind.custom !== true && "spec" in kind.fields ? ["spec"] : fieldsOf(kind, next, previous).filter(field => field !== "status" || (kind.custom === true && !hasStatus(kind)));
  return fields.some(field => !sameJson(next[field], previous[field])) || (kind.generationBy !== undefined && subresource !== "status" && !sameJson(next.metadata[kind.generationBy] ?? {}, previous.metadata[kind.generationBy] ?? {}));
}

/** Prepares and checks what is about to be stored; throws Invalid with every problem. A promise where the check takes so long that others have a `turn` in between. */
export function prepareAndValidate({ kind, node }: Served, hooks: Hooks | undefined, next: any, previous: any | undefined, context: PrepareContext & { readonly writer: string; readonly warn: (text: string) => void }, turn: () => Promise<void>): Promise<void> | undefined {
  hooks?.prepare?.(next, previous);
  kind.prepare?.(next, previous, context);
  if (previous !== undefined) stampGenerationAfterPrepare(kind, next, previous, context.subresource);
  const root = kind.custom === true ? node : kind.schema.node;
  const found = validate(root, next, previous);
  const metadata = validateObjectMeta(kind, previous === undefined ? next.metadata : { ...next.metadata, resourceVersion: previous.metadata.resourceVersion }, previous?.metadata);
  const more = hooks?.problems?.(next, previous, context);
  const conclude = (also: readonly Problem[] = []): void => {
    const ruled = kind.rules === undefined ? [] : [...kind.rules(next, previous, context)];
    if (metadata.length + found.length + ruled.length + also.length > 0)
      throw invalid(kind, next.metadata.name ?? "", [...(previous === undefined ? metadata : repeatedOnUpdate(kind, metadata)), ...(kind.custom === true ? [...found, ...ruled, ...also] : [...amongst(root, also, inOrder(root, found, ruled, kind.checkOrder), kind.checkOrder)])]);
    const { subresource, warn } = context;
    const advice = subresource === "" || subresource === "scale" ? kind.warnings?.(next, previous) : subresource === "status" ? kind.statusWarnings?.(next) : undefined;
    if (advice !== undefined) for (const text of advice) warn(text);
    if (subresource === "" && hooks?.warnings !== undefined) for (const text of hooks.warnings(next, previous)) warn(text);
    if (subresource === "" && kind.custom === true && next.metadata.finalizers !== undefined) for (const text of finalizerWarnings(next.metadata, previous?.metadata)) warn(text);
  };
  const steps = root.custom?.rules(next, previous, found);
  // Only custom resources have steps, and they have no hooks.
  if (steps === undefined) return more === undefined ? void conclude() : more.then(conclude);
  const concludeAfter = (): void => {
    conclude(steps.problems);
  };
  return steps.step() ? void concludeAfter() : finish(steps, turn).then(concludeAfter);
}

async function finish(steps: Steps, turn: () => Promise<void>): Promise<void> {
  do await turn(); while (!steps.step());
}

/** `prepare` may undo a change to the spec (a field the server owns): the generation follows what is really stored. */
function stampGenerationAfterPrepare(kind: AnyKind, next: any, previous: any, subresource: string): void {
  if (kind.generation !== true) return;
  const old = previous.metadata.generation ?? 0;
  const changed = specChanged(kind, next, previous, subresource);
  if (changed !== next.metadata.generation > old) next.metadata.generation = changed ? old + 1 : old;
}
