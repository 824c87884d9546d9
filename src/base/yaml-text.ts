/**
 * JSON values as YAML, letter for letter as upstream's server and kubectl write them (sigs.k8s.io/yaml over go-yaml v2): keys in its natural order,
 * lists not indented below their key, text folded after column 80, several lines as a `|` block.
 */
import { isObject, type Json } from "./json.ts";

/** Where lines are folded, at the next space. */
const widthMax = 80;
/** A longer key is written as `? key`, as libyaml does. */
const simpleKeyMax = 128;

export function yamlText(value: Json): string {
  const writer = new Writer();
  writer.value(value, 0, false);
  return writer.end();
}

class Writer {
  #done = "";
  #line = "";

  end(): string {
    return this.#line === "" ? this.#done : `${this.#done}${this.#line}\n`;
  }

  #newLine(indent: number): void {
    // What a block's last line break has opened is gone on with.
    if (this.#line.trim() !== "" || this.#line.length > indent) {
      this.#done += `${this.#line}\n`;
      this.#line = "";
    }
    this.#line = " ".repeat(indent);
  }

  /** `indent` is where a map's keys or a list's dashes go; `open` tells that the first of them stands on this very line. */
  value(value: Json, indent: number, open: boolean): void {
    if (Array.isArray(value) && value.length > 0) {
      value.forEach((item: Json, at) => {
        if (at > 0 || !open) this.#newLine(indent);
        this.#line += "-";
        this.#below(item, indent, true);
      });
    } else if (isObject(value) && Object.keys(value).length > 0) {
      Object.keys(value).sort(naturalOrder).forEach((key, at) => {
        if (at > 0 || !open) this.#newLine(indent);
        const simple = new TextEncoder().encode(key).length <= simpleKeyMax;
        if (!simple) this.#line += "? ";
        this.#text(key, indent + 2, simple);
        if (!simple) this.#newLine(indent);
        this.#line += ":";
        this.#below(value[key]!, indent, !simple);
      });
    } else this.#scalar(value, indent);
  }

  /** What follows `-` or `key:`; after a dash it goes on in the same line. */
  #below(item: Json, indent: number, inLine: boolean): void {
    const filled = typeof item === "object" && item !== null && Object.keys(item).length > 0;
    if (filled && inLine) {
      this.#line += " ";
      this.value(item, indent + 2, true);
    } else if (filled) this.value(item, Array.isArray(item) ? indent : indent + 2, false);
    else {
      this.#line += " ";
      this.#scalar(item, indent + 2);
    }
  }

  #scalar(value: Json, indent: number): void {
    if (typeof value === "string") this.#text(value, indent, false);
    else this.#line += Array.isArray(value) ? "[]" : isObject(value) ? "{}" : typeof value === "number" ? numberText(value) : String(value);
  }

  /** `indent` is that of the lines after the first. */
  #text(text: string, indent: number, isKey: boolean): void {
    const allowed = stylesOf(text);
    if (text.includes("\n") && allowed.block && !isKey) this.#block(text, indent);
    else if (!text.includes("\n") && !isOther(text) && allowed.plain) this.#folded(text, indent, !isKey, "");
    else if (!text.includes("\n") && !isOther(text) && allowed.single) this.#folded(text.replaceAll("'", "''"), indent, !isKey, "'");
    else this.#double(text, indent, !isKey);
  }

  #block(text: string, indent: number): void {
    this.#line += `|${/^[ \n]/.test(text) ? "2" : ""}${!text.endsWith("\n") ? "-" : text === "\n" || text.endsWith("\n\n") ? "+" : ""}`;
    for (const line of (text.endsWith("\n") ? text.slice(0, -1) : text).split("\n")) {
      this.#done += `${this.#line}\n`;
      this.#line = line === "" ? "" : `${" ".repeat(indent)}${line}`;
    }
    if (!text.endsWith("\n")) return;
    this.#done += `${this.#line}\n`;
    this.#line = "";
  }

  /** Plain or in single quotes: a single space beyond the width becomes a new line. */
  #folded(text: string, indent: number, folds: boolean, quote: string): void {
    const [first = "", ...words] = text.split(" ");
    this.#line += quote + first;
    words.forEach((word, at) => {
      const alone = word !== "" && (at === 0 ? first : words[at - 1]) !== "";
      if (folds && alone && this.#line.length > widthMax) this.#newLine(indent);
      else this.#line += " ";
      this.#line += word;
    });
    this.#line += quote;
  }

  #double(text: string, indent: number, folds: boolean): void {
    this.#line += '"';
    const letters = [...text];
    let folded = false;
    letters.forEach((letter, at) => {
      if (letter !== " ") folded = false;
      if (letter === " " && folds && !folded && this.#line.length > widthMax && at > 0 && at < letters.length - 1) {
        this.#newLine(indent);
        if (letters[at + 1] === " ") this.#line += "\\";
        folded = true;
      } else {
        this.#line += isPrintable(letter) && letter !== '"' && letter !== "\\" ? letter : escaped(letter);
        if (letter === " ") folded = true;
      }
    });
    this.#line += '"';
  }
}

