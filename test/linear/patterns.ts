/** Our own regular expressions against texts made of their own characters: which of them take more than linear time (P19, class U). */
import { globSync, readFileSync } from "node:fs";

const root = new URL("../../", import.meta.url).pathname;
const literal = /(?<=[(=,:[!&|?{;]\s*|return\s+|=>\s*)\/(?![*/])((?:[^/\\\n[]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/([dgimsuvy]*)/g;
const charsShort = 2_000;
/** This much more text … */
const factor = 8;
/** … may take this much more time; a quadratic pattern takes 64 times. */
const growthMax = 24;
/** Below this nothing can be said, and nothing is wrong. */
const worthMs = 20;
const charactersMax = 14;

export type Pattern = { readonly path: string; readonly pattern: RegExp };

/** Every literal in the sources that run, tests apart. */
export function patternsOf(): readonly Pattern[] {
  return globSync("src/**/*.ts", { cwd: root }).filter(path => !path.endsWith(".test.ts")).sort().flatMap(path =>
    [...readFileSync(root + path, "utf8").matchAll(literal)].flatMap(([, source = "", flags = ""]) => {
      try {
        return [{ path, pattern: new RegExp(source, flags) }];
      } catch {
        // A division, or a part of a text.
        return [];
      }
    }));
}

/** What is wrong with the pattern; `undefined` if it is linear on everything tried. */
export function slowText({ path, pattern }: Pattern): string | undefined {
  for (const text of hostile(pattern.source)) {
    const long = timeOf(pattern, text(charsShort * factor));
    if (long < worthMs) continue;
    // Twice each, the better counts: the machine has other things to do.
    const [short, again] = [Math.min(timeOf(pattern, text(charsShort)), timeOf(pattern, text(charsShort))), Math.min(long, timeOf(pattern, text(charsShort * factor)))];
    if (again >= worthMs && again / Math.max(short, 0.01) > growthMax) return `${path}: /${pattern.source}/ takes ${short.toFixed(2)} ms for ${charsShort} and ${again.toFixed(2)} ms for ${charsShort * factor} characters such as ${JSON.stringify(text(12))}`;
  }
  return undefined;
}

/** Texts that nearly match: repetitions of one and of two of the pattern's characters, with something foreign at the end or the beginning. */
function* hostile(source: string): Iterable<(chars: number) => string> {
  const plain = source.replace(/\\[dwsbDWSB]|\\[ux]\{?[0-9a-fA-F]+\}?|\\(.)/g, (_, escaped: string | undefined) => escaped ?? "").replace(/[()[\]{}*+?^$|]/g, "");
  const characters = [...new Set([..."a0 ", ...plain])].slice(0, charactersMax);
  const units = [...characters, ...characters.flatMap(a => characters.filter(b => b !== a).map(b => a + b)), "\\\\", "\n", '"', "[(", "{}"];
  for (const unit of units) {
    yield chars => `${unit.repeat(chars / unit.length)}\u0001`;
    yield chars => `\u0001${unit.repeat(chars / unit.length)}`;
  }
}

function timeOf(pattern: RegExp, text: string): number {
  const began = process.cpuUsage();
  if (pattern.global) text.replace(pattern, "");
  else {
    pattern.lastIndex = 0;
    pattern.test(text);
  }
  const used = process.cpuUsage(began);
  return (used.user + used.system) / 1_000;
}
