/** What `has`, `all`, `exists`, `map`, `filter` and the others stand for: loops over one value (cel-go parser/macro.go, ext/comprehensions.go, cel/library.go). */
import type { Comprehension, Expr, Issue } from "./ast.ts";

const accumulator = "@result";

type Macro = (target: Expr, args: readonly Expr[], at: number, fail: (at: number, text: string) => undefined) => Expr | undefined;

/** The expression that a call means, if it is a macro's. Mistakes in its form go to `issues`. `bindings`: whether `cel.bind` is one. */
export function expandMacro(name: string, target: Expr | undefined, args: readonly Expr[], at: number, issues: Issue[], bindings: boolean): Expr | undefined {
  const fail = (place: number, text: string): undefined => void issues.push({ at: place, text });
  if (target === undefined) return name === "has" && args.length === 1 ? expandHas(args[0]!, at, fail) : undefined;
  if (bindings && name === "bind" && args.length === 3 && target.kind === "ident" && target.name === "cel") return bind(args as readonly [Expr, Expr, Expr], at, fail);
  const macro = macros.get(`${name}/${args.length}`);
  return macro?.(target, args, at, fail);
}

function expandHas(arg: Expr, at: number, fail: (at: number, text: string) => undefined): Expr | undefined {
  if (arg.kind === "select" && !arg.optional) return { ...arg, at, test: true };
  return fail(arg.at, "invalid argument to has() macro");
}

const literal = (at: number, value: boolean | bigint): Expr => ({ kind: "literal", at, value });
const result = (at: number): Expr => ({ kind: "ident", at, name: accumulator });
const call = (at: number, name: string, ...args: readonly Expr[]): Expr => ({ kind: "call", at, name, target: undefined, args });
const list = (at: number, ...items: readonly Expr[]): Expr => ({ kind: "list", at, items: items.map(value => ({ value, optional: false })) });

type Loop = { readonly initial: Expr; readonly condition?: Expr; readonly step: Expr; readonly result?: Expr };

function loop(range: Expr, names: readonly string[], at: number, { initial, condition = literal(at, true), step, result: final = result(at) }: Loop): Comprehension {
  return { kind: "comprehension", at, range, variable: names[0]!, variable2: names[1], accumulator, initial, condition, step, result: final };
}

/** The names of the loop's variables, which the first arguments give. */
function variables(args: readonly Expr[], count: number, fail: (at: number, text: string) => undefined): readonly string[] | undefined {
  const names: string[] = [];
  for (const arg of args.slice(0, count)) {
    if (arg.kind !== "ident" || arg.name.startsWith(".")) return fail(arg.at, "argument must be a simple name");
    if (arg.name === accumulator || arg.name === "__result__") return fail(arg.at, "iteration variable overwrites accumulator variable");
    if (names.includes(arg.name)) return fail(arg.at, `duplicate variable name: ${arg.name}`);
    names.push(arg.name);
  }
  return names;
}

const quantifiers: { readonly [name: string]: (at: number, test: Expr) => Loop } = {
  all: (at, test) => ({ initial: literal(at, true), condition: call(at, "@not_strictly_false", result(at)), step: call(at, "_&&_", result(at), test) }),
  exists: (at, test) => ({ initial: literal(at, false), condition: call(at, "@not_strictly_false", call(at, "!_", result(at))), step: call(at, "_||_", result(at), test) }),
  exists_one: (at, test) => ({
    initial: literal(at, 0n), step: call(at, "_?_:_", test, call(at, "_+_", result(at), literal(at, 1n)), result(at)), result: call(at, "_==_", result(at), literal(at, 1n)),
  }),
};

