/** Regular expressions that users write: RE2's syntax, in time linear in the text (promises.md 0.8). */
import { RE2JS, RE2JSSyntaxException } from "re2js";
import type { Host, Regex } from "../schema/cel/functions.ts";

/** Longer patterns are refused: compiling takes memory in proportion. */
const patternCharsMax = 10_000;

/** A matcher that looks for the pattern anywhere in a text. Throws for what RE2 does not accept. */
export function compilePattern(pattern: string): (text: string) => boolean {
  if (pattern.length > patternCharsMax) throw new Error(`the pattern is longer than ${patternCharsMax} characters`);
  const compiled = RE2JS.compile(pattern);
  return text => compiled.matcher(text).find();
}

/** A matcher at the start of a text, without regard to case (as nginx' `~*` locations): the whole and its groups, or undefined. */
export function compileGroups(pattern: string): (text: string) => readonly string[] | undefined {
  if (pattern.length > patternCharsMax) throw new Error(`the pattern is longer than ${patternCharsMax} characters`);
  const compiled = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
  return text => {
    const matcher = compiled.matcher(text);
    if (!matcher.lookingAt()) return undefined;
    return Array.from({ length: matcher.groupCount() + 1 }, (_, i) => matcher.group(i) ?? "");
  };
}

/** A matcher of a text as a whole: the whole and its groups, or undefined. */
export function compileWhole(pattern: string): (text: string) => readonly string[] | undefined {
  if (pattern.length > patternCharsMax) throw new Error(`the pattern is longer than ${patternCharsMax} characters`);
  const compiled = RE2JS.compile(pattern);
  return text => (compiled.matcher(text).matches() ? [text] : undefined);
}

/** What CEL asks of a pattern. */
class Re2Regex implements Regex {
  readonly #compiled: RE2JS;
  constructor(compiled: RE2JS) {
    this.#compiled = compiled;
  }
  test(text: string): boolean {
    return this.#compiled.matcher(text).find();
  }
  find(text: string): string | undefined {
    const matcher = this.#compiled.matcher(text);
    return matcher.find() ? (matcher.group() ?? undefined) : undefined;
  }
  findAll(text: string, limit: number): readonly string[] {
    const matcher = this.#compiled.matcher(text), found: string[] = [];
    while ((limit < 0 || found.length < limit) && matcher.find()) found.push(matcher.group() ?? "");
    return found;
  }
}

/** What CEL expressions ask of the machine. */
export const celHost: Host = {
  regex(pattern) {
    if (pattern.length > patternCharsMax) return undefined;
    try {
      return new Re2Regex(RE2JS.compile(pattern));
    } catch (error) {
      if (error instanceof RE2JSSyntaxException) return undefined;
      throw error;
    }
  },
};
