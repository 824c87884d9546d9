/** The OpenAPI v2 document (`/openapi/v2`). */
import type { Json, JsonObject } from "../../base/json.ts";
import type { Definitions } from "../../schema/openapi.ts";
import type { AnyKind } from "../kind.ts";
import { definitionsFor } from "./definitions.ts";
import { byPath, type Operation, operationsOf } from "./operations.ts";
import type { Parameter } from "./parameters.ts";

/** Everything that is served, as one document. Pure: the caller keeps what it wants to keep. */
export function openapiV2(kinds: readonly AnyKind[]): JsonObject {
  const definitions = definitionsFor(kinds, "v2");
  const parameters = new Map<string, Json>();
  const paths = byPath(operationsOf(kinds)).map(({ path, shared, operations }) => [path, {
    ...Object.fromEntries(operations.map(operation => [operation.method, renderOperation(operation, definitions, parameters)])),
    ...(shared.length === 0 ? {} : { parameters: shared.map(parameter => renderParameter(parameter, parameters)) }),
  }] as const);
  return {
    swagger: "2.0", info: { title: "Kubernetes", version: "1.36" },
    paths: Object.fromEntries(paths.sort(([a], [b]) => (a < b ? -1 : 1))), definitions: definitions.sorted(),
    parameters: Object.fromEntries([...parameters].sort(([a], [b]) => (a < b ? -1 : 1))),
    securityDefinitions: { BearerToken: { description: "Bearer token", type: "apiKey", name: "authorization", in: "header" } }, security: [{ BearerToken: [] }],
  };
}

const statusTexts: { readonly [code: string]: string } = { 200: "OK", 201: "Created", 202: "Accepted", 401: "Unauthorized" };

function renderOperation(operation: Operation, definitions: Definitions, shared: Map<string, Json>): Json {
  const bodies = operation.body === undefined ? [] : [renderBody(operation.body, definitions, shared)];
  const own = [...bodies, ...operation.parameters.map(parameter => renderParameter(parameter, shared))];
  const answer = (definition: string): Json => (definition === "string" ? { type: "string" } : { $ref: definitions.reference(definition) });
  return {
    description: operation.description, ...(operation.consumes === undefined ? {} : { consumes: operation.consumes }), ...(operation.produces === undefined ? {} : { produces: operation.produces }),
    schemes: ["https"], tags: [operation.tag], operationId: operation.id, ...(own.length === 0 ? {} : { parameters: own }),
    responses: Object.fromEntries([...Object.entries(operation.responses), ["401", undefined] as const].map(([code, definition]) => [code, { description: statusTexts[code]!, ...(definition === undefined ? {} : { schema: answer(definition) }) }])),
    ...(operation.action === undefined ? {} : { "x-kubernetes-action": operation.action }), ...(operation.gvk === undefined ? {} : { "x-kubernetes-group-version-kind": operation.gvk }),
  };
}
/** The two bodies that many operations take are shared, as upstream has them. */
const sharedBodies: { readonly [definition: string]: string } = { "io.k8s.apimachinery.pkg.apis.meta.v1.DeleteOptions": "body-2Y1dVQaQ", "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "body-78PwaGsr" };
function renderBody(body: NonNullable<Operation["body"]>, definitions: Definitions, shared: Map<string, Json>): Json {
  const rendered = { name: "body", in: "body", ...(body.required ? { required: true } : {}), schema: { $ref: definitions.reference(body.definition) } };
  const name = sharedBodies[body.definition];
  if (name === undefined) return rendered;
  shared.set(name, rendered);
  return { $ref: `#/parameters/${name}` };
}
function renderParameter({ name, in: where, type, description, shared: sharedName }: Parameter, shared: Map<string, Json>): Json {
  const rendered = { uniqueItems: true, type, description, name, in: where, ...(where === "path" ? { required: true } : {}) };
  if (sharedName === undefined) return rendered;
  shared.set(sharedName, rendered);
  return { $ref: `#/parameters/${sharedName}` };
}
