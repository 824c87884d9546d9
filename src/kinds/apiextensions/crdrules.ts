/** Rules and defaults of CustomResourceDefinitions (apiextensions pkg/apis/apiextensions/validation, v1/defaults.go). */
import { isObject, sameJson } from "../../base/json.ts";
import { checkClient } from "../admissionregistration/rules.ts";
import * as grammar from "../../schema/grammar.ts";
import { duplicate, forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";

type Named = { readonly [name: string]: any };

export function defaultDefinition({ spec }: any): void {
  const { names } = spec;
  if (names?.kind !== undefined && names.kind !== "") {
    names.singular ??= names.kind.toLowerCase();
    names.listKind ??= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

export function prepareDefinition(next: any, previous: any | undefined): void {
  if (previous === undefined) next.status = { conditions: [], acceptedNames: { kind: "", plural: "" }, storedVersions: next.spec.versions.filter((version: Named) => version["storage"] === true).map((version: Named) => version["name"]) };
  else {
    const storage = next.spec.versions.find((version: Named) => version["storage"] === true)?.name;
    if (storage !== undefined && next.status?.storedVersions?.includes(storage) === false) next.status = { ...next.status, storedVersions: [...next.status.storedVersions, storage] };
  }
}

/** Groups of the project itself: only with its consent. */
const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/;

export function* definitionRules(next: any, previous: any | undefined): Iterable<Problem> {
  const { metadata, spec } = next;
  const { group, names, scope, versions } = spec;
  if (metadata.name !== `${names.plural}.${group}`) yield invalidValue("metadata.name", metadata.name, `must be spec.names.plural+"."+spec.group`);
  if (protectedGroup.test(group) && previous === undefined) {
    const approval = metadata.annotations?.["api-approved.kubernetes.io"] ?? "";
    if (approval === "") yield required("metadata.annotations[api-approved.kubernetes.io]", "protected groups must have approval annotation \"api-approved.kubernetes.io\", see https://github.com/kubernetes/enhancements/pull/1111");
    else if (!/^https?:\/\//.test(approval) && !approval.startsWith("unapproved")) yield invalidValue("metadata.annotations[api-approved.kubernetes.io]", approval, "protected groups must have approval annotation \"api-approved.kubernetes.io\" with either a URL or a reason starting with \"unapproved\", see https://github.com/kubernetes/enhancements/pull/1111");
  }
  if (group === "") yield required("spec.group");
  else if (grammar.grammars["dns-1123-subdomain"]!(group).length > 0) yield invalidValue("spec.group", group, grammar.grammars["dns-1123-subdomain"]!(group).join(","));
  else if (!group.includes(".")) yield invalidValue("spec.group", group, "should be a domain with at least one dot");
  if (scope === "") yield required("spec.scope");
  else if (scope !== "Namespaced" && scope !== "Cluster") yield notSupported("spec.scope", scope, ["Cluster", "Namespaced"]);
  for (const name of ["plural", "singular"] as const) {
    const value = names[name] ?? "";
    if (value === "") yield required(`spec.names.${name}`);
    else for (const detail of grammar.grammars["dns-1035-label"]!(value)) yield invalidValue(`spec.names.${name}`, value, detail);
  }
  for (const name of ["kind", "listKind"] as const) {
    const value = names[name] ?? "";
    if (value === "") yield required(`spec.names.${name}`);
    else for (const detail of grammar.grammars["dns-1035-label"]!(value.toLowerCase())) yield invalidValue(`spec.names.${name}`, value, `may have mixed case, but should otherwise match: ${detail}`);
  }
  if (names.kind !== undefined && names.kind === names.listKind) yield invalidValue("spec.names.listKind", names.listKind, "kind and listKind may not be the same");
  yield* conversionRules(spec.conversion ?? {});
  if (spec.conversion?.strategy === "Webhook" && spec.preserveUnknownFields === true) yield invalidValue("spec.conversion.strategy", "Webhook", "must be None if spec.preserveUnknownFields is true");
  yield* versionRules(versions ?? []);
  if (previous === undefined) return;
  if (holds(previous, "Established")) {
    if (scope !== previous.spec.scope) yield invalidValue("spec.scope", scope, "field is immutable");
    if (names.kind !== previous.spec.names.kind) yield invalidValue("spec.names.kind", names.kind, "field is immutable");
  }
  if (group !== previous.spec.group) yield invalidValue("spec.group", group, "field is immutable");
  if (names.plural !== previous.spec.names.plural) yield invalidValue("spec.names.plural", names.plural, "field is immutable");
  const known = new Set((versions ?? []).map((version: Named) => version["name"]));
  for (const [i, stored] of (next.status?.storedVersions ?? []).entries()) if (!known.has(stored)) yield invalidValue(`status.storedVersions[${i}]`, stored, "missing from spec.versions; stored versions must remain in spec.versions until no objects of them are stored");
}

/** Quirk: upstream names the places that these fields had in v1beta1. */
function* conversionRules({ strategy = "None", webhook }: Named): Iterable<Problem> {
  const path = "spec.conversion";
  if (strategy === "") yield required(`${path}.strategy`);
  else if (strategy !== "None" && strategy !== "Webhook") yield notSupported(`${path}.strategy`, strategy, ["None", "Webhook"]);
  const { clientConfig, conversionReviewVersions: versions = [] } = webhook ?? {};
  if (strategy !== "Webhook") {
    if (clientConfig !== undefined) yield forbidden(`${path}.webhookClientConfig`, "should not be set when strategy is not set to Webhook");
    if (versions.length > 0) yield forbidden(`${path}.conversionReviewVersions`, "should not be set when strategy is not set to Webhook");
    return;
  }
  const problems: Problem[] = [];
  if (clientConfig === undefined) yield required(`${path}.webhookClientConfig`, "required when strategy is set to Webhook");
  else checkClient(clientConfig, `${path}.webhookClientConfig`, problems);
  yield* problems;
  if (versions.length === 0) return void (yield required(`${path}.conversionReviewVersions`));
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    if (seen.has(version)) yield invalidValue(`${path}.conversionReviewVersions[${i}]`, version, "duplicate version");
    else for (const detail of grammar.dns1035Label(version)) yield invalidValue(`${path}.conversionReviewVersions[${i}]`, version, detail);
    seen.add(version);
  }
  if (!seen.has("v1") && !seen.has("v1beta1")) yield invalidValue(`${path}.conversionReviewVersions`, versions, "must include at least one of v1, v1beta1");
}

function* versionRules(versions: readonly Named[]): Iterable<Problem> {
  const seen = new Set<string>();
  for (const [i, version] of versions.entries()) {
    const path = `spec.versions[${i}]`;
    const name: string = version["name"] ?? "";
    if (seen.has(name)) yield duplicate(`${path}.name`, name);
    seen.add(name);
    for (const detail of grammar.grammars["dns-1035-label"]!(name)) yield invalidValue(`${path}.name`, name, detail);
    const schema = version["schema"]?.openAPIV3Schema;
    if (schema === undefined) yield required(`${path}.schema.openAPIV3Schema`, "schemas are required");
    if (version["deprecationWarning"] !== undefined && version["deprecated"] !== true) yield invalidValue(`${path}.deprecationWarning`, version["deprecationWarning"], "can only be set for deprecated versions");
  }
  for (const { schema, path } of schemasOf(versions)) yield* schemaRules(schema, path, "root", 0);
  const storage = versions.filter(version => version["storage"] === true);
  if (storage.length !== 1) yield invalidValue("spec.versions", versions, "must have exactly one version marked as storage version");
}

/** Each schema with its path in messages. Quirk: where all versions have the same one, upstream names the place it had in v1beta1. */
export function schemasOf(versions: readonly Named[]): readonly { readonly schema: Named; readonly path: string }[] {
  const all = versions.flatMap((version, i) => (version["schema"]?.openAPIV3Schema === undefined ? [] : [{ schema: version["schema"].openAPIV3Schema as Named, path: `spec.versions[${i}].schema.openAPIV3Schema` }]));
  const same = all.length === versions.length && all.every(({ schema }) => sameJson(schema, all[0]!.schema));
  return same ? all.slice(0, 1).map(({ schema }) => ({ schema, path: "spec.validation.openAPIV3Schema" })) : all;
}

const types = new Set(["array", "boolean", "integer", "number", "object", "string"]);
const unsupported = ["$ref", "definitions", "dependencies", "patternProperties", "additionalItems", "$schema", "id"] as const;
const schemaDepthMax = 100;

/** What makes a schema structural: every value has a type, and what combines schemas only narrows. */
function* schemaRules(schema: Named, path: string, place: "root" | "field" | "item", depth: number): Iterable<Problem> {
  if (depth > schemaDepthMax) return void (yield forbidden(path, "is nested too deeply"));
  const { type = "" } = schema;
  const anyType = schema["x-kubernetes-int-or-string"] === true || schema["x-kubernetes-preserve-unknown-fields"] === true;
  if (type === "" && !(anyType && place !== "root")) yield required(`${path}.type`, place === "root" ? "must not be empty at the root" : place === "item" ? "must not be empty for specified array items" : "must not be empty for specified object fields");
  else if (type !== "" && !types.has(type)) yield notSupported(`${path}.type`, type, [...types].sort());
  if (place === "root" && type !== "" && type !== "object") yield invalidValue(`${path}.type`, type, "must be object at the root");
  for (const keyword of unsupported) if (schema[keyword] !== undefined && schema[keyword] !== "") yield forbidden(`${path}.${keyword}`, `${keyword} is not supported`);
  if (schema["x-kubernetes-preserve-unknown-fields"] === false) yield invalidValue(`${path}.x-kubernetes-preserve-unknown-fields`, false, "must be true or undefined");
  if (schema["uniqueItems"] === true) yield forbidden(`${path}.uniqueItems`, "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  const more = schema["additionalProperties"];
  if (Object.keys(schema["properties"] ?? {}).length > 0 && more !== undefined && more !== true) yield forbidden(`${path}.additionalProperties`, "additionalProperties and properties are mutual exclusive");
  if (schema["additionalProperties"] === false) yield forbidden(`${path}.additionalProperties`, "additionalProperties cannot be set to false");
  if (type === "array" && schema["items"] === undefined) yield required(`${path}.items`, "must be specified");
  if (Array.isArray(schema["items"])) yield forbidden(`${path}.items`, "items must be a schema object and not an array");
  yield* listRules(schema, path);
  for (const [name, field] of Object.entries<Named>(schema["properties"] ?? {})) {
    if (place === "root" && name === "metadata") continue;
    yield* schemaRules(field, `${path}.properties[${name}]`, "field", depth + 1);
  }
  if (isObject(schema["items"])) yield* schemaRules(schema["items"] as Named, `${path}.items`, "item", depth + 1);
  if (isObject(schema["additionalProperties"])) yield* schemaRules(schema["additionalProperties"] as Named, `${path}.additionalProperties`, "field", depth + 1);
  for (const junctor of ["allOf", "anyOf", "oneOf"] as const) for (const [i, each] of (schema[junctor] ?? []).entries()) yield* junctorRules(each, schema, `${path}.${junctor}[${i}]`);
  if (isObject(schema["not"])) yield* junctorRules(schema["not"] as Named, schema, `${path}.not`);
}

function* listRules(schema: Named, path: string): Iterable<Problem> {
  const kind = schema["x-kubernetes-list-type"];
  const keys: readonly string[] | undefined = schema["x-kubernetes-list-map-keys"];
  if (kind !== undefined && schema["type"] !== "array") yield invalidValue(`${path}.type`, schema["type"] ?? "", "must be array if x-kubernetes-list-type is set");
  if (kind !== undefined && !["atomic", "set", "map"].includes(kind)) yield notSupported(`${path}.x-kubernetes-list-type`, kind, ["atomic", "map", "set"]);
  if (keys !== undefined && kind !== "map") yield invalidValue(`${path}.x-kubernetes-list-type`, kind ?? null, "must be map if x-kubernetes-list-map-keys is non-empty");
  if (kind === "map" && (keys?.length ?? 0) === 0) yield required(`${path}.x-kubernetes-list-map-keys`, "must not be empty if x-kubernetes-list-type is map");
  for (const key of kind === "map" ? (keys ?? []) : []) {
    const items: Named = schema["items"] ?? {};
    if (items["properties"]?.[key] === undefined) yield invalidValue(`${path}.x-kubernetes-list-map-keys`, keys, "entries must all be names of item properties");
    else if (items["properties"][key].default === undefined && items["required"]?.includes(key) !== true) yield required(`${path}.items.properties[${key}].default`, "this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property");
  }
}

/** Inside allOf and the like only values are narrowed; fields are declared outside. */
function* junctorRules(inner: Named, outer: Named, path: string): Iterable<Problem> {
  const anywhere = outer["x-kubernetes-int-or-string"] === true;
  for (const keyword of ["type", "default", "description", "title", "nullable", "additionalProperties", "x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"] as const) {
    if (inner[keyword] === undefined || (keyword === "type" && anywhere)) continue;
    yield forbidden(`${path}.${keyword}`, keyword === "type" ? "must be empty to be structural" : "must be undefined to be structural");
  }
  for (const name of Object.keys(inner["properties"] ?? {})) if (outer["properties"]?.[name] === undefined && outer["x-kubernetes-preserve-unknown-fields"] !== true) yield required(`${path.replace(/\.(allOf|anyOf|oneOf)\[\d+\]$|\.not$/, "")}.properties[${name}]`, `because it is defined in ${path}.properties[${name}]`);
}

function holds(crd: any, type: string): boolean {
  return crd.status?.conditions?.some((condition: any) => condition.type === type && condition.status === "True") === true;
}

