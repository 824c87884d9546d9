/** CEL's escapes in string and bytes literals (cel-go parser/unescape.go). `undefined`: the literal is not valid. */

const single: { readonly [char: string]: string } = { a: "\u0007", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t", v: "\v", "\\": "\\", "'": "'", '"': '"', "`": "`", "?": "?" };

export function unescapeString(text: string): string | undefined {
  const parts = partsOf(text);
  return parts?.map(part => (typeof part === "string" ? part : String.fromCodePoint(part.code))).join("");
}

/** In bytes, `\x` and octal escapes are single bytes; everything else is its UTF-8. */
export function unescapeBytes(text: string): Uint8Array | undefined {
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  const encoder = new TextEncoder();
  return Uint8Array.from(parts.flatMap(part => (typeof part === "string" ? [...encoder.encode(part)] : part.isByte ? [part.code] : [...encoder.encode(String.fromCodePoint(part.code))])));
}

type Part = string | { readonly code: number; readonly isByte: boolean };

function partsOf(text: string): readonly Part[] | undefined {
  const parts: Part[] = [];
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char !== "\\") { parts.push(char); continue; }
    const kind = text[++at];
    if (kind === undefined) return undefined;
    const plain = Object.hasOwn(single, kind) ? single[kind] : undefined;
    if (plain !== undefined) { parts.push(plain); continue; }
    const hex = { x: 2, X: 2, u: 4, U: 8 }[kind];
    const digits = hex !== undefined ? text.slice(at + 1, at + 1 + hex) : text.slice(at, at + 3);
    const valid = hex !== undefined ? digits.length === hex && /^[0-9a-fA-F]+$/.test(digits) : /^[0-3][0-7]{2}$/.test(digits);
    if (!valid) return undefined;
    const code = Number.parseInt(digits, hex !== undefined ? 16 : 8);
    if (code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return undefined;
    parts.push({ code, isByte: hex === undefined || hex === 2 });
    at += hex ?? 2;
  }
  return joinSurrogates(parts);
}

/** Characters beyond the BMP are two units in the text: put together so that UTF-8 comes out right. */
function joinSurrogates(parts: readonly Part[]): readonly Part[] {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (typeof part === "string" && typeof last === "string") out[out.length - 1] = last + part;
    else out.push(part);
  }
  return out;
}
