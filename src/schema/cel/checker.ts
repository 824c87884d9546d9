/** Gives every part of an expression its type and every call its functions, or says why that cannot be (cel-go checker/checker.go). */
import type { Comprehension, Expr, Issue } from "./ast.ts";
import type { Library, Overload } from "./functions.ts";
import type { MessageType, Messages } from "./messages.ts";
import { Bindings, type Type, isOptional, listOf, mapOf, opaque, optionalOf, param, renderType, types } from "./types.ts";
import { Uint } from "./values.ts";

export type Checked = {
  readonly type: Type;
  readonly issues: readonly Issue[];
  readonly typeOf: (expr: Expr) => Type;
  /** For calls: what may be meant, by the types known; for names: the variable. */
  readonly overloads: ReadonlyMap<Expr, readonly Overload[]>;
  /** Calls whose target is part of the function's name: `ip.isCanonical(x)`. */
  readonly globals: ReadonlyMap<Expr, string>;
  readonly variables: ReadonlyMap<Expr, string>;
  /** For objects that are made: of which type. */
  readonly messages: ReadonlyMap<Expr, MessageType>;
};

export function check(expr: Expr, variables: ReadonlyMap<string, Type>, functions: Library, messages: Messages = () => undefined): Checked {
  const checker = new Checker(variables, functions, messages);
  const type = checker.check(expr);
  return {
    type: checker.final(type), issues: checker.issues, typeOf: each => checker.final(checker.types.get(each) ?? types.dyn),
    overloads: checker.overloads, messages: checker.messages, globals: checker.globals, variables: checker.variables,
  };
}

type Scope = ReadonlyMap<string, Type>;

class Checker {
  readonly issues: Issue[] = [];
  readonly types = new Map<Expr, Type>();
  readonly overloads = new Map<Expr, readonly Overload[]>();
  readonly globals = new Map<Expr, string>();
  readonly variables = new Map<Expr, string>();
  readonly messages = new Map<Expr, MessageType>();
  readonly #messages: Messages;
  readonly #functions: Library;
  readonly #bindings = new Bindings();
  #scope: Scope;
  #fresh = 0;

  constructor(variables: Scope, functions: Library, messages: Messages) {
    this.#messages = messages;
    this.#scope = variables;
    this.#functions = functions;
  }

