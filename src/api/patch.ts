/** The four kinds of patch, as changes that `update` redoes whenever another write came between (handlers/patch.go). */
import { ApiError } from "../base/api-error.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { applyPatch, type Versions } from "../schema/apply.ts";
import { renderKind, renderObject } from "../schema/apply-validate.ts";
import { goFormat } from "../schema/go-format.ts";
import { withNulls } from "../schema/go-nulls.ts";
import { decode, DecodeError, type Decoded } from "../schema/decode.ts";
import { jsonPatch, typeName } from "../schema/json-patch.ts";
import { managerOf } from "../schema/managed-fields.ts";
import { mergePatch } from "../schema/merge-patch.ts";
import { goEscaped, goQuote, invalidValue } from "../schema/problem.ts";
import { strategicMerge } from "../schema/strategic-merge.ts";
import type { Node } from "../schema/t.ts";
import { stringifyJson } from "../base/json-codec.ts";
import type { Answer, Call, Core } from "./core.ts";
import { badRequest, conflict, invalid, notFound } from "./errors.ts";
import type { FieldValidation, WriteOptions } from "./options.ts";
import { noText } from "./body.ts";
import { adopt, asServed, checkName, matchNamespace } from "./strategy.ts";
import { expectedOf, groupOf, isVersionless, orExpected, metaKinds, scheme, typeMetaOf, typeMismatch, versionOf, type TypeMeta } from "./type-meta.ts";
import { versionsOf, withVersions } from "./versions.ts";
import { resetFields, update, type UpdateMode } from "./write.ts";

export type Patch =
  | { readonly type: "json" | "merge" | "strategic"; readonly body: Json; readonly duplicates: readonly string[] }
  | { readonly type: "apply"; readonly body: Json; readonly duplicates: readonly string[]; readonly force: boolean };

/** `createMode` carries the permission that creating by apply needs. */
export function patch(core: Core, call: Call, given: Patch, options: WriteOptions, createMode: Pick<UpdateMode, "authorizeCreate"> = {}): Promise<Answer> {
  if (given.type === "apply") return update(core, call, live => applied(core, call, given, live, options), options, { ...createMode, createAbsent: call.subresource === "", applied: true });
  const { type, duplicates } = given;
  return update(core, call, previous => {
    if (previous === undefined) throw notFound(call.served, call.name);
    const { node } = call.served;
    const original = withNulls(node, asServed(call.served, previous)) as JsonObject;
    return readPatched(core, call, given, original, patchJson(node, original, given), duplicates.map(path => (type === "json" ? `json patch duplicate field ${goQuote(path)}` : `duplicate field ${goQuote(path)}`)), options.fieldValidation);
  }, options, { written: true });
}

/** The document after the patch, whatever it is now; before, it was `written` with Go's nulls. */
export function patchJson(node: Node, written: JsonObject, { type, body }: Patch & { readonly type: "json" | "merge" | "strategic" }): Json {
  if (type === "json") return jsonPatch(written, body);
  if (type === "merge") return mergePatch(written, body);
  return refuseAsBadRequest(() => strategicMerge(node, written, body));
}

/** Upstream answers 500 to some patches that contradict themselves or their schema; they are the client's fault, and we say so. */
function refuseAsBadRequest<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof ApiError && error.code === 500) throw badRequest(error.message);
    throw error;
  }
}

type Shown = { readonly type: Patch["type"]; readonly body: Json; /** What was patched, if it is known. */ readonly original?: Json; readonly custom?: boolean };

/** A strategic patch is shown itself, as Go prints it; of an apply its object's name; of others what they have made. */
function refusalOf({ type, body, original, custom }: Shown, patched: Json): (why: string) => ApiError {
  if (type === "apply" && isObject(body)) {
    const names = body as JsonObject & { readonly apiVersion: string; readonly kind: string };
    return why => badRequest(`failed to convert new object (${renderObject(body, names)}) to proper version: unable to convert unstructured object to ${renderKind(names)}: ${why}`);
  }
  return why => invalid({ group: "", kind: "" }, "", [{ field: "patch", reason: "Invalid", value: type === "strategic" ? goFormat(body) : goEscaped(stringifyJson(inOrder(patched, custom === true ? undefined : original, type === "json" && custom !== true))), detail: why }]);
}

/** As upstream's libraries write it: objects that were gone through have their keys in order, all others keep theirs. `asGiven`: those that came new, too. */
function inOrder(value: Json, original: Json | undefined, asGiven: boolean): Json {
  if (value === original || typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) {
    const kept = new Set(Array.isArray(original) ? original : []);
    return (value as readonly Json[]).map(item => (kept.has(item) ? item : inOrder(item, undefined, asGiven)));
  }
  if (asGiven && !isObject(original ?? null)) return value;
  const object = value as JsonObject;
  return Object.fromEntries(Object.keys(object).sort().map(key => [key, inOrder(object[key]!, isObject(original ?? null) ? (original as JsonObject)[key] : undefined, asGiven)]));
}

