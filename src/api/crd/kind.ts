/** A CustomResourceDefinition as a kind like every other. */
import { ApiError } from "../../base/api-error.ts";
import { isObject, type Json } from "../../base/json.ts";
import { stringifyJson } from "../../base/json-codec.ts";
import { ageColumn, humanDuration, nameColumn } from "../../kinds/columns.ts";
import type { AlsoServed, AnyKind, Column } from "../../kinds/kind.ts";
import { DecodeError } from "../../schema/decode.ts";
import { cutIntegers } from "../../schema/decode-explain.ts";
import { canonicalTime } from "../../schema/decode-scalars.ts";
import { goJson } from "../../schema/go-format.ts";
import { invalidValue, type Problem } from "../../schema/problem.ts";
import { compareVersions } from "../version-order.ts";
import * as t from "../../schema/t.ts";
import type { Cel } from "../cel.ts";
import { conversionOf, type ConversionServices } from "./conversion.ts";
import { parseJsonPath } from "./json-path.ts";
import { rootNode } from "./node.ts";
import { coerceMeta, prune, setDefaults, type Schema } from "./schema.ts";
import { toldOf, type Validator } from "./validate.ts";
import { embeddedProblems, listProblems } from "./validate-parts.ts";

type Version = { readonly name: string; readonly served: boolean; readonly storage: boolean; readonly schema?: { readonly openAPIV3Schema?: Schema }; readonly subresources?: any; readonly additionalPrinterColumns?: readonly any[]; readonly selectableFields?: readonly { readonly jsonPath: string }[]; readonly deprecated?: boolean; readonly deprecationWarning?: string };

/** The kind that serves this definition's objects; its own version is the one they are stored in. */
export function kindOfDefinition(crd: any, validator: Validator, cel: () => Cel | undefined, services: ConversionServices): AnyKind {
  const { group, names, scope, versions } = crd.spec as { readonly group: string; readonly names: any; readonly scope: string; readonly versions: readonly Version[] };
  const served = versions.filter(version => version.served);
  const storage = versions.find(version => version.storage)!;
  const own = served.includes(storage) ? storage : served[0]!;
  const conversion = crd.spec.conversion?.strategy === "Webhook" ? conversionOf(crd, services) : undefined;
  const show = (version: Version) => (object: any): Json => seenAs(version, conversion === undefined ? object : conversion.converted(object, `${group}/${version.name}`));
  const stored: readonly string[] = crd.status?.storedVersions ?? [];
  const node = nodeFor(group, names.kind, own, validator, cel);
  const mixed = versions.length > 1 || stored.some(version => version !== own.name) || hasDefaults(schemaOf(own));
  return {
    group, version: own.name, kind: names.kind, plural: names.plural, singular: names.singular ?? names.kind.toLowerCase(), namespaced: scope === "Namespaced", custom: true, ...(names.listKind === undefined || names.listKind === `${names.kind}List` ? {} : { listKind: names.listKind as string }), generation: true,
    ...(names.shortNames === undefined ? {} : { shortNames: names.shortNames }), ...(names.categories === undefined ? {} : { categories: names.categories }),
    definition: definitionName(group, own.name, names.kind), doc: schemaOf(own).description ?? "", fields: {}, schema: new t.Field(node),
    nameGrammar: "dns-1123-subdomain", ...partsOf(own, group, names.kind, versions, conversion === undefined ? undefined : show(own)), storedAs: `${group}/${storage.name}`, ...(conversion === undefined ? {} : { conversion }),
    ...(mixed ? { fromStored: show(own) } : {}),
    alsoServed: served.filter(version => version !== own).map((version): AlsoServed => ({
      version: version.name, definition: definitionName(group, version.name, names.kind), fields: {}, schema: new t.Field(nodeFor(group, names.kind, version, validator, cel)),
      fromStored: show(version), toStored: object => object, overrides: partsOf(version, group, names.kind, versions, conversion === undefined ? undefined : show(version)),
    })),
  };
}

/** What each version has of its own besides its schema. `show`: how a stored object becomes one of this version, if a webhook must be asked. */
function partsOf(version: Version, group: string, kind: string, versions: readonly Version[], show: ((object: any) => Json) | undefined): NonNullable<AlsoServed["overrides"]> & Pick<AnyKind, "columns"> {
  return {
    selectable: selectableOf(version, show), columns: columnsOf(version), subresources: subresourcesOf(version), ...scaleOf(version),
    deprecated: version.deprecated === true ? version.deprecationWarning ?? deprecation(version, group, kind, versions) : undefined,
  };
}

