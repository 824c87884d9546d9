/** OpenAPI v3 of servers that have only v2, as upstream's aggregator makes it (kube-openapi pkg/openapiconv): what v3 says in other words is lost. */
import { isObject, type Json, type JsonObject } from "../../base/json.ts";

export function openApiV3Of(v2: JsonObject): JsonObject {
  const produces = textsOf(v2.produces);
  return {
    openapi: "3.0.0", info: v2.info ?? {}, ...kept(v2, "externalDocs"),
    paths: isObject(v2.paths) ? Object.fromEntries(Object.entries(v2.paths).map(([path, item]) => [path, path.startsWith("x-") ? item : pathItem(item)])) : {},
    components: {
      ...some("schemas", mapped(v2.definitions, schema)), ...some("securitySchemes", mapped(v2.securityDefinitions, securityScheme)),
      ...some("responses", mapped(v2.responses, value => response(value, produces))),
      // Upstream forgets these, which operations refer to.
      ...some("parameters", mapped(v2.parameters, parameter)),
    },
  };
}

const methods = ["get", "put", "post", "delete", "options", "head", "patch"];

function pathItem(item: Json): Json {
  if (!isObject(item)) return item;
  return {
    ...kept(item, "$ref"), ...extensionsOf(item), ...Object.fromEntries(methods.flatMap(method => (isObject(item[method]) ? [[method, operation(item[method])]] : []))),
    ...(Array.isArray(item.parameters) ? { parameters: item.parameters.map(parameter) } : {}),
  };
}

function operation(v2: JsonObject): Json {
  const all = Array.isArray(v2.parameters) ? v2.parameters : [];
  const body = all.filter(isObject).find(isBody);
  const parameters = all.filter(each => !isObject(each) || !isBody(each)).map(parameter);
  const produces = textsOf(v2.produces);
  return {
    ...extensionsOf(v2), ...kept(v2, "description", "externalDocs", "tags", "summary", "deprecated", "operationId"),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { content: Object.fromEntries(textsOf(v2.consumes).map(type => [type, { schema: schema(body.schema!) }])) } }),
    responses: isObject(v2.responses) ? Object.fromEntries(Object.entries(v2.responses).map(([code, value]) => [code, code.startsWith("x-") ? value : response(value, produces)])) : {},
  };
}
const isBody = ({ name, schema }: JsonObject): boolean => name === "body" && schema !== undefined;

function response(v2: Json, produces: readonly string[]): Json {
  if (!isObject(v2)) return v2;
  const { $ref } = v2;
  if (typeof $ref === "string") return { $ref: $ref.replace("#/responses/", "#/components/responses/") };
  return {
    ...extensionsOf(v2), description: v2.description ?? "",
    ...(v2.schema === undefined || produces.length === 0 ? {} : { content: Object.fromEntries(produces.map(type => [type, { schema: schema(v2.schema!) }])) }),
  };
}

function parameter(v2: Json): Json {
  if (!isObject(v2)) return v2;
  const { $ref } = v2;
  if (typeof $ref === "string") return { $ref: $ref.replace("#/parameters/", "#/components/parameters/") };
  return { ...extensionsOf(v2), ...kept(v2, "name", "description", "in", "required", "allowEmptyValue"), schema: v2.schema === undefined ? kept(v2, "type", "format", "uniqueItems") : schema(v2.schema) };
}

/** References lead elsewhere; one that has something beside it is wrapped, for in v3 it would be ignored. */
function schema(v2: Json): Json {
  if (!isObject(v2)) return v2;
  const list = (value: Json | undefined): Json => (Array.isArray(value) ? value.map(schema) : schema(value ?? null));
  const converted: JsonObject = Object.fromEntries(Object.entries(v2).map(([key, value]): [string, Json] => {
    switch (key) {
      case "$ref": return [key, typeof value === "string" ? value.replace("#/definitions/", "#/components/schemas/") : value];
      case "properties": return [key, mapped(value, schema) ?? {}];
      case "items": case "additionalProperties": case "additionalItems": case "allOf": case "anyOf": case "oneOf": case "not": return [key, list(value)];
      default: return [key, value];
    }
  }));
  if (converted.$ref === undefined || Object.keys(converted).length === 1) return converted;
  const { $ref, ...rest } = converted;
  return { ...rest, allOf: [{ $ref }] };
}

function securityScheme(v2: Json): Json {
  if (!isObject(v2)) return v2;
  const { flow, authorizationUrl, tokenUrl, scopes } = v2;
  return {
    ...extensionsOf(v2), ...kept(v2, "type", "description", "name", "in"),
    ...(typeof flow === "string" ? { flows: { [flow]: { ...some("authorizationUrl", authorizationUrl), ...some("tokenUrl", tokenUrl), ...some("scopes", scopes) } } } : {}),
  };
}

const mapped = (all: Json | undefined, convert: (value: Json) => Json): JsonObject | undefined => (isObject(all) ? Object.fromEntries(Object.entries(all).map(([name, value]) => [name, convert(value)])) : undefined);
const kept = (object: JsonObject, ...names: readonly string[]): JsonObject => Object.fromEntries(names.flatMap(name => (object[name] === undefined ? [] : [[name, object[name]]])));
const some = (name: string, value: Json | undefined): JsonObject => (value === undefined ? {} : { [name]: value });
const extensionsOf = (object: JsonObject): JsonObject => Object.fromEntries(Object.entries(object).filter(([name]) => name.startsWith("x-")));
const textsOf = (value: Json | undefined): readonly string[] => (Array.isArray(value) ? value.filter(each => typeof each === "string") : []);
