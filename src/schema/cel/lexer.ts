/** Cuts CEL text into tokens, by cel-go's grammar (parser/gen/CEL.g4). Linear; no expression of the user's is ever given to V8's engine. */
import type { Issue, Literal } from "./ast.ts";
import { unescapeBytes, unescapeString } from "./unescape.ts";
import { Uint } from "./values.ts";

export type Token =
  | { readonly kind: "literal"; readonly at: number; readonly text: string; readonly value: Literal }
  | { readonly kind: "ident" | "escaped" | "symbol" | "end"; readonly at: number; readonly text: string };

/** Longest expression in code points (cel-go's default). */
export const codePointsMax = 100_000;

/** Words that cannot be names (the reserved ones of cel-go's parser). */
export const reservedWords = new Set([
  "as", "break", "const", "continue", "else", "false", "for", "function", "if", "import", "in", "let", "loop", "package", "namespace", "null", "return", "true", "var", "void", "while",
]);
const symbols = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "[", "]", "{", "}", "(", ")", ".", ",", "-", "!", "?", ":", "+", "*", "/", "%"];
const intMax = 2n ** 63n, uintMax = 2n ** 64n;

export function tokenize(text: string, issues: Issue[]): readonly Token[] {
  const lexer = new Lexer([...text], issues);
  const tokens: Token[] = [];
  for (;;) {
    const token = lexer.next();
    tokens.push(token);
    if (token.kind === "end") return tokens;
  }
}

class Lexer {
  readonly #chars: readonly string[];
  readonly #issues: Issue[];
  #at = 0;
  constructor(chars: readonly string[], issues: Issue[]) {
    this.#chars = chars;
    this.#issues = issues;
  }

  next(): Token {
    this.#skip();
    const at = this.#at, char = this.#chars[at];
    if (char === undefined) return { kind: "end", at, text: "<EOF>" };
    const quoted = this.#quoted();
    if (quoted !== undefined) return quoted;
    if (isLetter(char)) return this.#word(at);
    if (isDigit(char) || (char === "." && isDigit(this.#chars[at + 1]))) return this.#number(at);
    if (char === "`") return this.#escapedName(at);
    for (const symbol of symbols) {
      if ([...symbol].every((each, i) => this.#chars[at + i] === each)) {
        this.#at += symbol.length;
        return { kind: "symbol", at, text: symbol };
      }
    }
    // What could have been an operator of two characters is told with the one that spoils it.
    const length = char === "=" || char === "&" || char === "|" ? 2 : 1;
    this.#issues.push({ at, text: `Syntax error: token recognition error at: '${this.#chars.slice(at, at + length).join("")}'` });
    this.#at += length;
    return this.next();
  }

  #skip(): void {
    for (;;) {
      const char = this.#chars[this.#at];
      if (char === " " || char === "\t" || char === "\n" || char === "\r" || char === "\f") this.#at++;
      else if (char === "/" && this.#chars[this.#at + 1] === "/") while (this.#at < this.#chars.length && this.#chars[this.#at] !== "\n") this.#at++;
      else return;
    }
  }

  #word(at: number): Token {
    while (isLetter(this.#chars[this.#at]) || isDigit(this.#chars[this.#at])) this.#at++;
    const text = this.#chars.slice(at, this.#at).join("");
    if (text === "true" || text === "false") return { kind: "literal", at, text, value: text === "true" };
    if (text === "null") return { kind: "literal", at, text, value: null };
    return text === "in" ? { kind: "symbol", at, text } : { kind: "ident", at, text };
  }

  #escapedName(at: number): Token {
    let end = at + 1;
    while (end < this.#chars.length && /[A-Za-z0-9_.\-/ ]/.test(this.#chars[end]!)) end++;
    if (this.#chars[end] !== "`" || end === at + 1) {
      this.#issues.push({ at, text: "Syntax error: token recognition error at: '`'" });
      this.#at++;
      return this.next();
    }
    this.#at = end + 1;
    return { kind: "escaped", at, text: this.#chars.slice(at + 1, end).join("") };
  }

  #number(at: number): Token {
    const chars = this.#chars;
    let end = at, isFloat = false;
    if (chars[at] === "0" && chars[at + 1] === "x" && isHex(chars[at + 2])) {
      end = at + 2;
      while (isHex(chars[end])) end++;
    } else {
      while (isDigit(chars[end])) end++;
      if (chars[end] === "." && isDigit(chars[end + 1])) {
        isFloat = true;
        end++;
        while (isDigit(chars[end])) end++;
      }
      const sign = chars[end + 1] === "+" || chars[end + 1] === "-" ? 1 : 0;
      if ((chars[end] === "e" || chars[end] === "E") && isDigit(chars[end + 1 + sign])) {
        isFloat = true;
        end += 2 + sign;
        while (isDigit(chars[end])) end++;
      }
    }
    const text = chars.slice(at, end).join("");
    this.#at = end;
    if (isFloat) {
      if (!Number.isFinite(Number(text))) this.#issues.push({ at, text: "invalid double literal" });
      return { kind: "literal", at, text, value: Number(text) };
    }
    const value = BigInt(text);
    if (chars[end] === "u" || chars[end] === "U") {
      this.#at++;
      if (value >= uintMax) this.#issues.push({ at, text: "invalid uint literal" });
      return { kind: "literal", at, text: `${text}u`, value: new Uint(value) };
    }
    // The parser takes a minus sign into account: one more than the largest is allowed after it.
    if (value > intMax) this.#issues.push({ at, text: "invalid int literal" });
    return { kind: "literal", at, text, value };
  }

  #quoted(): Token | undefined {
    const at = this.#at;
    let start = at, raw = false, bytes = false;
    for (; /[rRbB]/.test(this.#chars[start] ?? "") && start - at < 2; start++) {
      if (/[rR]/.test(this.#chars[start]!)) raw = true;
      else bytes = true;
    }
    const quote = this.#chars[start];
    if (quote !== '"' && quote !== "'") return undefined;
    const triple = this.#chars[start + 1] === quote && this.#chars[start + 2] === quote;
    const width = triple ? 3 : 1;
    let end = start + width;
    for (;;) {
      const char = this.#chars[end];
      if (char === undefined || (!triple && (char === "\n" || char === "\r"))) {
        this.#issues.push({ at, text: `Syntax error: token recognition error at: '${this.#chars.slice(at, end).join("")}'` });
        this.#at = end;
        return this.next();
      }
      if (char === "\\" && !raw) { end += 2; continue; }
      if (char === quote && (!triple || (this.#chars[end + 1] === quote && this.#chars[end + 2] === quote))) break;
      end++;
    }
    this.#at = end + width;
    const inner = this.#chars.slice(start + width, end).join(""), text = this.#chars.slice(at, this.#at).join("");
    const value = raw ? (bytes ? new TextEncoder().encode(inner) : inner) : bytes ? unescapeBytes(inner) : unescapeString(inner);
    if (value === undefined) this.#issues.push({ at, text: bytes ? "invalid bytes literal" : "invalid string literal" });
    return { kind: "literal", at, text, value: value ?? "" };
  }
}

function isDigit(char: string | undefined): boolean {
  return char !== undefined && char >= "0" && char <= "9";
}
function isHex(char: string | undefined): boolean {
  return char !== undefined && /^[0-9a-fA-F]$/.test(char);
}
function isLetter(char: string | undefined): boolean {
  return char !== undefined && /^[A-Za-z_]$/.test(char);
}
