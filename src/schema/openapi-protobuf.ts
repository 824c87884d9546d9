/**
 * An OpenAPI v2 document in protobuf, which client-go asks for without taking JSON instead. Message numbers are those of
 * gnostic's openapiv2/OpenAPIv2.proto; only what our own documents contain is written. proto3: what is empty is left out.
 */
import { stringifyJson } from "../base/json-codec.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { Writer } from "./protobuf-bytes.ts";

/** Media type of the result, as upstream answers it: without the `@` that Go's mime rules refuse. */
export const openapiProtobufType = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf";

export function openapiProtobuf(document: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  message(writer, document, [
    [1, "swagger", text],
    [2, "info", nested([[1, "title", text], [2, "version", text]])],
    [8, "paths", named(2, pathItem)],
    [9, "definitions", named(1, schema)],
    [10, "parameters", named(1, parameter)],
    [12, "security", each(nested([], securityRequirement))],
    [13, "securityDefinitions", named(1, (to, number, value) => wrap(to, number, () => securityScheme(to, 2, value)))],
  ]);
  return writer.finish();
}

/** Writes a value as field `number`. Everything is written back to front: last field first, and content before its header. */
export type Write = (writer: Writer, number: number, value: Json) => void;
export type Field = readonly [number: number, name: string, write: Write];

export function wrap(writer: Writer, number: number, body: () => void): void {
  const mark = writer.length;
  body();
  writer.header(number, mark);
}
export function message(writer: Writer, object: JsonObject, fields: readonly Field[]): void {
  for (const [number, name, write] of fields.toReversed()) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined;
    if (value !== undefined && value !== null) write(writer, number, value);
  }
}
export const nested = (fields: readonly Field[], rest?: (writer: Writer, object: JsonObject) => void): Write => (writer, number, value) => wrap(writer, number, () => {
  if (!isObject(value)) return;
  rest?.(writer, value);
  message(writer, value, fields);
});
export const each = (write: Write): Write => (writer, number, value) => {
  for (const item of (Array.isArray(value) ? value : [value]).toReversed()) write(writer, number, item as Json);
};
/** A map as gnostic has it: a message of `{1 name, 2 value}` pairs under `pair`. */
export const named = (pair: number, write: Write): Write => (writer, number, value) => wrap(writer, number, () => pairs(writer, pair, value as JsonObject, write));
export function pairs(writer: Writer, number: number, object: JsonObject, write: Write): void {
  for (const [name, value] of Object.entries(object).toReversed()) {
    wrap(writer, number, () => {
      write(writer, 2, value);
      writer.text(1, name);
    });
  }
}

export const text: Write = (writer, number, value) => { if (value !== "") writer.text(number, String(value)); };
export const flag: Write = (writer, number, value) => {
  if (value !== true) return;
  writer.varint(1);
  writer.tag(number, 0);
};
export const decimal: Write = (writer, number, value) => { if (value !== 0) writer.double(number, Number(value)); };
export const whole: Write = (writer, number, value) => {
  if (value === 0) return;
  writer.int(Number(value));
  writer.tag(number, 0);
};
/** gnostic's Any holds YAML; JSON is YAML. */
export const any: Write = (writer, number, value) => wrap(writer, number, () => writer.text(2, `${stringifyJson(value)}\n`));
export const extensions = (number: number) => (writer: Writer, object: JsonObject): void =>
  pairs(writer, number, Object.fromEntries(Object.entries(object).filter(([name]) => name.startsWith("x-"))), any);

const schemaFields: readonly Field[] = [
  [1, "$ref", text], [2, "format", text], [3, "title", text], [4, "description", text], [5, "default", any], [6, "multipleOf", decimal], [7, "maximum", decimal], [8, "exclusiveMaximum", flag],
  [9, "minimum", decimal], [10, "exclusiveMinimum", flag], [11, "maxLength", whole], [12, "minLength", whole], [13, "pattern", text], [14, "maxItems", whole], [15, "minItems", whole], [16, "uniqueItems", flag],
  [17, "maxProperties", whole], [18, "minProperties", whole], [19, "required", each(text)], [20, "enum", each(any)],
  [21, "additionalProperties", (writer, number, value) => wrap(writer, number, () => (typeof value === "boolean" ? flag(writer, 2, value) : schema(writer, 1, value)))],
  [22, "type", (writer, number, value) => wrap(writer, number, () => each(text)(writer, 1, value))],
  [23, "items", (writer, number, value) => wrap(writer, number, () => schema(writer, 1, value))],
  [24, "allOf", each((writer, number, value) => schema(writer, number, value))],
  [25, "properties", (writer, number, value) => wrap(writer, number, () => pairs(writer, 1, value as JsonObject, schema))],
  [30, "example", any],
];
function schema(writer: Writer, number: number, value: Json): void {
  nested(schemaFields, extensions(31))(writer, number, value);
}

/** Parameter {1 body | 2 non-body {3 query | 4 path}}. */
function parameter(writer: Writer, number: number, value: Json): void {
  const object = value as JsonObject;
  wrap(writer, number, () => {
    if (object["in"] === "body") nested([[1, "description", text], [2, "name", text], [3, "in", text], [4, "required", flag], [5, "schema", schema]])(writer, 1, value);
    else if (object["in"] === "path") wrap(writer, 2, () => nested([[1, "required", flag], [2, "in", text], [3, "description", text], [4, "name", text], [5, "type", text], [6, "format", text], [19, "uniqueItems", flag]])(writer, 4, value));
    else wrap(writer, 2, () => nested([[1, "required", flag], [2, "in", text], [3, "description", text], [4, "name", text], [6, "type", text], [7, "format", text], [20, "uniqueItems", flag]])(writer, 3, value));
  });
}
/** ParametersItem {1 parameter | 2 reference}; responses have the same shape. */
export const referenceOr = (write: Write): Write => (writer, number, value) => wrap(writer, number, () => {
  if (isObject(value) && Object.hasOwn(value, "$ref")) nested([[1, "$ref", text], [2, "description", text]])(writer, 2, value);
  else write(writer, 1, value);
});
const response = nested([[1, "description", text], [2, "schema", (writer, number, value) => wrap(writer, number, () => schema(writer, 1, value))]]);
const operation = nested([
  [1, "tags", each(text)], [2, "summary", text], [3, "description", text], [5, "operationId", text], [6, "produces", each(text)], [7, "consumes", each(text)],
  [8, "parameters", each(referenceOr(parameter))], [9, "responses", named(1, referenceOr(response))], [10, "schemes", each(text)], [11, "deprecated", flag],
], extensions(13));
function pathItem(writer: Writer, number: number, value: Json): void {
  nested([
    [1, "$ref", text], [2, "get", operation], [3, "put", operation], [4, "post", operation], [5, "delete", operation], [6, "options", operation], [7, "head", operation], [8, "patch", operation],
    [9, "parameters", each(referenceOr(parameter))],
  ], extensions(10))(writer, number, value);
}
function securityScheme(writer: Writer, number: number, value: Json): void {
  nested([[1, "type", text], [2, "name", text], [3, "in", text], [4, "description", text]])(writer, number, value);
}
/** SecurityRequirement: a map from scheme to scopes. */
function securityRequirement(writer: Writer, object: JsonObject): void {
  pairs(writer, 1, object, (to, number, value) => wrap(to, number, () => each(text)(to, 1, value)));
}
