/** From the bytes of a body to an object of the expected kind: JSON, YAML or protobuf, strict where asked. Texts as upstream's decoders. */
import { JsonError, parseJson } from "../base/json-codec.ts";
import { isObject, type Json } from "../base/json.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import { openEnvelope } from "../schema/envelope.ts";
import { invalidValue } from "../schema/problem.ts";
import { decodeProtobuf, ProtobufError } from "../schema/protobuf.ts";
import { strictProblems } from "../schema/strict.ts";
import type { Node } from "../schema/t.ts";
import { badRequest, invalid } from "./errors.ts";
import { jsonType, protobufType, type MediaType } from "./negotiate.ts";
import type { FieldValidation } from "./options.ts";
import { duplicatesInYaml } from "./yaml-duplicates.ts";

/** Reads YAML as JSON, reporting keys written twice. Throws an Error whose message is for the client. */
export type ParseYaml = (text: string) => { readonly value: Json; readonly duplicates: readonly string[] };

export type Expected = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly node: Node;
  /** Is this another kind that the server knows? Decides which refusal the client reads. */
  readonly isKnown: (apiVersion: string, kind: string) => boolean;
  /** Any group and version will do: DeleteOptions go by the name of whatever is deleted. */
  readonly anyVersion?: boolean;
};
export type BodyOptions = { readonly parseYaml: ParseYaml; readonly fieldValidation: FieldValidation; readonly warn: (text: string) => void };

/** The body as a private object in canonical form of the expected version. */
export function readBody(bytes: Uint8Array, type: MediaType, expected: Expected, options: BodyOptions): any {
  if (type === protobufType) return readProtobuf(bytes, expected);
  const text = textOf(bytes);
  const { value, duplicates } = parseText(text, type, expected, options.parseYaml);
  return readValue(value, type === jsonType ? duplicates.map(path => `duplicate field ${JSON.stringify(path)}`) : duplicatesInYaml(text, duplicates), expected, options, bytes, type === jsonType ? text : undefined);
}

/** The value of a JSON or YAML text, and which keys were written twice. */
export function parseText(text: string, type: MediaType, expected: Expected, parseYaml: ParseYaml): { readonly value: Json; readonly duplicates: readonly string[] } {
  try {
    return type === jsonType ? parseJson(text) : parseYaml(text);
  } catch (error) {
    if (!(error instanceof JsonError) && type === jsonType) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const why = type === jsonType ? `couldn't get version/kind; json parse error: ${message}` : message;
    throw badRequest(expected.anyVersion === true ? why : `the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(new TextEncoder().encode(text))})`);
  }
}

/** A parsed value as the expected kind. `duplicates` are complete complaints. */
export function readValue(given: Json, duplicates: readonly string[], expected: Expected, options: BodyOptions, bytes?: Uint8Array, jsonText?: string): any {
  // To Go, `null` is an object that says nothing.
  const value = given === null ? {} : given;
  if (!isObject(value)) throw badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" } (${summary(bytes ?? new Uint8Array())})`);
  if (expected.node.custom !== undefined) checkCustomType(value, expected, bytes ?? new Uint8Array());
  const { apiVersion, kind } = typeOf(value, expected);
  checkType(apiVersion, kind, expected);
  const refuse = (message: string) => badRequest(`${kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: ${message}`);
  let decoded;
  try {
    decoded = decode(expected.node, value);
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
  const strict = strictTexts(duplicates, decoded.unknown, expected, jsonText);
  if (strict.length > 0 && options.fieldValidation === "Strict") throw refuse(`strict decoding error: ${strict.join(", ")}`);
  if (options.fieldValidation === "Warn") for (const text of strict) options.warn(text);
  return { ...decoded.object, apiVersion, kind };
}

/** What strict decoding complains of; for JSON in the order of the text. */
function strictTexts(duplicates: readonly string[], unknown: readonly string[], { node }: Expected, jsonText: string | undefined): readonly string[] {
  if (duplicates.length > 0 && unknown.length > 0 && jsonText !== undefined) return strictProblems(node, jsonText);
  return [...duplicates, ...unknown.map(path => `unknown field ${JSON.stringify(path)}`)];
}

function readProtobuf(bytes: Uint8Array, expected: Expected): any {
  try {
    const { apiVersion, kind, raw } = openEnvelope(bytes);
    const type = typeOf({ apiVersion, kind }, expected);
    checkType(type.apiVersion, type.kind, expected);
    const object = decodeProtobuf(expected.node, raw) as { readonly [key: string]: Json };
    return { ...decode(expected.node, object).object, ...type };
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

function typeOf(value: { readonly [key: string]: Json }, expected: Expected): { readonly apiVersion: string; readonly kind: string } {
  const text = (given: Json | undefined, otherwise: string): string => (typeof given === "string" && given !== "" ? given : otherwise);
  return { apiVersion: text(value.apiVersion, gvOf(expected)), kind: text(value.kind, expected.kind) };
}

const gvOf = ({ group, version }: { readonly group: string; readonly version: string }): string => (group === "" ? version : `${group}/${version}`);
const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf("/") + 1);

function checkType(apiVersion: string, kind: string, expected: Expected): void {
  const wanted = gvOf(expected);
  if (kind === expected.kind && (apiVersion === wanted || expected.anyVersion === true)) return;
  const refuse = (why: string) => badRequest(`${kind} in version ${JSON.stringify(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: ${why}`);
  if (!expected.isKnown(apiVersion, kind)) throw refuse(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion.replace(/^\//, ""))} in scheme "pkg/api/legacyscheme/scheme.go:30"`);
  if (kind === expected.kind) throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${wanted})`);
  throw refuse(`converting (${versionOf(apiVersion)}.${kind}) to (${expected.group === "" ? "core" : expected.group.split(".")[0]}.${expected.kind}): unknown conversion`);
}

/** A custom resource must say itself what it is (apiextensions pkg/registry/customresource/validator.go ValidateTypeMeta). */
function checkCustomType({ apiVersion = "", kind = "", metadata }: { readonly [key: string]: Json }, expected: Expected, bytes: Uint8Array): void {
  const wanted = gvOf(expected);
  const unrecognized = (why: string) => badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${summary(bytes)})`);
  for (const [name, given] of [["apiVersion", apiVersion], ["kind", kind]] as const)
    if (typeof given !== "string" && given !== null) throw unrecognized(`couldn't get version/kind; json parse error: json: cannot unmarshal ${goType(given)} into Go struct field .${name} of type string`);
  if (kind === "" || kind === null) throw unrecognized(`Object 'Kind' is missing in '${new TextDecoder().decode(bytes)}'`);
  if (apiVersion !== wanted) throw badRequest(`the API version in the data (${apiVersion ?? ""}) does not match the expected API version (${wanted})`);
  if (kind === expected.kind) return;
  const name = isObject(metadata) && typeof metadata.name === "string" ? metadata.name : "";
  throw invalid({ group: expected.group, kind: kind as string }, name, [invalidValue("kind", kind, `must be ${expected.kind}`)]);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw badRequest("the body of the request is not valid UTF-8");
    throw error;
  }
}

const goType = (value: Json): string => (Array.isArray(value) ? "array" : typeof value === "bigint" ? "number" : value === null ? "null" : typeof value === "boolean" ? "bool" : typeof value);

/** The beginning of a body, for messages (handlers/rest.go summarizeData). */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const cut = bytes.length > 30 ? " ..." : "";
  const head = bytes.slice(0, 30);
  if (head[0] === 0x7b) return new TextDecoder().decode(head) + cut;
  return [...head].map(byte => byte.toString(16).padStart(2, "0")).join("") + cut;
}
