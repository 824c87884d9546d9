/** From the bytes of a body to an object of the expected kind: JSON, YAML or protobuf, strict where asked. Texts as upstream's decoders. */
import { JsonError, parseJson, parseWritten } from "../base/json-codec.ts";
import type { ApiError } from "../base/api-error.ts";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { decode, DecodeError } from "../schema/decode.ts";
import { explain } from "../schema/decode-explain.ts";
import { openEnvelope } from "../schema/envelope.ts";
import { typeName } from "../schema/json-patch.ts";
import { goQuote, invalidValue } from "../schema/problem.ts";
import { decodeProtobuf, ProtobufError } from "../schema/protobuf.ts";
import { strictProblems } from "../schema/strict.ts";
import type { Node } from "../schema/t.ts";
import { badRequest, invalid } from "./errors.ts";
import { jsonType, protobufType, type MediaType } from "./negotiate.ts";
import type { FieldValidation } from "./options.ts";
import { gvOf, isVersionless, orExpected, typeMetaOf, typeMismatch, versionOf, type TypeMeta } from "./type-meta.ts";
import { duplicatesInYaml } from "./yaml-duplicates.ts";

/** Reads YAML as JSON, reporting keys written twice. Throws an Error whose message is for the client. */
export type ParseYaml = (text: string) => { readonly value: Json; readonly duplicates: readonly string[] };

export type Expected = {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly node: Node;
  /** Is this another kind, or any of a version, that the server knows? Decides which refusal the client reads. */
  readonly isKnown: (apiVersion: string, kind?: string) => boolean;
  /** Any group and version will do: DeleteOptions go by the name of whatever is deleted. */
  readonly anyVersion?: boolean;
};
export type BodyOptions = { readonly parseYaml: ParseYaml; readonly fieldValidation: FieldValidation; readonly warn: (text: string) => void };

/** The body as a private object in canonical form of the expected version. */
export function readBody(bytes: Uint8Array, type: MediaType, expected: Expected, options: BodyOptions): any {
  if (type === protobufType) return readProtobuf(bytes, expected);
  const text = textOf(bytes);
  const { value, duplicates, hasFractions } = parseText(text, type, expected, options.parseYaml);
  return readValue(value, type === jsonType ? duplicates.map(path => `duplicate field ${goQuote(path)}`) : duplicatesInYaml(text, duplicates), expected, options, bytes, type === jsonType ? { text, hasFractions: hasFractions === true } : undefined);
}

/** The value of a JSON or YAML text, and which keys were written twice. */
export function parseText(text: string, type: MediaType, expected: Expected, parseYaml: ParseYaml): { readonly value: Json; readonly duplicates: readonly string[]; readonly hasFractions?: boolean } {
  try {
    return type === jsonType ? parseJson(text) : parseYaml(text);
  } catch (error) {
    if (!(error instanceof JsonError) && type === jsonType) throw error;
    const message = error instanceof Error ? error.message : String(error);
    const why = type === jsonType ? `couldn't get version/kind; json parse error: ${message}` : message;
    throw expected.anyVersion === true ? badRequest(why) : unrecognizedBody(expected, why, new TextEncoder().encode(text));
  }
}

/** Nobody can say of what kind this is. */
const unrecognizedBody = ({ kind }: Expected, why: string, bytes: Uint8Array): ApiError => badRequest(`the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(bytes)})`);

type JsonText = { readonly text: string; readonly hasFractions: boolean };

/** A parsed value as the expected kind. `duplicates` are complete complaints. */
export function readValue(body: Json, duplicates: readonly string[], expected: Expected, options: BodyOptions, bytes?: Uint8Array, json?: JsonText): any {
  // To Go, `null` is an object that says nothing.
  const value = body === null ? {} : body;
  const unrecognized = (why: string) => unrecognizedBody(expected, why, bytes ?? new Uint8Array());
  if (!isObject(value)) throw unrecognized(`couldn't get version/kind; json parse error: json: cannot unmarshal ${typeName(value)} into Go value of type struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }`);
  const given = typeMetaOf(value);
  if (typeof given === "string") throw unrecognized(given);
  if (expected.node.custom !== undefined) checkCustomType(given, value, expected, unrecognized, bytes ?? new Uint8Array());
  const { apiVersion, kind } = orExpected(given, expected);
  checkType({ apiVersion, kind }, expected);
  const refuse = (message: string) => badRequest(`${kind} in version ${goQuote(versionOf(apiVersion))} cannot be handled as a ${expected.kind}: ${message}`);
  let decoded;
  try {
    decoded = decode(expected.node, value);
    if (json?.hasFractions === true && expected.node.custom === undefined) checkNumbers(expected.node, json.text);
  } catch (error) {
    if (error instanceof DecodeError) throw refuse(error.message);
    throw error;
  }
  const strict = strictTexts(duplicates, decoded.unknown, expected, json?.text);
  if (strict.length > 0 && options.fieldValidation === "Strict") throw refuse(`strict decoding error: ${strict.join(", ")}`);
  if (options.fieldValidation === "Warn") for (const text of strict) options.warn(text);
  return { ...decoded.object, apiVersion, kind };
}