  final(type: Type): Type {
    return this.#bindings.resolve(type, true);
  }
  check(expr: Expr): Type {
    const type = this.#typeOf(expr);
    this.types.set(expr, type);
    return type;
  }
  #resolved(expr: Expr): Type {
    return this.#bindings.resolve(this.check(expr));
  }
  #fail(at: number, text: string): Type {
    this.issues.push({ at, text });
    return types.error;
  }

  #typeOf(expr: Expr): Type {
    switch (expr.kind) {
      case "literal": return literalType(expr.value);
      case "ident": return this.#variable(expr, expr.name) ?? this.#fail(expr.at, `undeclared reference to '${expr.name.replace(/^\./, "")}' (in container '')`);
      case "select": return this.#select(expr);
      case "call": return this.#call(expr);
      case "list": return this.#list(expr);
      case "map": return this.#map(expr);
      case "message": return this.#message(expr);
      case "comprehension": return this.#comprehension(expr);
    }
  }

  #variable(expr: Expr, name: string): Type | undefined {
    const plain = name.replace(/^\./, "");
    const type = this.#scope.get(plain) ?? typeNames.get(plain);
    if (type !== undefined) this.variables.set(expr, plain);
    return type;
  }

  #select(expr: Expr & { kind: "select" }): Type {
    const name = expr.test || expr.optional ? undefined : qualifiedName(expr);
    if (name !== undefined && (this.#scope.has(name) || !this.#scope.has(name.split(".")[0]!))) {
      const variable = this.#variable(expr, name);
      if (variable !== undefined) return variable;
    }
    const operand = this.#resolved(expr.operand);
    const inner = isOptional(operand) ? operand.params[0]! : operand;
    const field = this.#field(inner, expr);
    if (expr.test) return types.bool;
    return (isOptional(operand) || expr.optional) && !isOptional(field) ? optionalOf(field) : field;
  }
  #field(type: Type, { field, at }: Expr & { kind: "select" }): Type {
    switch (type.kind) {
      case "map": return type.value;
      case "object": return type.fields.get(field)?.type ?? this.#fail(at, `undefined field '${field}'`);
      case "param": this.#bindings.fits(type, types.dyn); return types.dyn;
      case "dyn": case "error": return types.dyn;
      // Quirk: types of libraries are objects that nobody knows the fields of (cel-go lookupFieldType).
      case "opaque": if (type.name !== "optional_type" && !type.name.startsWith("net.")) return this.#fail(at, `unexpected failed resolution of '${type.name}'`); break;
      default:
    }
    return this.#fail(at, `type '${renderType(type)}' does not support field selection`);
  }

  #call(expr: Expr & { kind: "call" }): Type {
    if (expr.name === "_[?_]" || expr.name === "_[_]") return this.#resolve(expr, expr.name, expr.args, false);
    if (expr.target === undefined) {
      const name = expr.name.replace(/^\./, "");
      return this.#functions.has(name) ? this.#resolve(expr, name, expr.args, false) : this.#unknown(expr, name);
    }
    const qualified = qualifiedName(expr.target);
    const name = qualified === undefined ? undefined : `${qualified}.${expr.name}`;
    if (name !== undefined && this.#functions.has(name)) {
      this.globals.set(expr, name);
      return this.#resolve(expr, name, expr.args, false);
    }
    if (!this.#functions.has(expr.name)) {
      this.check(expr.target);
      return this.#unknown(expr, expr.name);
    }
    return this.#resolve(expr, expr.name, [expr.target, ...expr.args], true);
  }
  #unknown(expr: Expr & { kind: "call" }, name: string): Type {
    for (const arg of expr.args) this.check(arg);
    return this.#fail(expr.at, `undeclared reference to '${name}' (in container '')`);
  }

  #resolve(expr: Expr, name: string, args: readonly Expr[], isMember: boolean): Type {
    // What stands before the dot is looked at last: it counts in the names of types that are not known.
    const last = isMember ? args.slice(1).map(arg => this.check(arg)) : [];
    const given = isMember ? [this.check(args[0]!), ...last] : args.map(arg => this.check(arg));
    if (name === "_&&_" || name === "_||_") return this.#logical(expr, name, args, given);
    const matching: Overload[] = [];
    let result: Type | undefined;
    for (const overload of this.#functions.get(name) ?? []) {
      if (overload.member !== isMember) continue;
      const rename = this.#renaming(overload);
      if (overload.args.length !== given.length) continue;
      const trial = this.#bindings.copy();
      if (!overload.args.every((wanted, i) => trial.fits(given[i]!, rename(wanted)))) continue;
      this.#bindings.replace(trial);
      matching.push(overload);
      const type = this.#bindings.resolve(rename(overload.result));
      result = result === undefined || renderType(result) === renderType(type) ? type : types.dyn;
    }
    if (result === undefined) {
      const shown = given.map(type => renderType(this.final(type)));
      const signature = isMember ? `${shown[0]}.(${shown.slice(1).join(", ")})` : `(${shown.join(", ")})`;
      return this.#fail(expr.at, `found no matching overload for '${name}' applied to '${signature}'`);
    }
    this.overloads.set(expr, matching);
    return result;
  }
  /** Each side is told of by itself. */
  #logical(expr: Expr, name: string, args: readonly Expr[], given: readonly Type[]): Type {
    const wrong = given.filter((type, i) => {
      if (this.#bindings.fits(type, types.bool)) return false;
      this.#fail(args[i]!.at, `expected type 'bool' but found '${renderType(type)}'`);
      return true;
    });
    if (wrong.length > 0) return types.error;
    this.overloads.set(expr, this.#functions.get(name)!);
    return types.bool;
  }
  #param(): Type {
    return param(`_var${this.#fresh++}`);
  }
  /** Each use of a function has type parameters of its own. */
  #renaming({ args, result }: Overload): (type: Type) => Type {
    const own = new Map<string, Type>();
    const rename = (type: Type): Type => {
      switch (type.kind) {
        case "param": if (!own.has(type.name)) own.set(type.name, this.#param()); return own.get(type.name)!;
        case "list": return { ...type, item: rename(type.item) };
        case "map": return mapOf(rename(type.key), rename(type.value));
        case "opaque": return type.params.length === 0 ? type : { ...type, params: type.params.map(rename) };
        case "type": return type.of === undefined ? type : { kind: "type", of: rename(type.of) };
        default: return type;
      }
    };
    args.forEach(rename);
    rename(result);
    return rename;
  }

  /** What elements of different types have in common. */
  #join(known: Type | undefined, next: Type): Type {
    if (known === undefined) return next;
    const a = this.#bindings.resolve(known), b = this.#bindings.resolve(next);
    if (a.kind === "dyn" || b.kind === "dyn") return types.dyn;
    if (this.#bindings.fits(b, a)) return a;
    return this.#bindings.fits(a, b) ? b : types.dyn;
  }
  #optionalItem(type: Type, optional: boolean, at: number): Type {
    if (!optional) return type;
    const resolved = this.#bindings.resolve(type);
    if (isOptional(resolved)) return resolved.params[0]!;
    return resolved.kind === "dyn" ? types.dyn : this.#fail(at, `expected type '${renderType(optionalOf(resolved))}' but found '${renderType(resolved)}'`);
  }
  #list(expr: Expr & { kind: "list" }): Type {
    let item: Type | undefined;
    for (const { value, optional } of expr.items) item = this.#join(item, this.#optionalItem(this.check(value), optional, value.at));
    return listOf(item ?? this.#param());
  }
  #map(expr: Expr & { kind: "map" }): Type {
    let key: Type | undefined, value: Type | undefined;
    for (const entry of expr.entries) {
      key = this.#join(key, this.check(entry.key));
      value = this.#join(value, this.#optionalItem(this.check(entry.value), entry.optional, entry.value.at));
    }
    return mapOf(key ?? this.#param(), value ?? this.#param());
  }

  #message(expr: Expr & { kind: "message" }): Type {
    const name = expr.name.replace(/^\./, ""), message = this.#messages(name);
    if (message === undefined) return this.#fail(expr.at, `undeclared reference to '${name}' (in container '')`);
    this.messages.set(expr, message);
    for (const field of expr.fields) {
      const given = this.#optionalItem(this.check(field.value), field.optional, field.value.at), wanted = message.field(field.name);
      if (wanted === undefined) this.#fail(field.at, `undefined field '${field.name}'`);
      else if (!this.#bindings.fits(given, wanted)) this.#fail(field.at, `expected type of field '${field.name}' is '${renderType(wanted)}' but provided type is '${renderType(this.#bindings.resolve(given))}'`);
    }
    return message.type;
  }

  #comprehension(expr: Comprehension): Type {
    const range = this.#resolved(expr.range);
    const initial = this.check(expr.initial);
    const [first, second] = this.#loopTypes(range, expr);
    const outer = this.#scope;
    const withResult = new Map([...outer, [expr.accumulator, initial]]);
    this.#scope = new Map([...withResult, [expr.variable, first], ...(expr.variable2 === undefined ? [] : [[expr.variable2, second] as const])]);
    const condition = this.check(expr.condition);
    if (!this.#bindings.fits(condition, types.bool)) this.#fail(expr.condition.at, `expected type 'bool' but found '${renderType(this.#bindings.resolve(condition))}'`);
    const step = this.check(expr.step);
    if (!this.#bindings.fits(step, initial)) this.#fail(expr.step.at, `expected type '${renderType(this.#bindings.resolve(initial))}' but found '${renderType(this.#bindings.resolve(step))}'`);
    this.#scope = withResult;
    const result = this.check(expr.result);
    this.#scope = outer;
    return this.#bindings.resolve(result);
  }
  #loopTypes(range: Type, expr: Comprehension): readonly [Type, Type] {
    const two = expr.variable2 !== undefined;
    if (range.kind === "dyn" && range.any === true) return this.#noRange(range, expr);
    switch (range.kind) {
      case "list": return two ? [types.int, range.item] : [range.item, types.dyn];
      case "map": return [range.key, range.value];
      case "dyn": case "error": case "param": return [types.dyn, types.dyn];
      default: return this.#noRange(range, expr);
    }
  }
  #noRange(range: Type, expr: Comprehension): readonly [Type, Type] {
    return [this.#fail(expr.range.at, `expression of type '${renderType(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`), types.error];
  }
}

