/** Compiles the CEL rules of a schema (apiextensions pkg/apiserver/schema/cel/compilation.go). */
import { getOwn, isObject } from "../../base/json.ts";
import { type Decl, sizeInside } from "../../schema/cel/data.ts";
import { type Program, compileExpression } from "../../schema/cel/environment.ts";
import type { Host } from "../../schema/cel/functions.ts";
import { optionalOf } from "../../schema/cel/types.ts";
import type { Schema } from "./schema.ts";

/** One of `x-kubernetes-validations`. */
export type Rule = {
  readonly rule: string;
  readonly message?: string;
  readonly messageExpression?: string;
  readonly reason?: string;
  readonly fieldPath?: string;
  readonly optionalOldSelf?: boolean;
};
export const rulesOf = (schema: Schema): readonly Rule[] => (schema["x-kubernetes-validations"] ?? []) as unknown as readonly Rule[];

export type CompiledRule = {
  readonly program: Program | undefined;
  readonly problem: string | undefined;
  readonly message: Program | undefined;
  readonly messageProblem: string | undefined;
  /** What the rule and its message may cost at most, once. */
  readonly estimate: number;
  readonly messageEstimate: number;
  /** `fieldPath`, normalised: what is added to the path of the value. */
  readonly path: string;
};

export function compileRule(rule: Rule, decl: Decl, schema: Schema, host: Host): CompiledRule {
  const nothing: CompiledRule = { program: undefined, problem: undefined, message: undefined, messageProblem: undefined, estimate: 0, messageEstimate: 0, path: "" };
  if (rule.rule.trim() === "") return nothing;
  const variables = new Map([["self", decl.type], ["oldSelf", rule.optionalOldSelf === true ? optionalOf(decl.type) : decl.type]]);
  const options = { variables, host, sizeAt: (at: readonly string[]) => sizeInside(decl, at) };
  const compiled = compileExpression(rule.rule, options);
  if (!compiled.ok) return { ...nothing, problem: `${compiled.checked === true ? "program instantiation" : "compilation"} failed: ${compiled.message}` };
  if (compiled.program.type.kind !== "bool") return { ...nothing, problem: "cel expression must evaluate to a bool" };
  const path = rule.fieldPath === undefined || rule.fieldPath === "" ? undefined : normalPath(rule.fieldPath, schema);
  const made = { ...nothing, program: compiled.program, estimate: compiled.estimate, path: path === undefined || "problem" in path ? "" : path.path };
  if (rule.messageExpression === undefined || rule.messageExpression === "") return made;
  const message = compileExpression(rule.messageExpression, options);
  if (!message.ok) return { ...made, messageProblem: `messageExpression ${message.checked === true ? "instantiation" : "compilation"} failed: ${message.message}` };
  return message.program.type.kind === "string" ? { ...made, message: message.program, messageEstimate: message.estimate } : { ...made, messageProblem: "messageExpression must evaluate to a string" };
}

/** `.spec.foo['a.b']` of a schema, as the paths of problems are written. */
export function normalPath(text: string, schema: Schema): { readonly path: string; readonly schema: Schema } | { readonly problem: string } {
  let here: Schema = schema, rest = text, path = "";
  while (rest !== "") {
    const named = /^\.([^.[\]]+)/.exec(rest), quoted = /^\['((?:[^'\\]|\\.)*)'\]/s.exec(rest);
    const found = named ?? quoted;
    if (found === null) return { problem: rest.startsWith("..") ? "does not refer to a valid field" : rest.startsWith(".") || rest.startsWith("[") ? "unexpected end of JSON path" : `expected [ or . but got: ${/^[^.[\]]*/.exec(rest)![0]}` };
    const name = quoted === null ? found[1]! : unescapeQuoted(found[1]!);
    if (name === undefined) return { problem: "invalid string literal" };
    if (here.properties !== undefined) {
      const next = getOwn(here.properties, name);
      if (next === undefined) return { problem: "does not refer to a valid field" };
      here = next;
      path += `.${name}`;
    } else if (isObject(here.additionalProperties)) {
      here = here.additionalProperties as Schema;
      path += `[${name}]`;
    } else return { problem: "does not refer to a valid field" };
    rest = rest.slice(found[0].length);
  }
  return { path, schema: here };
}
function unescapeQuoted(text: string): string | undefined {
  const meanings: { readonly [char: string]: string } = { a: "\u0007", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "'": "'", "\\": "\\" };
  let valid = true;
  const name = text.replace(/\\(.)/gs, (_, char: string) => { const meaning = getOwn(meanings, char); if (meaning === undefined) valid = false; return meaning ?? ""; });
  return valid ? name : undefined;
}
