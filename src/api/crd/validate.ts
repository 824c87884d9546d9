/** Validates a custom resource against its schema, in the words and with the quirks of upstream's validator (kube-openapi pkg/validation/validate, apiextensions pkg/apiserver/validation). */
import { isObject, sameJson, type Json } from "../../base/json.ts";
import { stringifyJson } from "../../base/json-codec.ts";
import { invalidValue, notSupported, type Problem } from "../../schema/problem.ts";
import { formatOf, isOfFormat } from "./formats.ts";
import { multipleProblem, rangeProblem } from "./numbers.ts";
import { Correlated } from "./rules-correlation.ts";
import type { Schema } from "./schema.ts";

/** Compiles a regular expression of a client; linear in the text's length. */
export type CompilePattern = (pattern: string) => (text: string) => boolean;

/** Problems told for one object; a hostile one could make millions. */
const problemsMax = 100;

/** As many of them as are told. */
export function toldOf(problems: Iterable<Problem>): readonly Problem[] {
  const told: Problem[] = [];
  for (const problem of problems) if (told.push(problem) >= problemsMax) break;
  return told;
}

/** What was found wrong, each thing once; and how many checks were made, by which the alternative is chosen that is spoken of. */
class Found {
  readonly problems: { readonly message: string; readonly problem: Problem }[] = [];
  count = 0;
  add(message: string, problem: Problem): void {
    if (!this.problems.some(known => known.message === message)) this.problems.push({ message, problem });
  }
  merge({ problems, count }: Found): void {
    for (const { message, problem } of problems) this.add(message, problem);
    this.count += count;
  }
}

const fieldOf = (path: string): string => (path === "" || path === "." ? "<nil>" : path.replace(/^\./, ""));
/** What is said of no field in particular. */
const general = (message: string): Problem => invalidValue("<nil>", "", message);

export class Validator {
  readonly #compile: CompilePattern;
  readonly #patterns = new Map<string, (text: string) => boolean>();

  constructor(compile: CompilePattern) {
    this.#compile = compile;
  }

  /** `previous`: what the object was; what is wrong with parts that have not changed since is let through (apiextensions pkg/apiserver/validation/ratcheting.go). */
  validate(schema: Schema, value: Json, previous: Json | undefined): readonly Problem[] {
    const found = new Found();
    this.#check(schema, value, "", found, previous === undefined ? undefined : new Correlated(schema, value, previous));
    return found.problems.map(({ problem }) => problem);
  }