function literalType(value: (Expr & { kind: "literal" })["value"]): Type {
  switch (typeof value) {
    case "boolean": return types.bool;
    case "bigint": return types.int;
    case "number": return types.double;
    case "string": return types.string;
    default: return value === null ? types.null : value instanceof Uint ? types.uint : types.bytes;
  }
}

/** `a.b.c` if the expression is only names. */
export function qualifiedName(expr: Expr): string | undefined {
  if (expr.kind === "ident") return expr.name.replace(/^\./, "");
  if (expr.kind !== "select" || expr.test || expr.optional) return undefined;
  const operand = qualifiedName(expr.operand);
  return operand === undefined ? undefined : `${operand}.${expr.field}`;
}

/** Names of types are values too. */
export const typeNames: ReadonlyMap<string, Type> = new Map<string, Type>([
  ...(["bool", "int", "uint", "double", "string", "bytes"] as const).map((name): [string, Type] => [name, { kind: "type", of: types[name] }]),
  ["null_type", { kind: "type", of: types.null }], ["dyn", { kind: "type", of: types.dyn }], ["list", { kind: "type", of: listOf(types.dyn) }], ["map", { kind: "type", of: mapOf(types.dyn, types.dyn) }],
  ["type", { kind: "type", of: { kind: "type", of: undefined } }], ["google.protobuf.Timestamp", { kind: "type", of: types.timestamp }], ["google.protobuf.Duration", { kind: "type", of: types.duration }],
  ["optional_type", { kind: "type", of: optionalOf(types.dyn) }],
  ...["net.IP", "net.CIDR", "kubernetes.URL", "kubernetes.Quantity", "kubernetes.Semver", "kubernetes.NamedFormat", ...["Authorizer", "PathCheck", "GroupCheck", "ResourceCheck", "Decision"].map(name => `kubernetes.authorization.${name}`)].map((name): [string, Type] => [name, { kind: "type", of: opaque(name) }]),
]);
