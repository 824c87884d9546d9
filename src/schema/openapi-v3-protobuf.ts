/** An OpenAPI v3 document in protobuf. Message numbers are those of gnostic's openapiv3/OpenAPIv3.proto. */
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { any, decimal, each, extensions, flag, message, named, nested, pairs, referenceOr, text, whole, wrap, type Field, type Write } from "./openapi-protobuf.ts";
import { Writer } from "./protobuf-bytes.ts";

/** Media type of the result, without the `@` that Go's mime rules refuse. */
export const openapiV3ProtobufType = "application/com.github.proto-openapi.spec.v3.v1.0+protobuf";

export function openapiV3Protobuf(document: JsonObject): Uint8Array<ArrayBuffer> {
  const writer = new Writer();
  message(writer, document, [
    [1, "openapi", text],
    [2, "info", nested([[1, "title", text], [2, "description", text], [6, "version", text]])],
    [4, "paths", named(1, pathItem)],
    [5, "components", nested([[1, "schemas", named(1, reference)], [2, "responses", named(1, referenceOr(response))], [7, "securitySchemes", named(1, referenceOr(securityScheme))]])],
  ]);
  return writer.finish();
}

/** Gnostic knows no other defaults: objects and lists are an empty message. */
const defaulted: Write = (writer, number, value) => wrap(writer, number, () => {
  if (typeof value === "number") writer.double(1, value);
  else if (typeof value === "boolean") {
    writer.varint(value ? 1 : 0);
    writer.tag(2, 0);
  } else if (typeof value === "string") writer.text(3, value);
});
const schemaFields: readonly Field[] = [
  [1, "nullable", flag], [3, "readOnly", flag], [4, "writeOnly", flag], [7, "example", any], [8, "deprecated", flag], [9, "title", text], [10, "multipleOf", decimal], [11, "maximum", decimal], [12, "exclusiveMaximum", flag],
  [13, "minimum", decimal], [14, "exclusiveMinimum", flag], [15, "maxLength", whole], [16, "minLength", whole], [17, "pattern", text], [18, "maxItems", whole], [19, "minItems", whole], [20, "uniqueItems", flag],
  [21, "maxProperties", whole], [22, "minProperties", whole], [23, "required", each(text)], [24, "enum", each(any)], [25, "type", text],
  [26, "allOf", each(reference)], [27, "oneOf", each(reference)], [28, "anyOf", each(reference)], [29, "not", schema],
  [30, "items", (writer, number, value) => wrap(writer, number, () => each(reference)(writer, 1, value))],
  [31, "properties", (writer, number, value) => wrap(writer, number, () => pairs(writer, 1, value as JsonObject, reference))],
  [32, "additionalProperties", (writer, number, value) => wrap(writer, number, () => (typeof value === "boolean" ? flag(writer, 2, value) : reference(writer, 1, value)))],
  [33, "default", defaulted], [34, "description", text], [35, "format", text],
];
function schema(writer: Writer, number: number, value: Json): void {
  nested(schemaFields, extensions(36))(writer, number, value);
}
/** SchemaOrReference. */
function reference(writer: Writer, number: number, value: Json): void {
  referenceOr(schema)(writer, number, value);
}
const content: Write = named(1, nested([[1, "schema", reference], [2, "example", any]], extensions(5)));
const parameter = nested([[1, "name", text], [2, "in", text], [3, "description", text], [4, "required", flag], [5, "deprecated", flag], [6, "allowEmptyValue", flag], [10, "schema", reference], [13, "content", content]], extensions(14));
function response(writer: Writer, number: number, value: Json): void {
  nested([[1, "description", text], [3, "content", content]], extensions(5))(writer, number, value);
}
const responses: Write = (writer, number, value) => wrap(writer, number, () => {
  if (!isObject(value)) return;
  const { default: otherwise, ...coded } = value;
  pairs(writer, 2, coded, referenceOr(response));
  if (otherwise !== undefined) referenceOr(response)(writer, 1, otherwise);
});
const operation = nested([
  [1, "tags", each(text)], [2, "summary", text], [3, "description", text], [5, "operationId", text], [6, "parameters", each(referenceOr(parameter))],
  [7, "requestBody", referenceOr(nested([[1, "description", text], [2, "content", content], [3, "required", flag]], extensions(4)))], [8, "responses", responses], [10, "deprecated", flag],
], extensions(13));
function pathItem(writer: Writer, number: number, value: Json): void {
  nested([
    [1, "$ref", text], [4, "get", operation], [5, "put", operation], [6, "post", operation], [7, "delete", operation], [8, "options", operation], [9, "head", operation], [10, "patch", operation],
    [13, "parameters", each(referenceOr(parameter))],
  ], extensions(14))(writer, number, value);
}
function securityScheme(writer: Writer, number: number, value: Json): void {
  nested([[1, "type", text], [2, "description", text], [3, "name", text], [4, "in", text], [5, "scheme", text]], extensions(9))(writer, number, value);
}