  #check(schema: Schema, value: Json, path: string, found: Found, before: Correlated | undefined): void {
    if (found.problems.length >= problemsMax) return;
    const known = found.problems.length;
    this.#checkAll(schema, value, path, found, before);
    if (found.problems.length > known && before?.unchanged === true) found.problems.length = known;
  }

  /** Every check is made whatever the others say. */
  #checkAll(schema: Schema, value: Json, path: string, found: Found, before: Correlated | undefined): void {
    const types = typesOf(schema), format = formatOf(schema);
    if (value === null) {
      if (types.length > 0 && schema.nullable !== true) wrongType(found, path, types.join(","), "null");
      checkEnum(schema, value, path, found);
      return;
    }
    const kind = kindOf(value);
    if (types.length > 0 || format !== "") {
      if (checkType(found, types, format, kind, path)) found.count++;
      found.count++;
    }
    if (schema.anyOf !== undefined || schema.oneOf !== undefined || schema.allOf !== undefined || schema.not !== undefined) this.#checkJunctors(schema, value, path, found);
    found.count += 2;
    if (typeof value === "string") {
      this.#checkText(schema, value, path, found);
      if (format !== "" && !isOfFormat(format, value)) wrongType(found, path, format, value);
      found.count += format === "" ? 1 : 2;
    } else if (typeof value === "number" || typeof value === "bigint") {
      checkNumber(schema, value, path, found);
      found.count += 2;
    } else if (Array.isArray(value)) {
      this.#checkList(schema, value, path, found, before);
      found.count += 2;
    }
    checkEnum(schema, value, path, found);
    found.count++;
    if (kind === "object") {
      this.#checkObject(schema, value as { readonly [name: string]: Json }, path, found, before);
      found.count++;
    }
    found.count++;
  }

  /** The first of them speaks. */
  #checkText({ maxLength, minLength, pattern }: Schema, text: string, path: string, found: Found): void {
    const length = maxLength === undefined && minLength === undefined ? 0 : [...text].length;
    const say = (detail: string): void => found.add(detail, invalidValue(fieldOf(path), text, detail));
    if (maxLength !== undefined && length > maxLength) found.add(`${path} is too long`, { field: fieldOf(path), reason: "TooLong", detail: `may not be more than ${maxLength} bytes` });
    else if (minLength !== undefined && length < minLength) say(`${path} in body should be at least ${minLength} chars long`);
    else if (pattern !== undefined && pattern !== "" && !this.#matches(pattern, text)) say(`${path} in body should match '${pattern}'`);
  }

  #matches(pattern: string, text: string): boolean {
    let matches = this.#patterns.get(pattern);
    if (matches === undefined) this.#patterns.set(pattern, (matches = this.#compile(pattern)));
    return matches(text);
  }

  #checkList({ items, minItems, maxItems }: Schema, list: readonly Json[], path: string, found: Found, before: Correlated | undefined): void {
    if (items !== undefined) list.forEach((item, i) => this.#check(items, item, `${path}[${i}]`, found, before?.index(i)));
    if (minItems !== undefined && list.length < minItems) found.add(`${path} has too few`, invalidValue(fieldOf(path), list.length, `${path} in body should have at least ${minItems} items`));
    if (maxItems !== undefined && list.length > maxItems) found.add(`${path} has too many`, tooMany(path, list.length, maxItems));
  }

  #checkObject({ properties = {}, additionalProperties, required, minProperties, maxProperties }: Schema, object: { readonly [name: string]: Json }, path: string, found: Found, before: Correlated | undefined): void {
    if (minProperties !== undefined || maxProperties !== undefined) {
      const count = Object.keys(object).length;
      if (minProperties !== undefined && count < minProperties) found.add(`${path} has too few`, invalidValue(fieldOf(path), count, `${path} in body should have at least ${minProperties} properties`));
      if (maxProperties !== undefined && count > maxProperties) found.add(`${path} has too many`, tooMany(path, count, maxProperties));
    }
    // The version and kind of what is stored are not seen.
    const was = (name: string): Correlated | undefined => (path === "" && (name === "apiVersion" || name === "kind" || name === "metadata") ? undefined : before?.key(name));
    if (isObject(additionalProperties)) for (const [name, value] of Object.entries(object)) if (!Object.hasOwn(properties, name)) this.#check(additionalProperties as Schema, value, `${path}.${name}`, found, was(name));
    for (const [name, value] of Object.entries(object)) if (Object.hasOwn(properties, name)) this.#check(properties[name]!, value, path === "" ? name : `${path}.${name}`, found, was(name));
    for (const name of required ?? []) if (!Object.hasOwn(object, name)) found.add(`${path}.${name} is required`, { field: fieldOf(`${path}.${name}`), reason: "Required", detail: "" });
  }

  /** Where no alternative holds, the one speaks of which most checks hold. What has not changed is not let through here. */
  #checkJunctors({ anyOf = [], oneOf = [], allOf = [], not }: Schema, value: Json, path: string, found: Found): void {
    const tried = (schema: Schema): Found => {
      const result = new Found();
      this.#checkAll(schema, value, path, result, undefined);
      return result;
    };
    const say = (detail: string): void => found.add(`${goQuoted(path)} ${detail}`, general(`${goQuoted(path)} ${detail}`));
    if (anyOf.length > 0) {
      let best: Found | undefined;
      for (const each of anyOf) {
        const result = tried(each);
        if (result.problems.length === 0) { best = result; break; }
        if (best === undefined || result.count > best.count) best = result;
      }
      if (best!.problems.length > 0) say("must validate at least one schema (anyOf)");
      found.merge(best!);
    }
    if (oneOf.length > 0) {
      let [valid, best, first]: [number, Found | undefined, Found | undefined] = [0, undefined, undefined];
      for (const each of oneOf) {
        const result = tried(each);
        if (result.problems.length === 0) {
          valid++;
          first ??= result;
          best = undefined;
        } else if (valid === 0 && (best === undefined || result.count > best.count)) best = result;
      }
      if (valid !== 1) say(`must validate one and only one schema (oneOf). ${valid === 0 ? "Found none valid" : `Found ${valid} valid alternatives`}`);
      const spoken = valid === 1 ? first : best;
      if (spoken !== undefined) found.merge(spoken);
    }
    let valid = 0;
    for (const each of allOf) {
      const result = tried(each);
      if (result.problems.length === 0) valid++;
      found.merge(result);
    }
    if (valid !== allOf.length) say(`must validate all the schemas (allOf)${valid === 0 ? ". None validated" : ""}`);
    if (not !== undefined && tried(not).problems.length === 0) say("must not validate the schema (not)");
  }
}

const goQuoted = (path: string): string => JSON.stringify(path);
const tooMany = (path: string, count: number, max: number): Problem => ({ field: fieldOf(path), reason: "TooMany", value: count, detail: `must have at most ${max} item${max === 1 ? "" : "s"}` });

