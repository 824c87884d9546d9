/** Regular expressions that users write: RE2's syntax, in time linear in the text (promises.md 0.8). */
import { RE2JS } from "re2js";

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
