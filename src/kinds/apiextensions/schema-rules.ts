/** What a definition's schema may say (apiextensions pkg/apiserver/schema/validation.go and complete.go, pkg/apis/apiextensions/validation/validation.go). */
import { isObject, sameJson } from "../../base/json.ts";
import { forbidden, invalidValue, notSupported, problemBody, type Problem, required } from "../../schema/problem.ts";

type Named = { readonly [name: string]: any };
type Level = "root" | "field" | "item";

const types = ["array", "boolean", "integer", "number", "object", "string"];
const unsupported = ["id", "additionalItems", "patternProperties", "definitions", "dependencies", "$ref"] as const;
const junctors = ["allOf", "anyOf", "oneOf"] as const;
const schemaDepthMax = 100;
const isOn = (schema: Named, name: string): boolean => schema[name] === true;
const isGiven = (value: unknown): boolean => value !== undefined && value !== "" && !(isObject(value) && Object.keys(value).length === 0);
const propertiesOf = (schema: Named | undefined): readonly (readonly [string, Named])[] => Object.entries<Named>(schema?.["properties"] ?? {});
const byText = (problems: readonly Problem[]): readonly Problem[] => problems.map(each => ({ each, text: `${each.field}: ${problemBody(each)}` })).sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ each }) => each);

/** Everything wrong with the schema of a version. */
export function* schemaRules(schema: Named, path: string): Iterable<Problem> {
  if (isDeeper(schema, schemaDepthMax)) return void (yield forbidden(path, "is nested too deeply"));
  if (isOn(schema, "nullable")) yield forbidden(`${path}.nullable`, "nullable cannot be true at the root");
  const built = !hasUnsupported(schema);
  if (built) yield* byText([...invariants(schema, "root", path), ...completeness(schema, schema, path, path)]);
  const problems = [...openapiRules(schema, path, { isRoot: true, insideMeta: false, noDefaults: "" })];
  yield* problems;
  if (!built && problems.length === 0) yield invalidValue(path, "", "OpenAPIV3Schema 'schema' is not supported");
}

/** Schemas directly inside, of every sort. */
function inside(schema: Named): readonly Named[] {
  return [...propertiesOf(schema).map(([, each]) => each), ...junctors.flatMap(name => (schema[name] ?? []) as readonly Named[]), ...[schema["items"], schema["additionalProperties"], schema["not"]].flat().filter(isObject)] as readonly Named[];
}
function isDeeper(schema: Named, levels: number): boolean {
  return levels < 0 || inside(schema).some(each => isDeeper(each, levels - 1));
}
/** There is no structural schema of what has keywords of others. */
function hasUnsupported(schema: Named): boolean {
  return [...unsupported, "$schema"].some(name => isGiven(schema[name])) || schema["x-kubernetes-preserve-unknown-fields"] === false || Array.isArray(schema["items"]) || inside(schema).some(hasUnsupported);
}

const intOrString = [{ type: "integer" }, { type: "string" }];
const isIntOrString = (alternatives: unknown): boolean => sameJson(alternatives, intOrString);

