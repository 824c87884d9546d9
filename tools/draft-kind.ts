/**
 * Drafts kind files once from the facts in ../shared/reference: `node tools/draft-kind.ts Deployment apps/v1/ReplicaSet …`.
 * What it writes is ours from then on: existing files are left alone unless `--force` is given. Shared schemas go where `themes` says,
 * the rest into the file of the only kind that uses them. Kept for drafting the kinds of the next release beside ours.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, relative } from "node:path";

type FieldFact = {
  type: FieldType; required?: boolean; listType?: "atomic" | "set" | "map"; listMapKeys?: string[]; patchMergeKey?: string; patchStrategy?: string[];
  enum?: string[]; itemEnum?: string[]; default?: unknown; mapType?: "atomic" | "granular";
};
type FieldType = string | { list: FieldType } | { map: FieldType };
type Definition = { fields?: Record<string, FieldFact>; mapType?: "atomic"; type?: string; unions?: { discriminator?: string; "fields-to-discriminateBy": Record<string, string> }[] };
type ResourceFact = { group: string; version: string; plural: string; singular: string; kind: string; namespaced: boolean; shortNames?: string[]; categories?: string[]; verbs: string[]; def: string; subresources?: Record<string, unknown> };
type Pb = { pb: number; within: number[]; pointer: boolean };

const reference = new URL("../../shared/reference/", import.meta.url);
const read = (name: string): any => JSON.parse(readFileSync(new URL(name, reference), "utf8"));
const facts = read("api-facts.json") as { definitions: Record<string, Definition>; resources: ResourceFact[] };
const overlay = read("overlay-facts.json") as Record<string, { always?: string }>;
const proto = read("proto-facts.json") as { names: string[]; table: [number, string, string | number, number, number][][] };
const out = new URL("../src/kinds/", import.meta.url).pathname;
const { themes, defaults, extraKinds } = await import("./draft-kind-themes.ts");

const long = (short: string): string =>
  Object.keys(facts.definitions).find(name => name === `io.k8s.api.${short}` || name === `io.k8s.apimachinery.pkg.apis.${short}` || name.endsWith(`.${short}`)) ?? fail(`no definition ${short}`);
function fail(message: string): never { throw new Error(message); }

const special: Record<string, string> = {
  "io.k8s.apimachinery.pkg.api.resource.Quantity": "t.quantity()",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "t.intOrString()",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "t.time()",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "t.microTime()",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1": "t.fieldsV1()",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "t.rawExtension()",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON": "t.rawJson()",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": 't.schemaOr("schema-or-array", schema)',
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": 't.schemaOr("bool-or-schema", schema)',
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": 't.schemaOr("schema-or-strings", schema)',
};
const scalar: Record<string, string> = {
  string: "t.string()", boolean: "t.bool()", "integer:int32": "t.int32()", "integer:int64": "t.int64()", "number:double": "t.double()", "string:byte": "t.bytes()", any: "t.any()",
};

const nameOf = (definition: string): string => definition.split(".").at(-1)!;
function refs(type: FieldType): string[] {
  if (typeof type !== "string") return refs(Object.values(type)[0] as FieldType);
  return type.startsWith("ref:") && !(type.slice(4) in special) ? [type.slice(4)] : [];
}
const refsOf = (definition: string): string[] => Object.values(facts.definitions[definition]?.fields ?? {}).flatMap(field => refs(field.type)).filter(name => name !== definition);
function closure(root: string, seen = new Set<string>()): Set<string> {
  if (seen.has(root)) return seen;
  seen.add(root);
  for (const next of refsOf(root)) closure(next, seen);
  return seen;
}

function pbOf(definition: string): Map<string, Pb> {
  const result = new Map<string, Pb>();
  const index = proto.names.indexOf(definition);
  const walk = (i: number, within: number[]): void => {
    for (const [number, json, type, , flags] of proto.table[i] ?? []) {
      if (flags === 4) walk(type as number, [...within, number]);
      else result.set(json, { pb: number, within, pointer: (flags & 1) === 1 });
    }
  };
  if (index >= 0) walk(index, []);
  return result;
}

const quote = (text: unknown): string => JSON.stringify(text);
function typeExpr(type: FieldType, field: FieldFact, key: string): string {
  if (typeof type === "string") {
    if (type === "ref:io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaProps" && key.startsWith("apiextensions.v1.JSONSchemaProps.")) return "t.lazy<SchemaProps>(schema)";
    if (type.startsWith("ref:")) return special[type.slice(4)] ?? nameFor(type.slice(4));
    const values = field.enum ?? field.itemEnum;
    if (type === "string" && values) return `t.oneOf(${values.map(quote).join(", ")})`;
    return scalar[type] ?? fail(`type ${type} of ${key}`);
  }
  if ("map" in type) return `t.map(${typeExpr(type.map, { ...field, listType: undefined as never }, key)}${typeof type.map === "object" && "list" in type.map ? '.wire("list-wrapper")' : ""})`;
  const item = typeExpr(type.list, field, key);
  if (field.listType === "set") return `t.set(${item})`;
  if (field.listType === "map") return `t.listBy(${item}, ${field.listMapKeys!.map(quote).join(", ")})`;
  return `t.list(${item})`;
}

function fieldExpr(definition: string, name: string, field: FieldFact, pbs: Map<string, Pb>): string {
  const short = definition.replace(/^io\.k8s\.(api|apimachinery\.pkg|apiextensions-apiserver\.pkg\.apis|kube-aggregator\.pkg\.apis)\./, "");
  const pb = pbs.get(name);
  const type = typeof field.type === "string" ? field.type : "";
  let text = typeExpr(field.type, field, `${short}.${name}`);
  if (pb) text += `.pb(${pb.pb})` + (pb.within.length > 0 ? `.within(${pb.within.join(", ")})` : "");
  if (pb?.pointer && (!type.startsWith("ref:") || type.slice(4) in special)) text += ".pointer()";
  if (field.required) text += ".required()";
  const given = defaults[`${short}.${name}`] ?? field.default;
  const always = overlay[`${short}.${name}`]?.always;
  if (given !== undefined) text += `.default(${quote(given)}${field.default === undefined ? "" : ', "published"'})`;
  if (always === "null-list") text += '.always("[]")';
  else if (always === "{}" && /Time$/.test(type)) text += '.always("null")';
  else if (always === "{}" && type.slice(4) in special) text += '.always("zero")';
  else if (always) text += `.always(${quote(always === "null-map" ? "{}" : always)})`;
  else if (field.required && pb?.pointer) text += '.always("null")';
  if (field.patchStrategy?.includes("merge")) text += `.mergeBy(${field.patchMergeKey ? quote(field.patchMergeKey) : ""})`;
  if (field.patchStrategy?.includes("replace")) text += ".replaced()";
  if (field.patchStrategy?.includes("retainKeys")) text += ".retainKeys()";
  if (field.mapType) text += field.mapType === "atomic" ? ".atomic()" : ".granular()";
  return text;
}

const identifier = (name: string): string => (/^[a-zA-Z_$][\w$]*$/.test(name) ? name : quote(name));
function objectText(definition: string): string {
  const fact = facts.definitions[definition]!;
  const pbs = pbOf(definition);
  let text = Object.entries(fact.fields ?? {}).map(([name, field]) => `  ${identifier(name)}: ${fieldExpr(definition, name, field, pbs)},\n`).join("");
  const body = text === "" ? "{}" : `{\n${text}}`;
  text = `export const ${nameFor(definition)} = t.object(${quote(definition)}, ${body})`;
  if (fact.mapType === "atomic") text += ".atomic()";
  const union = fact.unions?.[0];
  if (union) text += `.union({ ${union.discriminator ? `discriminator: ${quote(union.discriminator)}, ` : ""}members: ${JSON.stringify(union["fields-to-discriminateBy"])} })`;
  return `${text};\nexport interface ${nameFor(definition)} extends t.Stored<typeof ${nameFor(definition)}> {}\n`;
}

function kindText(resource: ResourceFact): string {
  const fact = facts.definitions[resource.def]!;
  const pbs = pbOf(resource.def);
  const fields = Object.entries(fact.fields ?? {}).filter(([name]) => !["apiVersion", "kind", "metadata"].includes(name));
  const list = (values: readonly string[]): string => `[${values.map(quote).join(", ")}]`;
  const line = [
    `group: ${quote(resource.group)}, version: ${quote(resource.version)}, kind: ${quote(resource.kind)}, plural: ${quote(resource.plural)}`,
    resource.singular !== resource.kind.toLowerCase() ? `, singular: ${quote(resource.singular)}` : "",
    `, namespaced: ${resource.namespaced}`,
  ].join("");
  const second = [
    resource.shortNames ? `shortNames: ${list(resource.shortNames)}` : "", resource.categories ? `categories: ${list(resource.categories)}` : "",
    resource.verbs.length === 8 ? "" : `verbs: ${list(resource.verbs)}`, resource.subresources ? `subresources: ${list(Object.keys(resource.subresources).sort())}` : "",
    resource.verbs.join() === "create" ? "virtual: true" : "",
  ].filter(Boolean).join(", ");
  return `export const ${nameFor(resource.def)} = defineKind({\n  ${line},\n${second ? `  ${second},\n` : ""}  definition: ${quote(resource.def)},\n  doc: "",\n  fields: {\n${
    fields.map(([name, field]) => `    ${identifier(name)}: ${fieldExpr(resource.def, name, field, pbs)},\n`).join("")
  }  },\n});\nexport interface ${nameFor(resource.def)} extends Resource<typeof ${nameFor(resource.def)}> {}\n`;
}

const renames: Record<string, string> = { "io.k8s.api.events.v1.Event": "EventsEvent", "io.k8s.api.events.v1.EventSeries": "EventsEventSeries", "io.k8s.api.authentication.v1.TokenRequest": "TokenRequest", "io.k8s.api.rbac.v1.Subject": "Subject", "io.k8s.api.storage.v1.TokenRequest": "CSIDriverTokenRequest", "io.k8s.api.flowcontrol.v1.Subject": "FlowSubject", "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler": "HorizontalPodAutoscalerV1" };
const nameFor = (definition: string): string => renames[definition] ?? nameOf(definition);

// Which file each definition goes to.
const force = process.argv.includes("--force");
const wanted = process.argv.slice(2).filter(argument => !argument.startsWith("--"));
const resources = [...facts.resources, ...extraKinds as ResourceFact[]];
const kinds = wanted.map(name => {
  const [kind = "", version, group] = name.split("/").reverse();
  return resources.find(resource => resource.kind === kind && (version === undefined ? !/alpha|beta/.test(resource.version) : resource.version === version) && (group === undefined || resource.group.split(".")[0] === group)) ?? fail(`no resource ${name}`);
});
const fileOf = new Map<string, string>(Object.entries(themes as Record<string, readonly string[]>).flatMap(([file, names]) => names.map(name => [long(name), file] as const)));
const folder = (group: string): string => (group === "" ? "core" : group.split(".")[0]!);
const kindFile = (resource: ResourceFact): string => `${folder(resource.group)}/${resource.kind.toLowerCase()}${resource.version === "v1" || resource.version === "v2" ? "" : `-${resource.version}`}.ts`;
const users = new Map<string, Set<string>>();
for (const kind of kinds) {
  fileOf.set(kind.def, fileOf.get(kind.def) ?? kindFile(kind));
  for (const name of closure(kind.def)) users.set(name, (users.get(name) ?? new Set()).add(fileOf.get(kind.def)!));
}
// The rest goes beside its users once they all live in one file.
const everything = new Set([...users.keys(), ...[...fileOf.keys()].flatMap(name => (process.argv.includes("--themes") ? [...closure(name)] : []))]);
const directUsers = new Map<string, Set<string>>();
for (const user of everything) for (const name of refsOf(user)) directUsers.set(name, (directUsers.get(name) ?? new Set()).add(user));
for (let changed = true; changed;) {
  changed = false;
  for (const name of everything) {
    const files = new Set([...directUsers.get(name) ?? []].map(user => fileOf.get(user)));
    if (fileOf.has(name) || files.has(undefined) || files.size === 0) continue;
    if (files.size > 1) console.error(`shared by ${[...files].join(" ")}, in no theme: ${name}`);
    fileOf.set(name, [...files][0]!);
    changed = true;
  }
}
const needed = process.argv.includes("--themes") ? everything : new Set(kinds.flatMap(kind => [...closure(kind.def)]));

const byFile = Map.groupBy(needed, name => fileOf.get(name)!);
for (const [file, names] of byFile) {
  const path = out + file;
  if (existsSync(path) && !force) continue;
  const ordered: string[] = [];
  const visit = (name: string): void => {
    if (ordered.includes(name) || fileOf.get(name) !== file) return;
    for (const inner of refsOf(name)) visit(inner);
    ordered.push(name);
  };
  names.forEach(visit);
  const imports = Map.groupBy(new Set(ordered.flatMap(refsOf).filter(name => fileOf.get(name) !== file && !(kinds.some(kind => ordered.includes(kind.def)) && nameOf(name) === "ObjectMeta" && !ordered.some(one => !kinds.some(kind => kind.def === one) && refsOf(one).includes(name))))), name => fileOf.get(name)!);
  const here = kinds.filter(kind => ordered.includes(kind.def));
  let text = "";
  for (const [other, used] of [...imports].sort()) {
    let where = relative(dirname(path), out + other);
    if (!where.startsWith(".")) where = `./${where}`;
    text += `import { ${used.map(nameFor).sort().join(", ")} } from "${where}";\n`;
  }
  if (here.length > 0) text += `import { defineKind, type Resource } from "../kind.ts";\n`;
  text += `import * as t from "../../schema/t.ts";\n\n`;
  text += ordered.map(name => { const kind = here.find(one => one.def === name); return kind ? kindText(kind) : objectText(name); }).join("\n");
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  console.log(file, ordered.length);
}