/** Reads what a patch made as the kind again; what is wrong with it is the patch's fault. */
export function readAs(node: Node, patched: Json, shown: Shown = { type: "json", body: null }): Decoded {
  const refuse = refusalOf(shown, patched);
  if (!isObject(patched)) throw refuse("json: cannot unmarshal into Go value");
  try {
    return decode(node, patched, shown.type === "strategic" ? "converter" : shown.type === "apply" ? "applied" : "json");
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
}

/** The patched object must again be one of its kind; what is wrong with it is the patch's fault. */
function readPatched(core: Core, call: Call, { type, body }: Patch, original: Json, patched: Json, strict: readonly string[], validation: FieldValidation): any {
  const { served } = call, custom = served.node.custom !== undefined;
  const refuse = refusalOf({ type, body, original, custom }, patched);
  const complainOf = (unknown: readonly string[]) => complain([...strict, ...unknown.map(path => `unknown field ${type === "strategic" ? `"${path}"` : goQuote(path)}`)], validation, call, refuse);
  if (type !== "strategic" && isObject(patched)) checkPatchedType(core, call, patched, custom, refuse, complainOf);
  const decoded = readAs(served.node, patched, { type, body, original, custom });
  // What other patches have made is read as JSON that Go wrote, keys in order.
  complainOf(type === "strategic" ? decoded.unknown : [...decoded.unknown].sort());
  if (custom && call.subresource !== "status") checkCustomType(served, call.name, typeMetaOf(patched as JsonObject) as TypeMeta);
  return identified(call, true, decoded.object);
}

/** What a patched document says it is. */
function checkPatchedType(core: Core, call: Call, patched: JsonObject, custom: boolean, refuse: (why: string) => ApiError, complainOf: (unknown: readonly string[]) => void): void {
  const { served } = call, given = typeMetaOf(patched);
  if (typeof given === "string") throw refuse(given);
  if (custom) {
    if (given.kind === "") throw refuse(`Object 'Kind' is missing in '${stringifyJson(inOrder(patched, undefined, false))}'`);
    if (patched.apiVersion === null) throw refuse(noText("apiVersion"));
    if (versionOf(given.apiVersion) === "") throw badRequest("Object 'apiVersion' is missing in 'object has no apiVersion field'");
    return;
  }
  if (isVersionless(given.apiVersion, served)) {
    if (given.kind !== "" && given.kind !== served.kind.kind && !metaKinds.has(given.kind) && !core.registry.all().some(other => other.group === served.group && other.kind.kind === given.kind)) throw refuse(`no kind ${goQuote(given.kind)} is registered for the internal version of group ${goQuote(served.group)} in ${scheme}`);
    // Quirk: without a version it is read as upstream's internal type, in which no field has the name that it has in JSON.
    complainOf(Object.keys(patched).filter(key => key !== "apiVersion" && key !== "kind").sort());
    return checkName(call, {});
  }
  const expected = expectedOf(core, served), type = orExpected(given, expected), mismatch = typeMismatch(type, expected);
  if (mismatch !== undefined && !(type.kind === expected.kind && expected.isKnown(type.apiVersion, type.kind))) throw refuse(mismatch);
}

/** The result of a patch is still the object of the URL (handlers/patch.go applyPatch); a uid wants an object that is there. */
function identified(call: Call, exists: boolean, object: any): any {
  const { uid } = object.metadata;
  if (!exists && (uid ?? "") !== "") throw conflict(call.served, call.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`);
  matchNamespace(call.served.kind, object.metadata, call.namespace);
  checkName(call, object.metadata);
  return adopt(call.served, object);
}

/** A patch does not make a custom resource one of another kind or version (apiextensions pkg/registry/customresource/validator.go ValidateTypeMeta). */
function checkCustomType({ apiVersion: wantedVersion, kind: { kind: wanted } }: Call["served"], name: string, { apiVersion, kind }: TypeMeta): void {
  const wrong = [...(kind === wanted ? [] : [invalidValue("kind", kind, `must be ${wanted}`)]), ...(apiVersion === wantedVersion ? [] : [invalidValue("apiVersion", apiVersion, `must be ${wantedVersion}`)])];
  if (wrong.length > 0) throw invalid({ group: groupOf(apiVersion), kind }, name, wrong);
}

/** An applied configuration that is none; an empty one is an object without a type. */
export const notAnObject = (body: Json): ApiError => badRequest(body === null ? "invalid object type: /, Kind=" : `error decoding YAML: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${typeName(body)} into Go value of type map[string]interface {}`);

function complain(strict: readonly string[], validation: FieldValidation, call: Call, refuse: (why: string) => Error): void {
  if (strict.length === 0 || validation === "Ignore") return;
  if (validation === "Strict") throw refuse(`strict decoding error: ${strict.join(", ")}`);
  for (const text of strict) call.warn(text);
}

function applied(core: Core, call: Call, { body, duplicates, force }: Patch & { readonly type: "apply" }, live: any | undefined, options: WriteOptions): any | Promise<any> {
  const { served, subresource } = call;
  if (!isObject(body)) throw notAnObject(body);
  const metadata = isObject(body.metadata) ? body.metadata : {};
  if (duplicates.length > 0 && options.fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`);
  if (options.fieldValidation === "Warn") for (const text of duplicates) call.warn(text);
  // What the schema does not know is refused by apply itself, whatever fieldValidation says.
  const apply = (versions: Versions): any => identified(call, live !== undefined, readAs(served.node, refuseAsBadRequest(() => applyPatch({
    node: served.node, versions, live: live === undefined ? undefined : withoutVersion(withNulls(served.node, asServed(served, live)), metadata), applied: body, manager: managerOf(options.fieldManager, call.userAgent),
    apiVersion: served.apiVersion, kind: served.kind.kind, force, now: core.clock.now(), ...(subresource === "" ? {} : { subresource }), reset: resetFields(served.kind, subresource),
  })), { type: "apply", body }).object);
  return served.kind.conversion === undefined ? apply(versionsOf(core.registry, served)) : withVersions(core.registry, served, apply);
}

/** A configuration that names no resourceVersion is applied to whatever is there. */
function withoutVersion(live: any, applied: JsonObject): JsonObject {
  if (applied.resourceVersion !== undefined) return live;
  const { resourceVersion: _, ...metadata } = live.metadata;
  return { ...live, metadata };
}