function* invariants(schema: Named, level: Level, path: string): Iterable<Problem> {
  const { type = "" } = schema, items = schema["items"], more = schema["additionalProperties"];
  const embedded = isOn(schema, "x-kubernetes-embedded-resource"), any = isOn(schema, "x-kubernetes-int-or-string"), preserves = isOn(schema, "x-kubernetes-preserve-unknown-fields");
  if (type === "array" && items === undefined) yield required(`${path}.items`, "must be specified");
  if (isObject(items)) yield* invariants(items as Named, "item", `${path}.items`);
  for (const [name, each] of propertiesOf(schema)) yield* invariants(each, "field", `${path}.properties[${name}]`);
  if (more !== undefined && level === "root") yield forbidden(`${path}.additionalProperties`, "must not be used at the root");
  if (isObject(more)) yield* invariants(more as Named, "field", `${path}.additionalProperties`);
  if (any && preserves) yield invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, true, "must be false if x-kubernetes-int-or-string is true");
  if (any && embedded) yield invalidValue(`${path}.x-kubernetes-embedded-resource`, true, "must be false if x-kubernetes-int-or-string is true");
  yield* valueRules(schema, isIntOrString(schema["anyOf"]), isIntOrString(schema["allOf"]?.[0]?.anyOf), path);
  if (embedded && type !== "object") yield type === "" ? required(`${path}.type`, "must be object if x-kubernetes-embedded-resource is true") : invalidValue(`${path}.type`, type, "must be object if x-kubernetes-embedded-resource is true");
  else if (type === "" && !any && !preserves) yield required(`${path}.type`, level === "root" ? "must not be empty at the root" : level === "item" ? "must not be empty for specified array items" : "must not be empty for specified object fields");
  if (embedded && more !== undefined) yield forbidden(`${path}.additionalProperties`, "must not be used if x-kubernetes-embedded-resource is set");
  if (level === "root" && type !== "" && type !== "object") yield invalidValue(`${path}.type`, type, "must be object at the root");
  const properties: Named = schema["properties"] ?? {}, whole = level === "root" || embedded;
  for (const name of ["kind", "apiVersion"] as const) if (whole && properties[name] !== undefined && properties[name].type !== "string") yield invalidValue(`${path}.properties[${name}].type`, properties[name].type ?? "", "must be string");
  if (properties["metadata"] !== undefined) yield* metadataRules(properties["metadata"] as Named, whole, level, `${path}.properties[metadata]`);
  if (embedded && !preserves && Object.keys(properties).length === 0) yield required(`${path}.properties`, "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields");
}

function* metadataRules(metadata: Named, whole: boolean, level: Level, path: string): Iterable<Problem> {
  if (whole && metadata["type"] !== "object") yield invalidValue(`${path}.type`, metadata["type"] ?? "", "must be object");
  if (level !== "root") return;
  const { type: _type, default: _default, properties = {}, ...rest } = metadata;
  const names = Object.keys(properties as Named);
  if (Object.keys(rest).length > 0 || names.some(name => name !== "name" && name !== "generateName")) yield forbidden(path, "must not specify anything other than name and generateName, but metadata is implicitly specified");
}

/** What combines schemas only narrows. */
function* valueRules(schema: Named, skipAnyOf: boolean, skipFirst: boolean, path: string): Iterable<Problem> {
  for (const [i, each] of (skipAnyOf ? [] : (schema["anyOf"] ?? []) as readonly Named[]).entries()) yield* nestedRules(each, false, false, `${path}.anyOf[${i}]`);
  for (const [i, each] of ((schema["allOf"] ?? []) as readonly Named[]).entries()) yield* nestedRules(each, skipFirst && i === 0, false, `${path}.allOf[${i}]`);
  for (const [i, each] of ((schema["oneOf"] ?? []) as readonly Named[]).entries()) yield* nestedRules(each, false, false, `${path}.oneOf[${i}]`);
  if (isObject(schema["not"])) yield* nestedRules(schema["not"] as Named, false, false, `${path}.not`);
}
const nestedForbidden = [
  ["type", "empty"], ["default", "undefined"], ["title", "empty"], ["description", "empty"], ["nullable", "false"], ["x-kubernetes-preserve-unknown-fields", "false"], ["x-kubernetes-embedded-resource", "false"], ["x-kubernetes-int-or-string", "false"],
  ["x-kubernetes-list-map-keys", "empty"], ["x-kubernetes-list-type", "undefined"], ["x-kubernetes-map-type", "undefined"], ["x-kubernetes-validations", "empty"],
] as const;
function* nestedRules(schema: Named, skipAnyOf: boolean, skipFirst: boolean, path: string): Iterable<Problem> {
  yield* valueRules(schema, skipAnyOf, skipFirst, path);
  if (isObject(schema["items"])) yield* nestedRules(schema["items"] as Named, false, false, `${path}.items`);
  for (const [name, each] of propertiesOf(schema)) yield* nestedRules(each, false, false, `${path}.properties[${name}]`);
  if (schema["additionalProperties"] !== undefined) yield forbidden(`${path}.additionalProperties`, "must be undefined to be structural");
  for (const [name, wanted] of nestedForbidden) {
    const value = schema[name];
    if (value !== undefined && value !== "" && value !== false && !(Array.isArray(value) && value.length === 0)) yield forbidden(`${path}.${name}`, `must be ${wanted} to be structural`);
  }
  if (schema["properties"]?.metadata !== undefined) yield forbidden(`${path}.properties[metadata]`, "must not be specified in a nested context");
}

