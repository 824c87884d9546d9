/** Rules and defaults of CustomResourceDefinitions (apiextensions pkg/apis/apiextensions/validation, v1/defaults.go). */
import { decodeBase64 } from "../../base/base64.ts";
import { type Json, sameJson } from "../../base/json.ts";
import { checkClient } from "../admissionregistration/rules.ts";
import * as grammar from "../../schema/grammar.ts";
import { forbidden, invalidValue, notSupported, type Problem, required } from "../../schema/problem.ts";
import { goValue } from "../../schema/go-value.ts";
import type { Node } from "../../schema/t.ts";
import { schemaRules } from "./schema-rules.ts";

type Named = { readonly [name: string]: any };

export function defaultDefinition({ spec }: any): void {
  const { names } = spec;
  if (names?.kind !== undefined && names.kind !== "") {
    names.singular ??= names.kind.toLowerCase();
    names.listKind ??= `${names.kind}List`;
  }
  spec.conversion ??= { strategy: "None" };
  const { webhook } = spec.conversion;
  // Upstream's internal type has its parts alone.
  if (webhook !== undefined && webhook.clientConfig === undefined && (webhook.conversionReviewVersions ?? []).length === 0) delete spec.conversion.webhook;
  const service = spec.conversion.webhook?.clientConfig?.service;
  if (service !== undefined) service.port ??= 443;
}

export function prepareDefinition(next: any, previous: any | undefined): void {
  if (previous === undefined) next.status = { conditions: [], acceptedNames: { kind: "", plural: "" }, storedVersions: next.spec.versions.filter((version: Named) => version["storage"] === true).map((version: Named) => version["name"]) };
  else {
    // The version that is stored from now on; and none at all is never so (apis/apiextensions/v1/defaults.go).
    const storage = next.spec.versions.find((version: Named) => version["storage"] === true)?.name;
    const stored: readonly string[] = next.status?.storedVersions ?? [];
    if (storage !== undefined && !stored.includes(storage) && (stored.length === 0 || !sameJson(next.spec.versions, previous.spec.versions))) next.status = { ...next.status, storedVersions: [...stored, storage] };
  }
}

/** Groups of the project itself: only with its consent. */
const protectedGroup = /(^|\.)(k8s|kubernetes)\.io$/;

/** `version`: what a definition's versions are. */
export function* definitionRules(version: Node, next: any, previous: any | undefined): Iterable<Problem> {
  const { metadata, spec } = next;
  // What was let in stays, and a write of the status says what it says.
  if (previous !== undefined && sameJson(spec, previous.spec)) return;
  const { group, names, scope, versions } = spec;
  if (previous === undefined && metadata.name && metadata.name !== `${names.plural}.${group}`) yield invalidValue("metadata.name", metadata.name, `must be spec.names.plural+"."+spec.group`);
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
  yield* versionRules(version, versions ?? []);
  for (const name of ["plural", "singular", "kind", "listKind"] as const) if ((names[name] ?? "") === "") yield required(`spec.names.${name}`);
  const word = (path: string, value: string, lead = ""): readonly Problem[] => { const details = grammar.grammars["dns-1035-label"]!(lead === "" ? value : value.toLowerCase()); return details.length === 0 ? [] : [invalidValue(path, value, lead + details.join(","))]; };
  for (const name of ["plural", "singular"] as const) if ((names[name] ?? "") !== "") yield* word(`spec.names.${name}`, names[name]);
  for (const name of ["kind", "listKind"] as const) if ((names[name] ?? "") !== "") yield* word(`spec.names.${name}`, names[name], "may have mixed case, but should otherwise match: ");
  for (const name of ["shortNames", "categories"] as const) for (const [i, each] of (names[name] ?? []).entries()) yield* word(`spec.names.${name}[${i}]`, each);
  if ((names.kind ?? "") !== "" && names.kind === names.listKind) yield invalidValue("spec.names.listKind", names.listKind, "kind and listKind may not be the same");
  if (spec.preserveUnknownFields === true && previous?.spec.preserveUnknownFields !== true) yield invalidValue("spec.preserveUnknownFields", true, "cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead");
  yield* sharedRules(versions ?? []);
  if (spec.conversion?.strategy === "Webhook" && spec.preserveUnknownFields === true) yield invalidValue("spec.conversion.strategy", "Webhook", "must be None if spec.preserveUnknownFields is true");
  yield* conversionRules(spec.conversion ?? {});
  const storedVersions: readonly string[] = next.status?.storedVersions ?? [], known = new Set((versions ?? []).map((version: Named) => version["name"]));
  if (storedVersions.length === 0) yield invalidValue("status.storedVersions", null, "must have at least one stored version");
  for (const [i, stored] of storedVersions.entries()) if (!known.has(stored)) yield invalidValue(`status.storedVersions[${i}]`, stored, `missing from spec.versions; ${stored} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${stored} and removes ${stored} from status.storedVersions`);
  if (previous === undefined) return;
  const bundle = bundleOf(spec);
  if (holds(previous, "Established") && !isPem(bundle) && isPem(bundleOf(previous.spec))) yield invalidValue("spec.conversion.webhookClientConfig.caBundle", bundle, "unable to load root certificates: unable to parse bytes as PEM block");
  if (holds(previous, "Established")) {
    if (scope !== previous.spec.scope) yield invalidValue("spec.scope", scope, "field is immutable");
    if (names.kind !== previous.spec.names.kind) yield invalidValue("spec.names.kind", names.kind, "field is immutable");
  }
  if (group !== previous.spec.group) yield invalidValue("spec.group", group, "field is immutable");
  if (names.plural !== previous.spec.names.plural) yield invalidValue("spec.names.plural", names.plural, "field is immutable");
}

