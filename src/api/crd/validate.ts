/** Validates a custom resource against its schema, in the words of upstream's validator (kube-openapi pkg/validation, apiextensions pkg/apiserver/validation). */
import { isObject, sameJson, type Json } from "../../base/json.ts";
import { stringifyJson } from "../../base/json-codec.ts";
import { duplicate, invalidValue, notSupported, required, type Problem } from "../../schema/problem.ts";
import type { Schema } from "./schema.ts";

/** Compiles a regular expression of a client; linear in the text's length. */
export type CompilePattern = (pattern: string) => (text: string) => boolean;

/** Problems told for one object; a hostile one could make millions. */
const problemsMax = 100;

export class Validator {
  readonly #compile: CompilePattern;
  readonly #patterns = new Map<string, (text: string) => boolean>();

  constructor(compile: CompilePattern) {
    this.#compile = compile;
  }

  validate(schema: Schema, value: Json, path: string): readonly Problem[] {
    const problems: Problem[] = [];
    this.#check(schema, value, path, problems);
    return problems;
  }

  #check(schema: Schema, value: Json, path: string, problems: Problem[]): void {
    if (problems.length >= problemsMax || (value === null && schema.nullable === true)) return;
    const wrong = this.#typeProblem(schema, value, path);
    if (wrong !== undefined) return void problems.push(wrong);
    if (schema.enum !== undefined && !schema.enum.some(each => sameJson(each, value))) problems.push(notSupported(path, value, schema.enum.map(each => (typeof each === "string" ? each : stringifyJson(each)))));
    if (typeof value === "string") this.#checkText(schema, value, path, problems);
    else if (typeof value === "number" || typeof value === "bigint") checkNumber(schema, Number(value), path, problems);
    else if (Array.isArray(value)) this.#checkList(schema, value, path, problems);
    else if (isObject(value)) this.#checkObject(schema, value, path, problems);
    this.#checkJunctors(schema, value, path, problems);
  }

  #typeProblem(schema: Schema, value: Json, path: string): Problem | undefined {
    const type = typeOf(value);
    const wrong = (wanted: string): Problem => ({ field: path === "" ? "<nil>" : path, reason: "TypeInvalid", value: type === "object" || type === "array" ? type : value, detail: `${path} in body must be of type ${wanted}: ${JSON.stringify(type)}` });
    if (schema["x-kubernetes-int-or-string"] === true) return type === "integer" || type === "string" ? undefined : wrong("integer,string");
    if (schema.type === undefined || schema.type === "" || schema.type === type || (schema.type === "number" && type === "integer")) return undefined;
    return wrong(schema.type);
  }

  #checkText(schema: Schema, text: string, path: string, problems: Problem[]): void {
    const length = [...text].length;
    if (schema.maxLength !== undefined && length > schema.maxLength) problems.push({ field: path, reason: "TooLong", detail: `may not be more than ${schema.maxLength} bytes` });
    if (schema.minLength !== undefined && length < schema.minLength) problems.push(invalidValue(path, text, `${path} in body should be at least ${schema.minLength} chars long`));
    if (schema.pattern !== undefined && !this.#matches(schema.pattern, text)) problems.push(invalidValue(path, text, `${path} in body should match '${schema.pattern}'`));
    if (schema.format !== undefined && formats[schema.format]?.(text) === false) problems.push(invalidValue(path, text, `${path} in body must be of type ${schema.format}: ${JSON.stringify(text)}`));
  }

  #matches(pattern: string, text: string): boolean {
    let matches = this.#patterns.get(pattern);
    if (matches === undefined) this.#patterns.set(pattern, (matches = this.#compile(pattern)));
    return matches(text);
  }

  #checkList(schema: Schema, list: readonly Json[], path: string, problems: Problem[]): void {
    if (schema.maxItems !== undefined && list.length > schema.maxItems) problems.push({ field: path, reason: "TooMany", value: list.length, detail: `must have at most ${schema.maxItems} items` });
    if (schema.minItems !== undefined && list.length < schema.minItems) problems.push(invalidValue(path, list.length, `${path} in body should have at least ${schema.minItems} items`));
    const { items } = schema;
    if (items !== undefined) list.forEach((item, i) => this.#check(items, item, `${path}[${i}]`, problems));
    const keys = schema["x-kubernetes-list-type"] === "map" ? (schema["x-kubernetes-list-map-keys"] ?? []) : undefined;
    if (keys === undefined && schema["x-kubernetes-list-type"] !== "set") return;
    const seen = new Set<string>();
    list.forEach((item, i) => {
      const shown = keys === undefined ? item : Object.fromEntries(keys.map(key => [key, isObject(item) ? (item[key] ?? null) : null]));
      const identity = stringifyJson(shown);
      if (seen.has(identity)) problems.push(duplicate(`${path}[${i}]`, shown));
      seen.add(identity);
    });
  }

  #checkObject(schema: Schema, object: { readonly [name: string]: Json }, path: string, problems: Problem[]): void {
    const at = (name: string): string => (path === "" ? name : `${path}.${name}`);
    const count = Object.keys(object).length;
    if (schema.maxProperties !== undefined && count > schema.maxProperties) problems.push({ field: path, reason: "TooMany", value: count, detail: `must have at most ${schema.maxProperties} items` });
    if (schema.minProperties !== undefined && count < schema.minProperties) problems.push(invalidValue(path, count, `${path} in body should have at least ${schema.minProperties} properties`));
    for (const name of schema.required ?? []) if (!Object.hasOwn(object, name)) problems.push(required(at(name)));
    const { properties = {}, additionalProperties } = schema;
    for (const [name, value] of Object.entries(object)) {
      if (Object.hasOwn(properties, name)) this.#check(properties[name]!, value, at(name), problems);
      else if (isObject(additionalProperties)) this.#check(additionalProperties as Schema, value, at(name), problems);
    }
    if (schema["x-kubernetes-embedded-resource"] === true) for (const name of ["apiVersion", "kind"]) if (typeof object[name] !== "string" || object[name] === "") problems.push(required(at(name), "must not be empty"));
  }

  #checkJunctors(schema: Schema, value: Json, path: string, problems: Problem[]): void {
    const holds = (each: Schema): boolean => {
      const found: Problem[] = [];
      this.#check(each, value, path, found);
      return found.length === 0;
    };
    const say = (detail: string): void => void problems.push(invalidValue(path === "" ? "<nil>" : path, isObject(value) || Array.isArray(value) ? "" : value, `${JSON.stringify(path)} ${detail}`));
    if (schema.allOf !== undefined && schema.allOf.length > 0 && !schema.allOf.every(holds)) {
      for (const each of schema.allOf) this.#check(each, value, path, problems);
      say("must validate all the schemas (allOf)");
    }
    if (schema.anyOf !== undefined && schema.anyOf.length > 0 && !schema.anyOf.some(holds)) say("must validate at least one schema (anyOf)");
    const one = schema.oneOf === undefined || schema.oneOf.length === 0 ? 1 : schema.oneOf.filter(holds).length;
    if (one !== 1) say(`must validate one and only one schema (oneOf). ${one === 0 ? "Found none valid" : `Found ${one} valid alternatives`}`);
    if (schema.not !== undefined && holds(schema.not)) say("must not validate the schema (not)");
  }
}