/** What alternatives speak of is declared outside of them. */
function* completeness(schema: Named, outer: Named | undefined, outerPath: string, path: string): Iterable<Problem> {
  const nested: readonly (readonly [Named, string])[] = [...(isObject(schema["not"]) ? [[schema["not"] as Named, `${path}.not`] as const] : []), ...junctors.flatMap(name => ((schema[name] ?? []) as readonly Named[]).map((each, i) => [each, `${path}.${name}[${i}]`] as const))];
  for (const [each, here] of nested) yield* nestedCompleteness(each, outer, outerPath, here);
}
function* nestedCompleteness(schema: Named, outer: Named | undefined, outerPath: string, path: string): Iterable<Problem> {
  if (outer === undefined) return void (yield required(outerPath, `because it is defined in ${path}`));
  yield* completeness(schema, outer, outerPath, path);
  if (isObject(schema["items"])) yield* nestedCompleteness(schema["items"] as Named, outer["items"] as Named | undefined, `${outerPath}.items`, `${path}.items`);
  for (const [name, each] of propertiesOf(schema)) yield* nestedCompleteness(each, outer["properties"]?.[name] as Named | undefined, `${outerPath}.properties[${name}]`, `${path}.properties[${name}]`);
}

/** `noDefaults`: why there may be none. */
type Place = { readonly isRoot: boolean; readonly insideMeta: boolean; readonly noDefaults: string };

function* openapiRules(schema: Named, path: string, place: Place): Iterable<Problem> {
  const { type = "" } = schema, items = schema["items"], more = schema["additionalProperties"], below: Place = { ...place, isRoot: false };
  if (type !== "" && !types.includes(type)) yield notSupported(`${path}.type`, type, types);
  if (schema["default"] !== undefined && place.noDefaults !== "") yield forbidden(`${path}.default`, `must not be set ${place.noDefaults}`);
  for (const name of unsupported) if (isGiven(schema[name])) yield forbidden(`${path}.${name}`, `${name} is not supported`);
  if (type === "null") yield forbidden(`${path}.type`, "type cannot be set to null, use nullable as an alternative");
  if (Array.isArray(items)) yield forbidden(`${path}.items`, "items must be a schema object and not an array");
  const embedded = isOn(schema, "x-kubernetes-embedded-resource");
  if (place.insideMeta && embedded) yield forbidden(`${path}.x-kubernetes-embedded-resource`, "must not be used inside of resource meta");
  if (isOn(schema, "uniqueItems")) yield forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  if (more !== undefined && more !== true && propertiesOf(schema).length > 0) yield forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive");
  if (isObject(more)) yield* openapiRules(more as Named, `${path}.additionalProperties`, place.insideMeta ? { ...below, noDefaults: "inside additionalProperties applying to object metadata" } : below);
  for (const [name, each] of propertiesOf(schema)) {
    const meta = (place.isRoot || embedded) && ["metadata", "kind", "apiVersion"].includes(name);
    yield* openapiRules(each, `${path}.properties[${name}]`, meta ? { isRoot: false, insideMeta: true, noDefaults: place.isRoot ? `in top-level ${name}` : place.noDefaults } : below);
  }
  if (isObject(schema["not"])) yield* openapiRules(schema["not"] as Named, `${path}.not`, below);
  for (const name of ["allOf", "oneOf", "anyOf"] as const) for (const [i, each] of ((schema[name] ?? []) as readonly Named[]).entries()) yield* openapiRules(each, `${path}.${name}[${i}]`, below);
  if (isObject(items)) yield* openapiRules(items as Named, `${path}.items`, below);
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) yield invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined");
  yield* kindRules(schema["x-kubernetes-map-type"], "object", "x-kubernetes-map-type", ["atomic", "granular"], type, path);
  yield* listRules(schema, path);
}

