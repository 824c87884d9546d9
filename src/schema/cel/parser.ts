/** Reads CEL text into an expression, macros expanded, by cel-go's grammar (parser/gen/CEL.g4). */
import type { Expr, Issue, MapEntry } from "./ast.ts";
import { type Token, codePointsMax, reservedWords, tokenize } from "./lexer.ts";
import { expandMacro } from "./macros.ts";
import { Uint } from "./values.ts";

/** Deepest nesting (cel-go's maxRecursionDepth). */
const depthMax = 250;

export type Parsed = { readonly expr: Expr | undefined; readonly issues: readonly Issue[] };

/** `bindings`: whether `cel.bind` is known. */
export function parse(text: string, bindings = false): Parsed {
  const size = [...text].length;
  if (size > codePointsMax) return { expr: undefined, issues: [{ at: 0, text: `expression code point size exceeds limit: size: ${size}, limit ${codePointsMax}` }] };
  const issues: Issue[] = [];
  const tokens = tokenize(text, issues);
  try {
    const expr = new Parser(tokens, issues, bindings).parse();
    return { expr: issues.length > 0 ? undefined : expr, issues };
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error;
    return { expr: undefined, issues: [...issues, error.issue] };
  }
}

/** Where reading cannot go on. */
class SyntaxProblem extends Error {
  readonly issue: Issue;
  constructor(issue: Issue) {
    super(issue.text);
    this.issue = issue;
  }
}

const relations = new Set(["<", "<=", ">=", ">", "==", "!=", "in"]);
const operators: { readonly [symbol: string]: string } = {
  "||": "_||_", "&&": "_&&_", "<": "_<_", "<=": "_<=_", ">": "_>_", ">=": "_>=_", "==": "_==_", "!=": "_!=_", in: "@in", "+": "_+_", "-": "_-_", "*": "_*_", "/": "_/_", "%": "_%_",
};

/** What an expression begins with, in the grammar's order, with what may stand in its place. */
const beginnings = ["[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", "true", "false", "null", "NUM_FLOAT", "NUM_INT", "NUM_UINT", "STRING", "BYTES", "IDENTIFIER"];
const optionalBeginnings = new Set(["]", "}", ")", ",", "?"]);
const expressionStart = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";
const begins = ({ kind, text }: Token): boolean => kind === "literal" || kind === "ident" || (kind === "symbol" && ["[", "{", "(", ".", "-", "!"].includes(text));

class Parser {
  readonly #tokens: readonly Token[];
  readonly #issues: Issue[];
  readonly #bindings: boolean;
  #next = 0;
  #depth = 0;
  readonly #follow: (readonly string[])[] = [];
  constructor(tokens: readonly Token[], issues: Issue[], bindings: boolean) {
    this.#tokens = tokens;
    this.#bindings = bindings;
    this.#issues = issues;
  }

