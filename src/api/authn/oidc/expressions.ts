/** CEL of an authentication configuration. Loaded with the first configuration that there is: most clusters have none. */
import { isObject, type Json } from "../../../base/json.ts";
import { invalidValue, type Problem } from "../../../schema/problem.ts";
import { goAnyDecl, valueOf } from "../../../schema/cel/data.ts";
import { compileExpression, type Program } from "../../../schema/cel/environment.ts";
import type { Host } from "../../../schema/cel/functions.ts";
import { userInfoType } from "../../admission/policies/input-types.ts";
import { mapOf, types } from "../../../schema/cel/types.ts";
import { List, type Value } from "../../../schema/cel/values.ts";

export type Variable = "claims" | "user";

/** Compiles each expression once. */
export class Expressions {
  readonly #host: Host;
  readonly #programs = new Map<string, Program>();

  constructor(host: Host) {
    this.#host = host;
  }

  /** Why it does not compile; `undefined`: it does. */
  check(text: string, variable: Variable, wantsBool: boolean): string | undefined {
    const made = compileExpression(text, { variables: new Map([[variable, variable === "claims" ? mapOf(types.string, types.any) : userInfoType]]), host: this.#host, ...(wantsBool ? { wants: [types.bool] } : {}) });
    if (!made.ok) return made.message.startsWith("must evaluate") ? made.message.replace(/ but got .*$/s, "") : `compilation failed: ${made.message}`;
    this.#programs.set(`${variable} ${text}`, made.program);
    return undefined;
  }

  /** Text or a list of text, of which the empty are left out; `null` is none. Throws an `Error` for anything else. */
  texts(text: string, variable: Variable, value: Json): readonly string[] {
    const found = this.#evaluate(text, variable, value);
    if (found === null) return [];
    if (typeof found === "string") return found === "" ? [] : [found];
    const items = found instanceof List ? [...found] : undefined;
    if (items === undefined || !items.every(item => typeof item === "string")) throw new Error("expression must return a string or a list of strings");
    return items.filter(item => item !== "");
  }
  text(text: string, variable: Variable, value: Json, what: string): string {
    const found = this.#evaluate(text, variable, value);
    if (typeof found !== "string") throw new Error(`${what} claim expression must return a string`);
    return found;
  }
  holds(text: string, variable: Variable, value: Json): boolean {
    const found = this.#evaluate(text, variable, value);
    if (typeof found !== "boolean") throw new Error("validation expression must return a boolean");
    return found;
  }

  #evaluate(text: string, variable: Variable, value: Json): Value {
    const program = this.#programs.get(`${variable} ${text}`);
    if (program === undefined || !isObject(value)) throw new Error("expression is not compiled");
    const outcome = program.evaluate(new Map([[variable, valueOf(goAnyDecl, value)]]));
    if (!outcome.ok) throw new Error(outcome.message);
    return outcome.value;
  }
}

export function* expressionProblems(why: string | undefined, expression: string, path: string): Iterable<Problem> {
  if (why !== undefined) yield invalidValue(path, expression, why);
}