/** It names the version to use instead, if a better one is served (apiextensions pkg/apiserver/customresource_handler.go). */
function deprecation({ name }: Version, group: string, kind: string, versions: readonly Version[]): string {
  const [better] = versions.filter(each => each.served && each.deprecated !== true && compareVersions(each.name, name) < 0).map(each => each.name).sort(compareVersions);
  return `${group}/${name} ${kind} is deprecated${better === undefined ? "" : `; use ${group}/${better} ${kind}`}`;
}

const schemaOf = (version: Version): Schema => version.schema?.openAPIV3Schema ?? { type: "object", "x-kubernetes-preserve-unknown-fields": true };

/** `com.example.stable.v1.CronTab` (apiextensions pkg/controller/openapi/builder). */
function definitionName(group: string, version: string, kind: string): string {
  return `${group.split(".").reverse().join(".")}.${version}.${kind}`;
}

function nodeFor(group: string, kind: string, version: Version, validator: Validator, cel: () => Cel | undefined): t.Node {
  const checked = hasRules(schemaOf(version));
  let rules: ReturnType<Cel["rules"]> | undefined;
  const schema = withoutMeta(schemaOf(version));
  const hasObjects = mentions(schema, each => each["x-kubernetes-embedded-resource"] === true), hasKeys = mentions(schema, each => each["x-kubernetes-list-type"] === "set" || each["x-kubernetes-list-type"] === "map");
  return rootNode(schema, definitionName(group, version.name, kind), {
    decode(value, applied) {
      if (!isObject(value)) throw new DecodeError(`json: cannot unmarshal ${Array.isArray(value) ? "array" : typeof value} into Go value of type map[string]interface {}`);
      const unknown: string[] = [];
      const { apiVersion, kind: name, metadata, ...rest } = value;
      const meta = coerceMeta(metadata ?? {}, "metadata", unknown);
      const object = prune(schema, rest, "", unknown, applied ? "applied" : "sent");
      return { object: { ...(apiVersion === undefined ? {} : { apiVersion }), ...(name === undefined ? {} : { kind: name }), metadata: meta, ...object }, unknown };
    },
    setDefaults: object => setDefaults(schema, object),
    validate(next, previous) {
      const problems = [...validator.validate(schemaOf(version), next, previous), ...(hasObjects ? toldOf(embeddedProblems(schema, next, "")) : [])];
      if (hasKeys && (previous === undefined || toldOf(listProblems(schema, previous, "")).length === 0)) problems.push(...toldOf(listProblems(schema, next, "")));
      if (!checked) return problems;
      if (problems.some(({ reason }) => blocking.has(reason))) return [...problems, invalidValue("<nil>", null, "some validation rules were not checked because the object was invalid; correct the existing errors to complete validation")];
      return problems;
    },
    rules(next, previous, problems) {
      if (!checked || problems.some(({ reason }) => blocking.has(reason))) return undefined;
      rules ??= (cel() ?? notYet()).rules(schemaOf(version));
      return rules.begin(next, previous);
    },
    publish: dialect => publish(schemaOf(version), dialect),
  });
}

/** With such a problem a rule may read what is not there (apiextensions customresource/strategy.go hasBlockingErr). */
const blocking: ReadonlySet<Problem["reason"]> = new Set(["NotSupported", "Required", "TooLong", "TooMany", "TypeInvalid"]);

export const hasRules = (schema: Schema): boolean => mentions(schema, each => (each["x-kubernetes-validations"]?.length ?? 0) > 0);

/** Whether some part of it is such. */
function mentions(schema: Schema, test: (part: Schema) => boolean): boolean {
  const inside: readonly (Schema | undefined)[] = [...Object.values(schema.properties ?? {}), schema.items, isObject(schema.additionalProperties) ? (schema.additionalProperties as Schema) : undefined, ...(schema.allOf ?? [])];
  return test(schema) || inside.some(each => each !== undefined && mentions(each, test));
}

/** The language is on its way: nothing is stored unchecked meanwhile. */
function notYet(): never {
  throw new ApiError("ServiceUnavailable", "the validation rules of this resource are not compiled yet", { retryAfterSeconds: 1 });
}

/** Every object has these; what a definition says of them only narrows names, which upstream checks and few use. */
function withoutMeta(schema: Schema): Schema {
  const { apiVersion: _a, kind: _k, metadata: _m, ...properties } = schema.properties ?? {};
  const needed = schema.required?.filter(name => name !== "apiVersion" && name !== "kind" && name !== "metadata");
  return { ...schema, properties, ...(needed === undefined ? {} : { required: needed }) };
}

