/** The OpenAPI v3 documents (`/openapi/v3/…`): one for each group version, and small ones for discovery. */
import type { Json, JsonObject } from "../../base/json.ts";
import type { Definitions } from "../../schema/openapi.ts";
import type { AnyKind } from "../kind.ts";
import { definitionsFor, nameKinds } from "./definitions.ts";
import { byPath, type Operation, operationsOf, servedVersions } from "./operations.ts";
import type { Parameter } from "./parameters.ts";

/** The documents there are, as paths below `/openapi/v3/`: `api/v1`, `apis/apps/v1`, `apis/apps`, `version`, … */
export function openapiV3Paths(kinds: readonly AnyKind[]): readonly string[] {
  return [...new Set(operationsOf(kinds).map(({ path }) => documentOf(path, kinds)))].sort();
}

/** One of these documents. Pure: the caller keeps what it wants to keep. */
export function openapiV3(kinds: readonly AnyKind[], document: string): JsonObject {
  const { group, version } = groupVersionOf(document);
  const core = { group: "", version: "v1" };
  const definitions = definitionsFor(kindsFor(kinds, document), "v3", group === "" ? [core] : [core, { group, version }]);
  nameKinds(definitions, kinds);
  const mine = operationsOf(kinds).filter(({ path }) => documentOf(path, kinds) === document);
  const paths = byPath(mine).map(({ path, shared, operations }) => [path, {
    ...Object.fromEntries(operations.map(operation => [operation.method, renderOperation(operation, definitions)])),
    ...(shared.length === 0 ? {} : { parameters: shared.map(renderParameter) }),
  }] as const);
  const schemas = used(definitions.sorted(), paths);
  return {
    openapi: "3.0.0", info: { title: "Kubernetes", version: "1.36" }, paths: Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      ...(Object.keys(schemas).length === 0 ? {} : { schemas }), securitySchemes: { BearerToken: { description: "Bearer token", type: "apiKey", name: "authorization", in: "header" } },
    },
  };
}

/** Which document a path belongs to. */
function documentOf(path: string, kinds: readonly AnyKind[]): string {
  const parts = path.split("/").filter(part => part !== "");
  if (parts[0] === "api") return parts.length === 1 ? "api" : "api/v1";
  if (parts[0] !== "apis") return parts.join("/");
  const versions = new Set(servedVersions(kinds).map(({ group, version }) => `${group}/${version}`));
  return parts.length >= 3 && versions.has(`${parts[1]}/${parts[2]}`) ? `apis/${parts[1]}/${parts[2]}` : `apis${parts[1] === undefined ? "" : `/${parts[1]}`}`;
}
const groupVersionOf = (document: string): { readonly group: string; readonly version: string } => {
  const [, group = "", version = "v1"] = document.startsWith("api/") ? [] : document.split("/");
  return { group, version };
};
/** The kinds of a document, and those that its subresources speak. */
function kindsFor(kinds: readonly AnyKind[], document: string): readonly AnyKind[] {
  const { group, version } = groupVersionOf(document);
  return kinds.flatMap(kind => {
    if (kind.subresourceOnly === true || (kind.group === group && kind.version === version)) return [kind];
    const other = kind.alsoServed?.find(served => (served.group ?? kind.group) === group && served.version === version);
    return other === undefined ? [] : [{ ...kind, group, version: other.version, definition: other.definition, schema: other.schema, alsoServed: [] }];
  });
}
/** Only what the paths reach: each document stands alone, and stays small. */
function used(all: JsonObject, from: unknown): JsonObject {
  const names = new Set<string>();
  const walk = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      if (key !== "$ref") walk(item);
      else if (typeof item === "string") {
        const name = item.slice("#/components/schemas/".length);
        if (!names.has(name)) {
          names.add(name);
          walk(all[name]);
        }
      }
    }
  };
  walk(from);
  return Object.fromEntries(Object.entries(all).filter(([name]) => names.has(name)));
}

const statusTexts: { readonly [code: string]: string } = { 200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized" };
function renderOperation(operation: Operation, definitions: Definitions): Json {
  const schemaOf = (definition: string): Json => (definition === "string" ? { type: "string" } : { $ref: definitions.reference(definition) });
  const content = (media: readonly string[], definition: string): Json => Object.fromEntries(media.map(type => [type, { schema: schemaOf(definition) }]));
  const { body } = operation;
  return {
    tags: [operation.tag], description: operation.description, operationId: operation.id,
    ...(operation.parameters.length === 0 ? {} : { parameters: operation.parameters.map(renderParameter) }),
    ...(body === undefined ? {} : { requestBody: { content: content(operation.consumes ?? ["*/*"], body.definition), ...(body.required ? { required: true } : {}) } }),
    responses: Object.fromEntries([...Object.entries(operation.responses), ["401", undefined] as const].map(([code, definition]) => [code, { description: statusTexts[code]!, ...(definition === undefined ? {} : { content: content(operation.produces ?? ["*/*"], definition) }) }])),
    ...(operation.action === undefined ? {} : { "x-kubernetes-action": operation.action }), ...(operation.gvk === undefined ? {} : { "x-kubernetes-group-version-kind": operation.gvk }),
  };
}
const renderParameter = ({ name, in: where, type, description }: Parameter): Json => ({ name, in: where, description, ...(where === "path" ? { required: true } : {}), schema: { type, uniqueItems: true } });