function typeOf(value: Json): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint" || (typeof value === "number" && Number.isInteger(value))) return "integer";
  return typeof value;
}

function checkNumber(schema: Schema, number: number, path: string, problems: Problem[]): void {
  const { minimum, maximum, multipleOf } = schema;
  if (maximum !== undefined && (schema.exclusiveMaximum === true ? number >= maximum : number > maximum)) problems.push(invalidValue(path, number, `${path} in body should be less than ${schema.exclusiveMaximum === true ? "" : "or equal to "}${maximum}`));
  if (minimum !== undefined && (schema.exclusiveMinimum === true ? number <= minimum : number < minimum)) problems.push(invalidValue(path, number, `${path} in body should be greater than ${schema.exclusiveMinimum === true ? "" : "or equal to "}${minimum}`));
  if (multipleOf !== undefined && multipleOf > 0 && Math.abs(number / multipleOf - Math.round(number / multipleOf)) > 1e-9) problems.push(invalidValue(path, number, `${path} in body should be a multiple of ${multipleOf}`));
}

/** Formats that upstream checks in custom resources; each pattern is linear. */
const formats: { readonly [format: string]: ((text: string) => boolean) | undefined } = {
  "date-time": text => /^\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$/.test(text) && !Number.isNaN(Date.parse(text.replace(" ", "T"))),
  date: text => /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)),
  uuid: text => /^[0-9a-fA-F]{8}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{4}-?[0-9a-fA-F]{12}$/.test(text),
  ipv4: text => /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split(".").every(part => Number(part) < 256),
  ipv6: text => text.length <= 45 && text.includes(":") && /^[0-9a-fA-F:.]+$/.test(text),
  byte: text => text.length % 4 === 0 && /^[A-Za-z0-9+/]*={0,2}$/.test(text),
  email: text => text.length <= 320 && /^[^@\s]+@[^@\s]+$/.test(text),
  hostname: text => text.length <= 255 && /^[A-Za-z0-9.-]+$/.test(text),
  cidr: text => /^[0-9a-fA-F:.]+\/\d{1,3}$/.test(text),
  duration: text => /^-?(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text) || text === "0",
};
