/**
 * Label and field selectors: what `labelSelector=` and `fieldSelector=` say, and `metav1.LabelSelector`.
 * Grammar, order and error texts are upstream's (apimachinery pkg/labels/selector.go, pkg/fields/selector.go).
 */
import { labelKeyProblems, labelValueProblems } from "./label-grammar.ts";
import { getOwn } from "./json.ts";

export type Operator = "in" | "notin" | "=" | "==" | "!=" | "gt" | "lt" | "exists" | "!";
export type Requirement = { readonly key: string; readonly operator: Operator; readonly values: readonly string[] };
export type Labels = { readonly [key: string]: string } | undefined;

/** `metav1.LabelSelector` as it stands in objects. */
export type LabelSelector = {
  readonly matchLabels?: { readonly [key: string]: string } | undefined;
  readonly matchExpressions?: readonly { readonly key: string; readonly operator: string; readonly values?: readonly string[] | undefined }[] | undefined;
};

/** All requirements hold; none at all matches everything. */
export class Selector {
  readonly requirements: readonly Requirement[];
  /** Matches nothing, whatever it is shown: what an absent `LabelSelector` means. */
  readonly nothing: boolean;
  constructor(requirements: readonly Requirement[], nothing = false) {
    this.requirements = requirements;
    this.nothing = nothing;
  }
  get empty(): boolean {
    return this.requirements.length === 0 && !this.nothing;
  }
  matches(labels: Labels): boolean {
    if (this.nothing) return false;
    for (const requirement of this.requirements) if (!meets(requirement, labels)) return false;
    return true;
  }
  toString(): string {
    return this.requirements.map(renderRequirement).join(",");
  }
}
export const everything = new Selector([]);
export const nothing = new Selector([], true);

/** A selector that cannot be read; the message is what the client is told. */
export class SelectorError extends Error {
  override name = "SelectorError";
}

function meets({ key, operator, values }: Requirement, labels: Labels): boolean {
  const value = labels === undefined ? undefined : getOwn(labels, key);
  switch (operator) {
    case "in": case "=": case "==": return value !== undefined && values.includes(value);
    case "notin": case "!=": return value === undefined || !values.includes(value);
    case "exists": return value !== undefined;
    case "!": return value === undefined;
    case "gt": case "lt": {
      const [have, want] = [parseInt64(value), parseInt64(values[0])];
      return have !== undefined && want !== undefined && (operator === "gt" ? have > want : have < want);
    }
  }
}