/** A stored object in this version: pruned, with the defaults that it was stored without. */
function seenAs(version: Version, object: any): Json {
  const { apiVersion, kind, metadata, ...rest } = object;
  const schema = withoutMeta(schemaOf(version));
  const seen = prune(schema, rest, "", []);
  setDefaults(schema, seen);
  return { apiVersion, kind, metadata, ...seen };
}

function hasDefaults(schema: Schema): boolean {
  return schema.default !== undefined || Object.values(schema.properties ?? {}).some(hasDefaults) || (schema.items !== undefined && hasDefaults(schema.items)) || (isObject(schema.additionalProperties) && hasDefaults(schema.additionalProperties as Schema));
}

function subresourcesOf(version: Version): readonly string[] {
  return [...(version.subresources?.scale === undefined ? [] : ["scale"]), ...(version.subresources?.status === undefined ? [] : ["status"])];
}

function scaleOf(version: Version): Pick<AnyKind, "scale"> {
  const scale = version.subresources?.scale;
  if (scale === undefined) return {};
  const path = (text: string): string => text.replace(/^\./, "");
  return { scale: { spec: path(scale.specReplicasPath), status: path(scale.statusReplicasPath), ...(scale.labelSelectorPath === undefined ? {} : { selector: path(scale.labelSelectorPath) }) } };
}

function selectableOf({ selectableFields = [] }: Version, show: ((object: any) => Json) | undefined): NonNullable<AnyKind["selectable"]> {
  return Object.fromEntries(selectableFields.map(({ jsonPath }) => {
    const read = parseJsonPath(jsonPath);
    return [jsonPath.replace(/^\./, ""), (object: any) => {
      const [value] = read?.((show?.(object) ?? object) as never) ?? [];
      return value === undefined || value === null ? "" : typeof value === "string" ? value : stringifyJson(value);
    }];
  }));
}

function columnsOf(version: Version): readonly Column[] {
  const columns = version.additionalPrinterColumns ?? [];
  if (columns.length === 0) return [nameColumn, { ...ageColumn, type: "date" as const }];
  return [nameColumn, ...columns.map(({ name, type, format, priority, description, jsonPath }): Column => {
    const read = parseJsonPath(jsonPath);
    return { name, type, ...(format === undefined ? {} : { format }), ...(priority === undefined ? {} : { priority }), doc: description ?? "Custom resource definition column (in JSONPath format): " + jsonPath, cell: (object, now) => cellOf(read?.(object)[0], type, now) };
  })];
}

/** What upstream shows of a column's first result (apiextensions pkg/registry/customresource/tableconvertor). */
function cellOf(value: Json | undefined, type: string, now: number): string | number | bigint | boolean | null {
  if (value === undefined) return null;
  const isNumber = typeof value === "number" || typeof value === "bigint";
  switch (type) {
    case "integer": return isNumber ? cutIntegers(int64, typeof value === "number" ? Math.trunc(value) : value) as number | bigint : null;
    case "number": return isNumber ? Number(value) : null;
    case "boolean": return typeof value === "boolean" ? value : null;
    case "date": return typeof value === "string" ? ageOf(value, now) : null;
    default: return value === null ? "<no value>" : typeof value === "string" ? value : goJson(value);
  }
}

const int64 = t.int64().node;

function ageOf(text: string, now: number): string {
  if (text === "" || text === "null") return "<unknown>";
  const time = canonicalTime(text, false);
  return time === undefined ? "<invalid>" : humanDuration(now - Date.parse(time));
}

/** What OpenAPI shows: v3 as it was written, v2 without the words that v2 does not have (apiextensions pkg/controller/openapi/v2/conversion.go). */
function publish(schema: Schema, dialect: "v2" | "v3"): { readonly [keyword: string]: Json } {
  return (dialect === "v3" ? schema : forV2(schema)) as { readonly [keyword: string]: Json };
}

function forV2(schema: Schema): Schema {
  if (schema["x-kubernetes-int-or-string"] === true || schema.nullable === true) return pick(schema, ["description", "default", "x-kubernetes-int-or-string"]);
  const { oneOf: _o, anyOf: _a, allOf: _l, not: _n, nullable: _u, properties, items, additionalProperties, ...rest } = schema;
  return {
    ...rest,
    ...(properties === undefined ? {} : { properties: Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, forV2(each)])) }),
    ...(items === undefined ? {} : { items: forV2(items) }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: isObject(additionalProperties) ? forV2(additionalProperties as Schema) : additionalProperties }),
  };
}

function pick(schema: Schema, keywords: readonly (keyof Schema)[]): Schema {
  return Object.fromEntries(keywords.filter(keyword => schema[keyword] !== undefined).map(keyword => [keyword, schema[keyword]]));
}
