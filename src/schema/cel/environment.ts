/** Compiles CEL expressions over declared variables and evaluates them, with Kubernetes' libraries, limits and messages. */
import { type Issue, renderIssues } from "./ast.ts";
import { check } from "./checker.ts";
import { type SizeAt, estimateCost } from "./cost-estimate.ts";
import { CelError, OverBudget } from "./error.ts";
import { compile, type Run } from "./evaluate.ts";
import type { Host, Library } from "./functions.ts";
import { kubernetesLibrary } from "./library/kubernetes.ts";
import type { Messages } from "./messages.ts";
import { literalIssues } from "./literals.ts";
import { parse } from "./parser.ts";
import { type Type, typeText } from "./types.ts";
import type { Value } from "./values.ts";

/** What one evaluation may cost (apiserver apis/cel/config.go, PerCallLimit). */
export const callCostMax = 1_000_000;
/** What all evaluations for one object or policy may cost together (RuntimeCELCostBudget). */
export const totalCostMax = 10_000_000;

export type Compiled =
  | { readonly ok: true; readonly program: Program; /** What it may cost at most, if sizes were given. */ readonly estimate: number }
  /** `message` is cel-go's, every issue with the place it is at. */
  | { readonly ok: false; readonly message: string; /** It is only that constants in it cannot be converted. */ readonly checked?: true };
export type Outcome =
  | { readonly ok: true; readonly value: Value; readonly cost: number }
  | { readonly ok: false; readonly message: string; readonly overBudget: boolean; readonly cost: number };

export type Options = {
  /** Variables and their types. */
  readonly variables: ReadonlyMap<string, Type>;
  /** Types that the result may have, exactly (dyn is none of them); any if absent. */
  readonly wants?: readonly Type[];
  readonly host: Host;
  readonly library?: Library;
  /** Types of objects that it may make; none if absent. */
  readonly messages?: Messages;
  /** Sizes that data may have: what the estimate is made from. */
  readonly sizeAt?: SizeAt;
  /** Whether `cel.bind` is known. */
  readonly bindings?: boolean;
};

export class Program {
  readonly type: Type;
  /** Names of the variables that the expression uses. */
  readonly uses: ReadonlySet<string>;
  readonly #code: (run: Run) => Value;
  readonly #names: readonly string[];
  readonly #host: Host;
  constructor(type: Type, uses: ReadonlySet<string>, names: readonly string[], code: (run: Run) => Value, host: Host) {
    this.type = type;
    this.uses = uses;
    this.#names = names;
    this.#code = code;
    this.#host = host;
  }

  /** Never throws for what the expression or its data do, but `Pending` for values that come later. Variables that are not given must not be used. */
  evaluate(bindings: ReadonlyMap<string, Value>, costMax = callCostMax): Outcome {
    const run: Run = { slots: this.#names.map(name => bindings.get(name) ?? null), host: this.#host, cost: 0, costMax };
    try {
      return { ok: true, value: this.#code(run), cost: run.cost };
    } catch (error) {
      if (error instanceof CelError || error instanceof OverBudget) return { ok: false, message: error.message, overBudget: error instanceof OverBudget, cost: run.cost };
      throw error;
    }
  }
}

export function compileExpression(text: string, { variables, wants, host, library = kubernetesLibrary, messages, sizeAt, bindings }: Options): Compiled {
  const fail = (issues: readonly Issue[]): Compiled => ({ ok: false, message: renderIssues(text, issues) });
  const { expr, issues } = parse(text, bindings);
  if (expr === undefined) return fail(issues);
  const checked = check(expr, variables, library, messages);
  if (checked.issues.length > 0) return fail(checked.issues);
  const bad = literalIssues(expr, checked, host);
  if (bad.length > 0) return fail(bad);
  const type = typeText(checked.type);
  if (wants !== undefined && !wants.some(each => typeText(each) === type)) {
    return { ok: false, message: `must evaluate to ${wants.length === 1 ? typeText(wants[0]!) : `one of [${wants.map(typeText).join(" ")}]`} but got ${type}` };
  }
  const names = [...variables.keys()];
  try {
    const code = compile(expr, checked, new Map(names.map((name, i) => [name, i])), host);
    return { ok: true, program: new Program(checked.type, new Set(checked.variables.values()), names, code, host), estimate: sizeAt === undefined ? 0 : estimateCost(expr, checked, sizeAt) };
  } catch (error) {
    if (!(error instanceof CelError)) throw error;
    return { ok: false, message: error.message, checked: true };
  }
}