function parseInt64(text: string | undefined): bigint | undefined {
  if (text === undefined || !/^[+-]?[0-9]{1,20}$/.test(text)) return undefined;
  const value = BigInt(text.replace("+", ""));
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function renderRequirement({ key, operator, values }: Requirement): string {
  const list = [...values].sort().join(",");
  switch (operator) {
    case "exists": return key;
    case "!": return `!${key}`;
    case "in": case "notin": return `${key} ${operator} (${list})`;
    case "gt": return `${key}>${list}`;
    case "lt": return `${key}<${list}`;
    default: return `${key}${operator}${list}`;
  }
}

const invalid = (path: string, value: string, detail: string): string => `${path}: Invalid value: ${value}: ${detail}`;

/** Checks a requirement as `labels.NewRequirement` does. */
export function newRequirement(key: string, operator: Operator, values: readonly string[]): Requirement {
  const problems: string[] = [];
  const keyProblems = labelKeyProblems(key);
  if (keyProblems.length > 0) problems.push(invalid("key", JSON.stringify(key), keyProblems.join("; ")));
  const list = JSON.stringify(values);
  if (operator === "in" || operator === "notin") {
    if (values.length === 0) problems.push(invalid("values", list, "for 'in', 'notin' operators, values set can't be empty"));
  } else if (operator === "exists" || operator === "!") {
    if (values.length > 0) problems.push(invalid("values", list, "values set must be empty for exists and does not exist"));
  } else if (operator === "gt" || operator === "lt") {
    if (values.length !== 1) problems.push(invalid("values", list, "for 'Gt', 'Lt' operators, exactly one value is required"));
    values.forEach((value, i) => {
      if (parseInt64(value) === undefined) problems.push(invalid(`values[${i}]`, JSON.stringify(value), "for 'Gt', 'Lt' operators, the value must be an integer"));
    });
  } else if (values.length !== 1) problems.push(invalid("values", list, "exact-match compatibility requires one single value"));
  values.forEach((value, i) => {
    const valueProblems = labelValueProblems(value);
    if (valueProblems.length > 0) problems.push(invalid(`values[${i}][${key}]`, JSON.stringify(value), valueProblems.join("; ")));
  });
  if (problems.length > 0) throw new SelectorError(problems.length === 1 ? problems[0]! : `[${problems.join(", ")}]`);
  return { key, operator, values };
}

/** Reads a label selector as clients write it: `app=web,tier in (a,b),!debug`. Throws `SelectorError`. */
export function parseLabelSelector(text: string): Selector {
  if (text === "") return everything;
  const tokens = scan(text);
  const requirements: Requirement[] = [];
  for (let token = tokens.peek(); token.type !== "end"; token = tokens.peek()) {
    if (token.type !== "identifier" && token.type !== "!") throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
    try {
      requirements.push(parseRequirement(tokens));
    } catch (error) {
      throw error instanceof SelectorError ? new SelectorError(`unable to parse requirement: ${error.message}`) : error;
    }
    const separator = tokens.take();
    if (separator.type === "end") break;
    if (separator.type !== ",") throw new SelectorError(`found '${separator.text}', expected: ',' or 'end of string'`);
    const next = tokens.peek();
    if (next.type !== "identifier" && next.type !== "!") throw new SelectorError(`found '${next.text}', expected: identifier after ','`);
  }
  return new Selector(requirements.sort(byKey));
}
const byKey = (a: Requirement, b: Requirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0);

function parseRequirement(tokens: Tokens): Requirement {
  let token = tokens.take();
  const negated = token.type === "!";
  if (negated) token = tokens.take();
  if (token.type !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
  const key = token.text;
  const problems = labelKeyProblems(key);
  if (problems.length > 0) throw new SelectorError(invalid("<nil>", JSON.stringify(key), problems.join("; ")));
  if (negated) return newRequirement(key, "!", []);
  const after = tokens.peek().type;
  if (after === "end" || after === ",") return newRequirement(key, "exists", []);
  const { type, text } = tokens.takeOperator();
  switch (type) {
    case "in": case "notin": return newRequirement(key, type, parseValues(tokens));
    case "=": case "==": case "!=": return newRequirement(key, type, parseExactValue(tokens));
    case ">": return newRequirement(key, "gt", parseExactValue(tokens));
    case "<": return newRequirement(key, "lt", parseExactValue(tokens));
    default: throw new SelectorError(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`);
  }
}

function parseExactValue(tokens: Tokens): string[] {
  const next = tokens.peek().type;
  if (next === "end" || next === ",") return [""];
  const token = tokens.take();
  if (token.type !== "identifier") throw new SelectorError(`found '${token.text}', expected: identifier`);
  return [token.text];
}

function parseValues(tokens: Tokens): string[] {
  const open = tokens.take();
  if (open.type !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
  const first = tokens.peek();
  if (first.type === ")") {
    tokens.take();
    return [""];
  }
  if (first.type !== "identifier" && first.type !== ",") throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
  const values = parseIdentifiers(tokens);
  if (tokens.take().type !== ")") throw new SelectorError(`found '${first.text}', expected: ')'`);
  return [...values].sort();
}

/** Identifiers between commas, where nothing between two commas means the empty string. */
function parseIdentifiers(tokens: Tokens): Set<string> {
  const values = new Set<string>();
  for (;;) {
    const token = tokens.take();
    const next = tokens.peek();
    if (token.type === "identifier") {
      values.add(token.text);
      if (next.type === ")") return values;
      if (next.type !== ",") throw new SelectorError(`found '${next.text}', expected: ',' or ')'`);
    } else if (token.type === ",") {
      if (values.size === 0) values.add("");
      if (next.type === ")") return values.add("");
      if (next.type === ",") {
        tokens.take();
        values.add("");
      }
    } else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
  }
}

type Token = { readonly type: string; readonly text: string };
type Tokens = { peek(): Token; take(): Token; takeOperator(): Token };
const symbols: ReadonlySet<string> = new Set([")", ",", "!", "==", "=", ">", "<", "!=", "("]);

/** `in` and `notin` are words wherever an operator cannot stand. */
function scan(text: string): Tokens {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length && text[at] !== "\0") {
    const char = text[at]!;
    if (" \t\r\n".includes(char)) at++;
    else if ("=!(),><".includes(char)) {
      const pair = text.slice(at, at + 2);
      const symbol = symbols.has(pair) ? pair : char;
      tokens.push({ type: symbol, text: symbol });
      at += symbol.length;
    } else {
      const start = at;
      while (at < text.length && !"=!(),>< \t\r\n\0".includes(text[at]!)) at++;
      const word = text.slice(start, at);
      tokens.push({ type: "identifier", text: word });
    }
  }
  const end: Token = { type: "end", text: "" };
  let next = 0;
  const take = (): Token => tokens[next++] ?? end;
  return {
    peek: () => tokens[next] ?? end,
    take,
    takeOperator: () => {
      const token = take();
      return token.text === "in" || token.text === "notin" ? { type: token.text, text: token.text } : token;
    },
  };
}

const objectOperators: ReadonlyMap<string, Operator> = new Map([["In", "in"], ["NotIn", "notin"], ["Exists", "exists"], ["DoesNotExist", "!"]]);
const compiled = new WeakMap<LabelSelector, Selector>();

/** `metav1.LabelSelectorAsSelector`: absent matches nothing, empty matches everything. Compiled once per (immutable) object. */
export function selectorOf(selector: LabelSelector | undefined): Selector {
  if (selector === undefined) return nothing;
  const known = compiled.get(selector);
  if (known !== undefined) return known;
  const requirements = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => newRequirement(key, "=", [value]));
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const found = objectOperators.get(operator);
    if (found === undefined) throw new SelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`);
    requirements.push(newRequirement(key, found, values ?? []));
  }
  const made = new Selector(requirements.sort(byKey));
  compiled.set(selector, made);
  return made;
}

/** A plain map of labels that must all be there with these values (`labels.SelectorFromSet`), as Services have. */
export function selectorFromSet(labels: { readonly [key: string]: string }): Selector {
  return new Selector(Object.entries(labels).map(([key, value]): Requirement => ({ key, operator: "=", values: [value] })).sort(byKey));
}

/** One term of a field selector. */
export type FieldTerm = { readonly field: string; readonly operator: "=" | "!="; readonly value: string };

/** Reads `metadata.name=web,status.phase!=Running`. Whether the kind knows the fields is the caller's to check. Throws `SelectorError`. */
export function parseFieldSelector(text: string): readonly FieldTerm[] {
  return splitTerms(text).sort().filter(term => term !== "").map(term => {
    const match = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
    if (match === null) throw new SelectorError(`invalid selector: '${text}'; can't understand '${term}'`);
    return { field: match[1]!, operator: match[2] === "!=" ? "!=" : "=", value: unescapeValue(match[3]!) };
  });
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++)
    if (text[at] === "\\") at++;
    else if (text[at] === ",") {
      terms.push(text.slice(start, at));
      start = at + 1;
    }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(text: string): string {
  let value = "";
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === "\\") {
      const next = text[++at];
      if (next === undefined || !"\\,=".includes(next)) throw new SelectorError(`invalid field selector: invalid escape sequence: \\${next ?? ""}`);
      value += next;
    } else if (char === "," || char === "=") throw new SelectorError(`invalid field selector: unescaped character in value: ${char.charCodeAt(0)}`);
    else value += char;
  }
  return value;
}

/** Escapes a value for use in a field selector. */
export function escapeFieldValue(value: string): string {
  return value.replace(/[\\,=]/g, char => `\\${char}`);
}