function* kindRules(given: string | undefined, wanted: string, name: string, values: readonly string[], type: string, path: string): Iterable<Problem> {
  if (given === undefined) return;
  if (type !== wanted) yield type === "" ? required(`${path}.type`, `must be ${wanted} if ${name} is specified`) : invalidValue(`${path}.type`, type, `must be ${wanted} if ${name} is specified`);
  if (!values.includes(given)) yield notSupported(`${path}.${name}`, given, values);
}

function* listRules(schema: Named, path: string): Iterable<Problem> {
  const { type = "" } = schema, kind: string | undefined = schema["x-kubernetes-list-type"], keys: readonly string[] = schema["x-kubernetes-list-map-keys"] ?? [], items = schema["items"];
  yield* kindRules(kind, "array", "x-kubernetes-list-type", ["atomic", "set", "map"], type, path);
  const single = isObject(items) ? (items as Named) : undefined;
  if (kind === "set" && type === "array" && single !== undefined) {
    const shown = single["x-kubernetes-list-type"] ?? null;
    if (single["type"] === "array" && shown !== null && shown !== "atomic") yield invalidValue(`${path}.items.x-kubernetes-list-type`, shown, "must be atomic as item of a list with x-kubernetes-list-type=set");
    if (single["type"] === "object" && single["x-kubernetes-map-type"] !== "atomic") yield invalidValue(`${path}.items.x-kubernetes-map-type`, shown, "must be atomic as item of a list with x-kubernetes-list-type=set");
  }
  if (keys.length > 0 && kind !== "map") yield kind === undefined ? required(`${path}.x-kubernetes-list-type`, "must be map if x-kubernetes-list-map-keys is non-empty") : invalidValue(`${path}.x-kubernetes-list-type`, kind, "must be map if x-kubernetes-list-map-keys is non-empty");
  if (kind === "map") {
    if (keys.length === 0) yield required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map");
    if (items === undefined) yield required(`${path}.items`, "must have a schema if x-kubernetes-list-type is map");
    else if (single === undefined) yield invalidValue(`${path}.items`, items, "must only have a single schema if x-kubernetes-list-type is map");
    else if (single["type"] !== "object") yield invalidValue(`${path}.items.type`, single["type"] ?? "", "must be object if parent array's x-kubernetes-list-type is map");
    else for (const [i, key] of keys.entries()) {
      const property: Named | undefined = single["properties"]?.[key];
      if (property === undefined) yield invalidValue(`${path}.x-kubernetes-list-map-keys`, keys, "entries must all be names of item properties");
      // Quirk: it is the item's type that is told.
      else if (property["type"] === "array" || property["type"] === "object") yield invalidValue(`${path}.items.properties[${key}].type`, single["type"], "must be a scalar type if parent array's x-kubernetes-list-type is map");
      if (keys.indexOf(key) < i) yield invalidValue(`${path}.x-kubernetes-list-map-keys`, keys, "must not contain duplicate entries");
    }
  }
  if (single === undefined || (kind !== "set" && kind !== "map")) return;
  if (isOn(single, "nullable")) yield forbidden(`${path}.items.nullable`, `cannot be nullable when x-kubernetes-list-type is ${kind}`);
  for (const key of kind === "map" ? keys : []) {
    const property: Named | undefined = single["properties"]?.[key];
    if (property === undefined) continue;
    if (single["required"]?.includes(key) !== true && property["default"] === undefined) yield required(`${path}.items.properties[${key}].default`, "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
    if (isOn(property, "nullable")) yield forbidden(`${path}.items.properties[${key}].nullable`, "this property is in x-kubernetes-list-map-keys, so it cannot be nullable");
  }
}