const eitherTypes: readonly string[] = ["integer", "string"], noTypes: readonly string[] = [];
const single: ReadonlyMap<string, readonly string[]> = new Map(["array", "boolean", "integer", "number", "object", "string"].map(type => [type, [type]]));
function typesOf(schema: Schema): readonly string[] {
  if (schema["x-kubernetes-int-or-string"] === true) return eitherTypes;
  return schema.type === undefined || schema.type === "" ? noTypes : (single.get(schema.type) ?? [schema.type]);
}

function kindOf(value: Exclude<Json, null>): string {
  if (Array.isArray(value)) return "array";
  if (typeof value === "bigint") return value >= -(2n ** 63n) && value < 2n ** 63n ? "integer" : "number";
  return typeof value === "number" && Number.isInteger(value) ? "integer" : typeof value;
}

function wrongType(found: Found, path: string, wanted: string, given: string): void {
  const detail = `${path} in body must be of type ${wanted}: ${JSON.stringify(given)}`;
  found.add(detail, { field: fieldOf(path), reason: "TypeInvalid", value: given, detail });
}

/** Quirk: with a format, texts and lists are of any type but numbers', and what is neither is told by its own format (validate/type.go). */
function checkType(found: Found, types: readonly string[], format: string, kind: string, path: string): boolean {
  const known = found.problems.length, own = kind === "integer" ? "int64" : kind === "number" ? "float64" : "";
  const fits = types.includes(kind) || (kind === "integer" && types.includes("number"));
  if (kind !== "string" && kind !== "array" && format !== "" && !fits && own !== format) wrongType(found, path, format, own);
  else if (!types.includes("number") && !types.includes("integer") && format !== "" && (kind === "string" || kind === "array")) return true;
  else if (!fits) wrongType(found, path, types.join(","), kind);
  return found.problems.length === known;
}

/** Quirk: null is none of the values, even if it stands among them. */
function checkEnum({ enum: values }: Schema, value: Json, path: string, found: Found): void {
  if (values === undefined || values.length === 0 || (value !== null && values.some(each => isValue(each, value)))) return;
  found.add(`${path} is none of the values`, notSupported(fieldOf(path), value, values.map(each => (typeof each === "string" ? each : stringifyJson(each)))));
}

/** Quirk: Go makes whole numbers of others, and characters of whole numbers, before it compares. */
function isValue(each: Json, value: Json): boolean {
  if (typeof value !== "number") return sameJson(each, value);
  if (typeof each === "string") return Number.isInteger(value) && each === (value >= 0 && value <= 0x10ffff && !(value >= 0xd800 && value < 0xe000) ? String.fromCodePoint(value) : "\ufffd");
  return each === (Number.isInteger(each) ? Math.trunc(value) : value);
}

function checkNumber(schema: Schema, value: number | bigint, path: string, found: Found): void {
  const type = schema["x-kubernetes-int-or-string"] === true ? "" : (schema.type ?? "");
  const range = (of: number | bigint, what: string): void => {
    const problem = rangeProblem(of, type, formatOf(schema), what, path);
    if (problem !== undefined) found.add(problem, general(problem));
  };
  const { exclusiveMaximum = false, exclusiveMinimum = false } = schema, field = fieldOf(path);
  // Large ones are stored with all their digits, and read again as exact integers.
  const [multipleOf, maximum, minimum] = [schema.multipleOf, schema.maximum, schema.minimum].map(each => (each === undefined ? undefined : Number(each)));
  const isWhole = typeof value === "bigint" || Number.isInteger(value);
  range(value, "Checked");
  const say = (detail: string, shown: unknown = value): void => found.add(detail, invalidValue(field, shown, detail));
  if (multipleOf !== undefined) {
    range(multipleOf, "MultipleOf");
    const problem = multipleProblem(value, multipleOf, rangeProblem(multipleOf, type, "", "", "") === undefined && isWhole, path);
    if (problem !== undefined) say(problem.detail, problem.value);
  }
  if (minimum !== undefined) range(minimum, "Minimum boundary");
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) say(`${path} in body should be greater than ${exclusiveMinimum ? "" : "or equal to "}${bound(minimum, isWhole)}`);
  if (maximum !== undefined) range(maximum, "Maximum boundary");
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) say(`${path} in body should be less than ${exclusiveMaximum ? "" : "or equal to "}${bound(maximum, isWhole)}`);
}

/** A bound as Go's %v prints it: whole numbers are compared, and told, as such. */
const bound = (limit: number, whole: boolean): string => (whole ? String(Math.trunc(limit)) : goFloat(limit));
const goFloat = (number: number): string => {
  const [digits = "", exponent = "0"] = number.toExponential().split("e");
  const power = Number(exponent);
  return power < -4 || power >= 21 ? `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}` : String(number);
};