/** Quirk: upstream names the places that these fields had in v1beta1. */
function* conversionRules({ strategy = "", webhook }: Named): Iterable<Problem> {
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

function* versionRules(node: Node, versions: readonly Named[]): Iterable<Problem> {
  for (const [i, version] of versions.entries()) if (version["schema"]?.openAPIV3Schema === undefined) yield required(`spec.versions[${i}].schema.openAPIV3Schema`);
  const shared = [...Object.keys(parts), "selectableFields"].filter(name => isShared(versions, name));
  for (const [i, version] of versions.entries()) {
    const path = `spec.versions[${i}]`, name: string = version["name"] ?? "", details = grammar.grammars["dns-1035-label"]!(name);
    if (details.length > 0) yield invalidValue(`${path}.name`, name, details.join(","));
    yield* deprecationRules(version, `${path}.deprecationWarning`);
    for (const [part, rules] of Object.entries(parts)) if (!shared.includes(part) && version[part] !== undefined) yield* rules(version[part], `${path}.${part}`);
  }
  const shown = versions.length === 0 ? null : versions.map(version => goValue(node, { ...version, ...Object.fromEntries(shared.map(part => [part, undefined])) }));
  if (new Set(versions.map(version => version["name"])).size < versions.length) yield invalidValue("spec.versions", shown, "must contain unique version names");
  if (versions.filter(version => version["storage"] === true).length !== 1) yield invalidValue("spec.versions", shown, "must have exactly one version marked as storage version");
  // Quirk: the first version stands in spec.version too.
  const first: string = versions[0]?.["name"] ?? "", details = grammar.grammars["dns-1035-label"]!(first);
  if (first !== "" && details.length > 0) yield invalidValue("spec.version", first, details.join(","));
}
/** Quirk: what all versions have the same stands in one place to upstream. */
const isShared = (versions: readonly Named[], name: string): boolean => versions.length > 0 && versions.every(version => sameJson((version[name] ?? null) as Json, (versions[0]![name] ?? null) as Json));
export function* perVersion(versions: readonly Named[], name: string, rules: (given: any, path: string) => Iterable<Problem>): Iterable<Problem> {
  if (isShared(versions, name)) yield* versions[0]![name] === undefined ? [] : rules(versions[0]![name], `spec.${name}`);
  else for (const [i, { [name]: each }] of versions.entries()) if (each !== undefined) yield* rules(each, `spec.versions[${i}].${name}`);
}
const parts: { readonly [name: string]: (given: any, path: string) => Iterable<Problem> } = {
  schema: ({ openAPIV3Schema: schema }, path) => (schema === undefined ? [] : schemaRules(schema, `${path}.openAPIV3Schema`)), subresources: subresourceRules, additionalPrinterColumns: columnRules,
};
function* sharedRules(versions: readonly Named[]): Iterable<Problem> {
  for (const [name, rules] of Object.entries(parts)) if (isShared(versions, name) && versions[0]![name] !== undefined) yield* rules(versions[0]![name], name === "schema" ? "spec.validation" : `spec.${name}`);
}

function* deprecationRules({ deprecated, deprecationWarning: warning }: Named, path: string): Iterable<Problem> {
  if (warning === undefined) return;
  if (deprecated !== true) return void (yield invalidValue(path, warning, "can only be set for deprecated versions"));
  if (new TextEncoder().encode(warning).length > 256) yield invalidValue(path, warning, "must be <= 256 characters long");
  if (warning === "") yield invalidValue(path, warning, "must not be an empty string");
  const odd = /[^\P{C}]|[^\P{Z}]/u.exec(warning.replaceAll(" ", "x"));
  if (odd !== null) yield invalidValue(path, warning, `must only contain printable UTF-8 characters; non-printable character found at index ${new TextEncoder().encode(warning.slice(0, odd.index)).length}`);
}

function* subresourceRules({ scale }: Named, path: string): Iterable<Problem> {
  if (scale === undefined) return;
  const check = (field: string, roots: readonly string[], where: string): Problem | undefined => {
    const value: string = scale[field] ?? "", here = `${path}.scale.${field}`;
    if (value === "") return field === "labelSelectorPath" ? undefined : required(here);
    return simplePath(value, here) ?? (roots.some(root => value.startsWith(`.${root}.`)) ? undefined : invalidValue(here, value, `should be a json path under ${where}`));
  };
  for (const problem of [check("specReplicasPath", ["spec"], ".spec"), check("statusReplicasPath", ["status"], ".status"), check("labelSelectorPath", ["spec", "status"], "either .spec or .status")]) if (problem !== undefined) yield problem;
}
const simplePath = (value: string, path: string): Problem | undefined => (value.startsWith(".") ? undefined : invalidValue(path, value, "must be a simple json path starting with ."));

const columnTypes = ["boolean", "date", "integer", "number", "string"], columnFormats = ["byte", "date", "date-time", "double", "float", "int32", "int64", "password"];
function* columnRules(columns: readonly Named[], path: string): Iterable<Problem> {
  for (const [i, { name = "", type = "", format = "", jsonPath = "" }] of columns.entries()) {
    const here = `${path}[${i}]`;
    if (name === "") yield required(`${here}.name`);
    if (type === "") yield required(`${here}.type`, `must be one of ${columnTypes.join(",")}`);
    else if (!columnTypes.includes(type)) yield invalidValue(`${here}.type`, type, `must be one of ${columnTypes.join(",")}`);
    if (format !== "" && !columnFormats.includes(format)) yield invalidValue(`${here}.format`, format, `must be one of ${columnFormats.join(",")}`);
    const problem = jsonPath === "" ? required(`${here}.JSONPath`) : simplePath(jsonPath, `${here}.JSONPath`);
    if (problem !== undefined) yield problem;
  }
}

/** Each schema with its path in messages. Quirk: where all versions have the same one, upstream names the place it had in v1beta1. */
export function schemasOf(versions: readonly Named[]): readonly { readonly schema: Named; readonly path: string }[] {
  const all = versions.flatMap((version, i) => (version["schema"]?.openAPIV3Schema === undefined ? [] : [{ schema: version["schema"].openAPIV3Schema as Named, path: `spec.versions[${i}].schema.openAPIV3Schema` }]));
  const same = all.length === versions.length && all.every(({ schema }) => sameJson(schema, all[0]!.schema));
  return same ? all.slice(0, 1).map(({ schema }) => ({ schema, path: "spec.validation.openAPIV3Schema" })) : all;
}

const bundleOf = ({ conversion }: Named): string => conversion?.webhook?.clientConfig?.caBundle ?? "";
const isPem = (bundle: string): boolean => bundle === "" || new TextDecoder().decode(decodeBase64(bundle)).includes("-----BEGIN ");
function holds(crd: any, type: string): boolean {
  return crd.status?.conditions?.some((condition: any) => condition.type === type && condition.status === "True") === true;
}