/** A macro whose first `count` arguments name variables; the rest are for `make`. */
const looping = (count: number, make: (at: number, rest: readonly Expr[], names: readonly string[]) => Loop): Macro => (target, args, at, fail) => {
  const names = variables(args, count, fail);
  return names === undefined ? undefined : loop(target, names, at, make(at, args.slice(count), names));
};
const appending = (at: number, rest: readonly Expr[]): Loop => {
  const added = call(at, "_+_", result(at), list(at, rest.at(-1)!));
  return { initial: list(at), step: rest.length === 1 ? added : call(at, "_?_:_", rest[0]!, added, result(at)) };
};
const inserting = (insert: (at: number, value: Expr, key: Expr) => Expr) => (at: number, rest: readonly Expr[], names: readonly string[]): Loop => {
  const added = insert(at, rest.at(-1)!, { kind: "ident", at, name: names[0]! });
  return { initial: { kind: "map", at, entries: [] }, step: rest.length === 1 ? added : call(at, "_?_:_", rest[0]!, added, result(at)) };
};
const insertValue = inserting((at, value, key) => call(at, "cel.@mapInsert", result(at), key, value));
const insertEntry = inserting((at, value) => call(at, "cel.@mapInsert", result(at), value));

/** `result` with `variable` for `initial`: a loop over nothing. */
const bound = (variable: string, initial: Expr, body: Expr, at: number): Comprehension => ({
  kind: "comprehension", at, range: list(at), variable: "#unused", variable2: undefined, accumulator: variable, initial, condition: literal(at, false), step: { kind: "ident", at, name: variable }, result: body,
});
/** `cel.bind(v, value, f)` (ext/bindings.go). */
function bind([variable, value, body]: readonly [Expr, Expr, Expr], at: number, fail: (at: number, text: string) => undefined): Expr | undefined {
  return variable.kind === "ident" ? bound(variable.name, value, body, at) : fail(variable.at, "cel.bind() variable names must be simple identifiers");
}

/** `a.optMap(v, f)`: `f` of what `a` holds, if anything. */
const optionally = (wrap: boolean): Macro => (target, args, at, fail) => {
  const [variable, body] = args as readonly [Expr, Expr];
  if (variable.kind !== "ident") return fail(variable.at, `${wrap ? "optMap" : "optFlatMap"}() variable name must be a simple identifier`);
  const method = (name: string): Expr => ({ kind: "call", at, name, target, args: [] });
  const held = bound(variable.name, method("value"), body, at);
  return call(at, "_?_:_", method("hasValue"), wrap ? call(at, "optional.of", held) : held, call(at, "optional.none"));
};

/** `a.sortBy(v, key)`: by what `key` gives for each element. */
const sortBy: Macro = (target, args, at, fail) => {
  const names = variables(args, 1, fail);
  if (names === undefined) return undefined;
  if (target.kind === "literal" || target.kind === "map" || target.kind === "message") return fail(target.at, "sortBy can only be applied to a list, identifier, comprehension, call or select expression");
  const name = "@__sortBy_input__", input: Expr = { kind: "ident", at, name };
  const keys = loop(input, names, at, appending(at, [args[1]!]));
  return bound(name, target, { kind: "call", at, name: "@sortByAssociatedKeys", target: input, args: [keys] }, at);
};

const macros: ReadonlyMap<string, Macro> = new Map<string, Macro>([
  ...Object.entries(quantifiers).flatMap(([name, make]) => {
    const of = (at: number, rest: readonly Expr[]): Loop => make(at, rest[0]!);
    return [name, ...(name === "exists_one" ? ["existsOne"] : [])].flatMap((each): [string, Macro][] => [[`${each}/2`, looping(1, of)], [`${each}/3`, looping(2, of)]]);
  }),
  ["map/2", looping(1, appending)], ["map/3", looping(1, appending)],
  ["filter/2", (target, args, at, fail) => {
    const names = variables(args, 1, fail);
    return names === undefined ? undefined : loop(target, names, at, appending(at, [args[1]!, args[0]!]));
  }],
  ["transformList/3", looping(2, appending)], ["transformList/4", looping(2, appending)],
  ["transformMap/3", looping(2, insertValue)], ["transformMap/4", looping(2, insertValue)],
  ["transformMapEntry/3", looping(2, insertEntry)], ["transformMapEntry/4", looping(2, insertEntry)],
  ["sortBy/2", sortBy],
  ["optMap/2", optionally(true)], ["optFlatMap/2", optionally(false)],
]);
