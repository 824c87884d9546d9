/** What a CEL expression is made of, after macros are expanded. Positions are in code points from the start of the text. */
import type { Uint } from "./values.ts";

export type Literal = null | boolean | bigint | number | string | Uint | Uint8Array;

type At = { readonly at: number };
export type Expr =
  | (At & { readonly kind: "literal"; readonly value: Literal })
  | (At & { readonly kind: "ident"; readonly name: string })
  | (At & { readonly kind: "select"; readonly operand: Expr; readonly field: string; /** `has(a.b)`. */ readonly test: boolean; /** `a.?b`. */ readonly optional: boolean })
  | (At & { readonly kind: "call"; readonly name: string; readonly target: Expr | undefined; readonly args: readonly Expr[] })
  | (At & { readonly kind: "list"; readonly items: readonly { readonly value: Expr; readonly optional: boolean }[] })
  | (At & { readonly kind: "map"; readonly entries: readonly MapEntry[] })
  | (At & { readonly kind: "message"; readonly name: string; readonly fields: readonly { readonly name: string; readonly value: Expr; readonly optional: boolean; readonly at: number }[] })
  | Comprehension;
export type MapEntry = { readonly key: Expr; readonly value: Expr; readonly optional: boolean; readonly at: number };

/** A loop over a list or a map, to which `all`, `exists`, `map`, `filter` and their like come down. */
export type Comprehension = At & {
  readonly kind: "comprehension";
  readonly range: Expr;
  readonly variable: string;
  /** With two variables the first is the index or key, the second the element or value. */
  readonly variable2: string | undefined;
  readonly accumulator: string;
  readonly initial: Expr;
  readonly condition: Expr;
  readonly step: Expr;
  readonly result: Expr;
};

/** One thing wrong with an expression's text. */
export type Issue = { readonly at: number; readonly text: string };

/** As cel-go prints issues, with the line and a mark under the place; K8s quotes that in its messages. */
export function renderIssues(source: string, issues: readonly Issue[]): string {
  const lines = source.split("\n").map(line => [...line]);
  const sorted = issues.map((issue, order) => ({ issue, order })).sort((a, b) => a.issue.at - b.issue.at || a.order - b.order);
  return sorted.map(({ issue: { at, text } }) => {
    // An empty text has no line to quote.
    if (source === "") return `ERROR: <input>:1:0: ${text}`;
    let line = 0, column = at;
    while (line < lines.length - 1 && column > lines[line]!.length) column -= lines[line++]!.length + 1;
    return `ERROR: <input>:${line + 1}:${column + 1}: ${text}\n | ${lines[line]!.join("")}\n | ${".".repeat(column)}^`;
  }).join("\n");
}