  parse(): Expr {
    const expr = this.#expr();
    if (this.#token.kind !== "end" && !this.#drop("<EOF>", next => next.kind === "end")) throw this.#mismatch("<EOF>");
    return expr;
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }
  #is(symbol: string): boolean {
    return this.#token.kind === "symbol" && this.#token.text === symbol;
  }
  #take(symbol: string): Token | undefined {
    if (!this.#is(symbol)) return undefined;
    return this.#tokens[this.#next++];
  }
  /** A token that is wrong is told and left out if the one after it is right; one that is missing is told and thought to be there if what follows may follow it (antlr's DefaultErrorStrategy). */
  #must(symbol: string, mayFollow: (token: Token) => boolean = token => this.#mayEnd(token)): Token {
    if (!this.#is(symbol) && !this.#drop(`'${symbol}'`, next => next.kind === "symbol" && next.text === symbol)) {
      if (!mayFollow(this.#token)) throw this.#mismatch(`'${symbol}'`);
      this.#issues.push({ at: this.#token.at, text: `Syntax error: missing '${symbol}' at '${this.#token.text}'` });
      return this.#token;
    }
    return this.#tokens[this.#next++]!;
  }
  #drop(expected: string, wanted: (next: Token) => boolean): boolean {
    const { kind, at, text } = this.#token;
    if (kind === "end" || !wanted(this.#tokens[this.#next + 1]!)) return false;
    this.#issues.push({ at, text: `Syntax error: extraneous input '${text}' expecting ${expected}` });
    this.#next++;
    return true;
  }
  #mismatch(expected: string): SyntaxProblem {
    return this.#wrong(`mismatched input '${this.#token.text}' expecting ${expected}`);
  }
  #wrong(text: string): SyntaxProblem {
    return new SyntaxProblem({ at: this.#token.at, text: `Syntax error: ${text}` });
  }
  #noWay(before: string): SyntaxProblem {
    return this.#wrong(`no viable alternative at input '${before}${this.#token.kind === "end" ? "" : this.#token.text}'`);
  }
  /** The end of a list or a map: a comma may come before. */
  #close(symbol: string): void {
    const expected = `{'${symbol}', ','}`, wanted = ({ kind, text }: Token): boolean => kind === "symbol" && (text === symbol || text === ",");
    if (!wanted(this.#token) && !this.#drop(expected, wanted)) throw this.#mismatch(expected);
    this.#take(",");
    this.#must(symbol);
  }
  /** Takes a comma if something comes after it. */
  #another(): boolean {
    const next = this.#tokens[this.#next + 1];
    return this.#is(",") && next !== undefined && (begins(next) || next.text === "?") && this.#take(",") !== undefined;
  }
  /** An expression after which one of these tokens may come. */
  #inside(follow: readonly string[]): Expr {
    this.#follow.push(follow);
    const expr = this.#expr();
    this.#follow.pop();
    return expr;
  }
  #mayEnd({ kind, text }: Token): boolean {
    return kind === "end" ? this.#follow.length === 0 : kind === "symbol" && (operators[text] !== undefined || text === "." || text === "[" || text === "?" || this.#follow.at(-1)?.includes(text) === true);
  }
  /** Where an expression begins, or one of `others` comes. */
  #begin(others: readonly string[] = []): void {
    const may = (token: Token): boolean => begins(token) || (token.kind === "symbol" && others.includes(token.text));
    if (may(this.#token)) return;
    const expected = `{${beginnings.filter(each => !optionalBeginnings.has(each) || others.includes(each)).map(each => (/^[A-Z]/.test(each) ? each : `'${each}'`)).join(", ")}}`;
    if (!this.#drop(expected, may)) throw this.#mismatch(expected);
  }

  #expr(): Expr {
    if (++this.#depth > depthMax) throw new SyntaxProblem({ at: 0, text: `expression recursion limit exceeded: ${depthMax}` });
    const condition = this.#chain("||", () => this.#chain("&&", () => this.#relation()));
    const question = this.#take("?");
    let expr = condition;
    if (question !== undefined) {
      this.#follow.push([":"]);
      const yes = this.#chain("||", () => this.#chain("&&", () => this.#relation()));
      this.#follow.pop();
      this.#must(":", begins);
      expr = { kind: "call", at: question.at, name: "_?_:_", target: undefined, args: [condition, yes, this.#expr()] };
    }
    this.#depth--;
    return expr;
  }

  /** Left to right, as a balanced tree, so that long chains are not deep. */
  #chain(symbol: "||" | "&&", part: () => Expr): Expr {
    const parts = [part()], places: number[] = [];
    for (let token = this.#take(symbol); token !== undefined; token = this.#take(symbol)) {
      places.push(token.at);
      parts.push(part());
    }
    const join = (from: number, to: number): Expr => {
      if (from === to) return parts[from]!;
      const middle = (from + to) >> 1;
      return { kind: "call", at: places[middle]!, name: operators[symbol]!, target: undefined, args: [join(from, middle), join(middle + 1, to)] };
    };
    return join(0, parts.length - 1);
  }

  #binary(part: () => Expr, has: (token: Token) => boolean): Expr {
    let left = part();
    while (this.#token.kind === "symbol" && has(this.#token)) {
      const { text, at } = this.#tokens[this.#next++]!;
      left = { kind: "call", at, name: operators[text]!, target: undefined, args: [left, part()] };
    }
    return left;
  }
  #relation(): Expr {
    return this.#binary(() => this.#sum(), ({ text }) => relations.has(text));
  }
  #sum(): Expr {
    return this.#binary(() => this.#product(), ({ text }) => text === "+" || text === "-");
  }
  #product(): Expr {
    return this.#binary(() => this.#unary(), ({ text }) => text === "*" || text === "/" || text === "%");
  }

  #unary(): Expr {
    this.#begin();
    const first = this.#token, symbol = first.text;
    if (first.kind !== "symbol" || (symbol !== "!" && symbol !== "-")) return this.#member();
    let count = 0;
    while (this.#take(symbol) !== undefined) count++;
    const number = this.#token;
    if (symbol === "-" && number.kind === "literal" && (typeof number.value === "bigint" || typeof number.value === "number")) {
      const negative: Expr = { kind: "literal", at: first.at, value: -number.value };
      this.#next++;
      const operand = this.#members(negative);
      return (count - 1) % 2 === 0 ? operand : { kind: "call", at: first.at, name: "-_", target: undefined, args: [operand] };
    }
    if (!begins(this.#token)) {
      if (symbol === "!") throw this.#wrong(`extraneous input '${this.#token.text}' expecting ${expressionStart}`);
      this.#issues.push(this.#noWay("-").issue);
      throw this.#mismatch(expressionStart);
    }
    const operand = this.#member();
    return count % 2 === 0 ? operand : { kind: "call", at: first.at, name: symbol === "!" ? "!_" : "-_", target: undefined, args: [operand] };
  }

  #member(): Expr {
    return this.#members(this.#primary());
  }
  #members(primary: Expr): Expr {
    let expr = primary;
    for (let steps = 0; ; steps++) {
      if (steps > depthMax) throw new SyntaxProblem({ at: expr.at, text: `expression recursion limit exceeded: ${depthMax}` });
      const dot = this.#take(".");
      if (dot !== undefined) {
        const optional = this.#take("?") !== undefined;
        if (!optional && this.#token.kind !== "ident" && this.#token.kind !== "escaped") throw this.#noWay(".");
        const name = this.#name();
        const open = optional || name.kind === "escaped" ? undefined : this.#take("(");
        // Kubernetes does not turn quoted names on.
        if (name.kind === "escaped") this.#issues.push({ at: name.at, text: "unsupported syntax: '`'" });
        expr = open === undefined ? { kind: "select", at: dot.at, operand: expr, field: name.text, test: false, optional } : this.#call(name, expr, open);
        continue;
      }
      const bracket = this.#take("[");
      if (bracket === undefined) return expr;
      this.#begin(["?"]);
      const optional = this.#take("?") !== undefined;
      const index = this.#inside(["]"]);
      this.#must("]");
      expr = { kind: "call", at: bracket.at, name: optional ? "_[?_]" : "_[_]", target: undefined, args: [expr, index] };
    }
  }
  #name(): Token {
    const token = this.#token;
    if (token.kind !== "ident" && token.kind !== "escaped") throw this.#mismatch("IDENTIFIER");
    this.#next++;
    return token;
  }
  #call(name: Token, target: Expr | undefined, open: Token): Expr {
    const args: Expr[] = [];
    this.#begin([")"]);
    if (!this.#is(")")) do args.push(this.#inside([")", ","])); while (this.#take(",") !== undefined);
    this.#must(")");
    const macro = expandMacro(name.text, target, args, open.at, this.#issues, this.#bindings);
    return macro ?? { kind: "call", at: open.at, name: name.text, target, args };
  }

  #primary(): Expr {
    const token = this.#token;
    if (token.kind === "literal") {
      this.#next++;
      if (token.value === 2n ** 63n) this.#issues.push({ at: token.at, text: "invalid int literal" });
      return { kind: "literal", at: token.at, value: token.value instanceof Uint ? token.value : token.value };
    }
    if (this.#take("(") !== undefined) {
      const expr = this.#inside([")"]);
      this.#must(")");
      return expr;
    }
    if (this.#take("[") !== undefined) return this.#list(token.at);
    if (this.#take("{") !== undefined) return this.#map(token.at);
    const dot = this.#take(".");
    if (this.#token.kind !== "ident") throw dot === undefined ? this.#mismatch(expressionStart) : this.#noWay(".");
    const name = this.#name();
    const open = this.#take("(");
    if (open !== undefined && reservedWords.has(name.text)) this.#issues.push({ at: name.at, text: `reserved identifier: ${name.text}` });
    if (open !== undefined) return this.#call(dot === undefined ? name : { ...name, text: `.${name.text}` }, undefined, open);
    const message = this.#messageName(name);
    if (message !== undefined) return this.#message(message, dot !== undefined);
    if (reservedWords.has(name.text)) this.#issues.push({ at: name.at, text: `reserved identifier: ${name.text}` });
    return { kind: "ident", at: name.at, name: dot === undefined ? name.text : `.${name.text}` };
  }

  #list(at: number): Expr {
    const items: { value: Expr; optional: boolean }[] = [];
    this.#begin(["]", ",", "?"]);
    for (let more = !this.#is("]") && !this.#is(","); more; more = this.#another()) {
      const optional = this.#take("?") !== undefined;
      items.push({ value: this.#inside(["]", ","]), optional });
    }
    this.#close("]");
    return { kind: "list", at, items };
  }
  #map(at: number): Expr {
    const entries: MapEntry[] = [];
    this.#begin(["}", ",", "?"]);
    for (let more = !this.#is("}") && !this.#is(","); more; more = this.#another()) {
      const optional = this.#take("?") !== undefined;
      const key = this.#inside([":"]);
      const colon = this.#must(":", begins);
      entries.push({ key, value: this.#inside(["}", ","]), optional, at: colon.at });
    }
    this.#close("}");
    return { kind: "map", at, entries };
  }

  /** `a.b.C{`: looked for ahead, because until the brace it might be a selection. */
  #messageName(first: Token): { readonly name: string; readonly at: number } | undefined {
    let at = this.#next, name = first.text;
    while (this.#tokens[at]?.text === "." && this.#tokens[at]?.kind === "symbol" && this.#tokens[at + 1]?.kind === "ident") {
      name += `.${this.#tokens[at + 1]!.text}`;
      at += 2;
    }
    const brace = this.#tokens[at]!;
    if (brace.kind !== "symbol" || brace.text !== "{") return undefined;
    this.#next = at + 1;
    return { name, at: brace.at };
  }
  #message({ name, at }: { readonly name: string; readonly at: number }, dotted: boolean): Expr {
    const fields: { name: string; value: Expr; optional: boolean; at: number }[] = [];
    while (!this.#is("}")) {
      const optional = this.#take("?") !== undefined;
      const field = this.#name();
      const colon = this.#must(":", begins);
      fields.push({ name: field.text, value: this.#inside(["}", ","]), optional, at: colon.at });
      if (this.#take(",") === undefined) break;
    }
    this.#close("}");
    return { kind: "message", at, name: dotted ? `.${name}` : name, fields };
  }
}