/** Where an integer is wanted, Go wants one written as such. */
function checkNumbers(node: Node, text: string): void {
  const { mismatch } = explain(node, parseWritten(text) as Json);
  if (mismatch !== undefined) throw new DecodeError(mismatch);
}

/** What strict decoding complains of; for JSON in the order of the text. */
function strictTexts(duplicates: readonly string[], unknown: readonly string[], { node }: Expected, jsonText: string | undefined): readonly string[] {
  if (duplicates.length > 0 && unknown.length > 0 && jsonText !== undefined) return strictProblems(node, jsonText);
  return [...duplicates, ...unknown.map(path => `unknown field ${goQuote(path)}`)];
}

function readProtobuf(bytes: Uint8Array, expected: Expected): any {
  const { apiVersion, kind, raw } = openedEnvelope(bytes, expected);
  try {
    const type = orExpected({ apiVersion, kind }, expected);
    checkType(type, expected);
    const object = decodeProtobuf(expected.node, raw) as { readonly [key: string]: Json };
    return { ...decode(expected.node, object).object, ...type };
  } catch (error) {
    if (error instanceof ProtobufError || error instanceof DecodeError) throw badRequest(error.message);
    throw error;
  }
}

function openedEnvelope(bytes: Uint8Array, expected: Expected): ReturnType<typeof openEnvelope> {
  try {
    return openEnvelope(bytes);
  } catch (error) {
    if (!(error instanceof ProtobufError)) throw error;
    throw expected.anyVersion === true ? badRequest(error.message) : unrecognizedBody(expected, error.message, bytes);
  }
}

function checkType(type: TypeMeta, expected: Expected): void {
  const mismatch = typeMismatch(type, expected);
  if (mismatch === undefined) return;
  if (type.kind === expected.kind && expected.isKnown(type.apiVersion, type.kind)) throw otherVersion(type.apiVersion, expected);
  throw badRequest(`${type.kind} in version ${goQuote(versionOf(type.apiVersion))} cannot be handled as a ${expected.kind}: ${mismatch}`);
}
const otherVersion = (apiVersion: string, expected: Expected): ApiError => badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${gvOf(expected)})`);

/** A custom resource must say itself what it is (apiextensions pkg/registry/customresource/validator.go ValidateTypeMeta). */
function checkCustomType({ apiVersion, kind }: TypeMeta, value: JsonObject, expected: Expected, unrecognized: (why: string) => ApiError, bytes: Uint8Array): void {
  if (kind === "") throw unrecognized(`Object 'Kind' is missing in '${new TextDecoder().decode(bytes)}'`);
  if (value.apiVersion === null) throw badRequest(`${kind} in version "" cannot be handled as a ${expected.kind}: ${noText("apiVersion")}`);
  if (isVersionless(apiVersion, expected) || apiVersion !== gvOf(expected)) throw otherVersion(apiVersion, expected);
  if (kind === expected.kind) return;
  const name = isObject(value.metadata) && typeof value.metadata.name === "string" ? value.metadata.name : "";
  throw invalid({ group: expected.group, kind }, name, [invalidValue("kind", kind, `must be ${expected.kind}`)]);
}
/** An unstructured object's field that is null. */
export const noText = (field: string): string => `.${field} accessor error: <nil> is of the type <nil>, expected string`;

const utf8 = new TextDecoder("utf-8", { fatal: true });

export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    if (error instanceof TypeError) throw badRequest("the body of the request is not valid UTF-8");
    throw error;
  }
}

/** The beginning of a body, for messages (handlers/rest.go summarizeData). */
function summary(bytes: Uint8Array): string {
  if (bytes.length === 0) return "<empty>";
  const cut = bytes.length > 30 ? " ..." : "";
  const head = bytes.slice(0, 30);
  if (head[0] === 0x7b) return new TextDecoder().decode(head) + cut;
  return [...head].map(byte => byte.toString(16).padStart(2, "0")).join("") + cut;
}
