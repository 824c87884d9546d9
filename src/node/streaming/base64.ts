/** Base64 (RFC 4648) for the text variants of the channel protocols. */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const values = new Map(Array.from(alphabet, (letter, i) => [letter.charCodeAt(0), i]));

/** ASCII bytes, padded. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(bytes.length / 3) * 4);
  for (let i = 0, o = 0; i < bytes.length; i += 3) {
    const word = (bytes[i] as number) << 16 | (bytes[i + 1] ?? 0) << 8 | (bytes[i + 2] ?? 0);
    for (let shift = 18; shift >= 0; shift -= 6) out[o++] = alphabet.charCodeAt(word >> shift & 63);
  }
  const missing = (3 - bytes.length % 3) % 3;
  if (missing > 0) out.fill(61, out.length - missing);
  return out;
}

/** Undefined when it is not valid, padding included. */
export function decodeBase64(text: Uint8Array): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined;
  const padding = text.at(-1) !== 61 ? 0 : text.at(-2) !== 61 ? 1 : 2;
  const out = new Uint8Array(text.length / 4 * 3 - padding);
  for (let i = 0, o = 0; i < text.length; i += 4) {
    let word = 0;
    for (let j = i; j < i + 4; j++) {
      const value = values.get(text[j] as number) ?? (j >= text.length - padding ? 0 : undefined);
      if (value === undefined) return undefined;
      word = word << 6 | value;
    }
    for (let shift = 16; shift >= 0 && o < out.length; shift -= 8) out[o++] = word >> shift & 0xff;
  }
  return out;
}