const named = new Map([["\0", "0"], ["\x07", "a"], ["\b", "b"], ["\t", "t"], ["\n", "n"], ["\v", "v"], ["\f", "f"], ["\r", "r"], ["\x1b", "e"], ['"', '"'], ["\\", "\\"], ["\x85", "N"], ["\xa0", "_"], ["\u2028", "L"], ["\u2029", "P"]]);
function escaped(letter: string): string {
  const code = letter.codePointAt(0)!;
  const hex = (digits: number): string => code.toString(16).toUpperCase().padStart(digits, "0");
  return `\\${named.get(letter) ?? (code <= 0xff ? `x${hex(2)}` : code <= 0xffff ? `u${hex(4)}` : `U${hex(8)}`)}`;
}

const isPrintable = (letter: string): boolean => /^[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]$/.test(letter);

/** How a text may be written (libyaml's analysis of scalars). */
function stylesOf(text: string): { readonly plain: boolean; readonly single: boolean; readonly block: boolean } {
  if (text === "") return { plain: true, single: true, block: false };
  const indicated = /^(?:---|\.\.\.|[#,[\]{}&*!|>'"%@`]|[-?:](?:\s|$))|:(?:\s|$)|\s#/.test(text);
  const spaceBreak = / \n/.test(text), breakSpace = /\n /.test(text);
  const special = [...text].some(letter => letter !== "\n" && !isPrintable(letter));
  const edge = /^[ \n]|[ \n]$/.test(text);
  return {
    plain: !indicated && !edge && !breakSpace && !spaceBreak && !special,
    single: !breakSpace && !spaceBreak && !special,
    block: !text.endsWith(" ") && !spaceBreak && !special,
  };
}

const words = new Set(["", "~", "<<", ...["y", "yes", "n", "no", "on", "off", "true", "false", "null"].flatMap(word => [word, word[0]!.toUpperCase() + word.slice(1), word.toUpperCase()]), ...["nan", "inf"].flatMap(word => ["", "+", "-"].flatMap(sign => [word, word[0]!.toUpperCase() + word.slice(1), word.toUpperCase()].map(each => `${sign}.${each}`))).filter(word => !/^[+-]\.nan$/i.test(word)), ".NaN"]);
/** Whether a reader would take the plain text for something else than text: a word, a number, a time. */
function isOther(text: string): boolean {
  if (words.has(text)) return true;
  if (!/^[-+.0-9]/.test(text)) return false;
  const digits = text.replaceAll("_", "");
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(/^\./.test(text) ? text : digits)
    || (!text.startsWith(".") && /^[-+]?0(?:[xX][0-9a-fA-F]+|[oO][0-7]+|[bB][01]+)$/.test(digits))
    || /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/.test(text)
    || /^[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:(?:[Tt]|[ \t]+)[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(?:\.[0-9]+)?(?:Z|[-+][0-9]{2}:[0-9]{2})?)?$/.test(text);
}

/** As Go's strconv writes the shortest form. */
function numberText(value: number): string {
  if (Number.isInteger(value) || Math.abs(value) >= 1e-4) return String(value);
  return value.toExponential().replace(/e([-+])(\d)$/, "e$10$2");
}

const isLetter = (letter: string): boolean => /\p{L}/u.test(letter);
const isDigit = (letter: string | undefined): boolean => letter !== undefined && letter >= "0" && letter <= "9";

/** go-yaml's order of keys: numbers in them by their value, letters after all else. */
export function naturalOrder(a: string, b: string): number {
  const x = [...a], y = [...b];
  for (let i = 0; i < x.length && i < y.length; i++) {
    const p = x[i]!, q = y[i]!;
    if (p === q) continue;
    const letters = Number(isLetter(p)) + Number(isLetter(q));
    if (letters === 2) return p.codePointAt(0)! - q.codePointAt(0)!;
    if (letters === 1) return isLetter(q) ? -1 : 1;
    // A zero within a number counts with the digits before it.
    let before = "";
    if (p === "0" || q === "0") for (let j = i - 1; j >= 0 && isDigit(x[j]); j--) if (x[j] !== "0") before = "1";
    const [m, n] = [digitsFrom(x, i), digitsFrom(y, i)];
    const difference = Number(before + m) - Number(before + n);
    return difference !== 0 ? difference : m.length - n.length || p.codePointAt(0)! - q.codePointAt(0)!;
  }
  return x.length - y.length;
}

function digitsFrom(letters: readonly string[], from: number): string {
  let to = from;
  while (isDigit(letters[to])) to++;
  return letters.slice(from, to).join("");
}
