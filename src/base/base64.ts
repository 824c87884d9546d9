/** Base64 in both alphabets. Readers answer `undefined` for what is not base64. */
const standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const url = `${standard.slice(0, 62)}-_`;

export function encodeBase64(bytes: Uint8Array): string {
  const text = encode(bytes, standard);
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}
/** Without padding, as continue tokens and JSON web tokens have it. */
export function encodeBase64Url(bytes: Uint8Array): string {
  return encode(bytes, url);
}
export function decodeBase64(text: string): Uint8Array | undefined {
  return text.length % 4 === 0 ? decode(text.replace(/={1,2}$/, ""), standard) : undefined;
}
export function decodeBase64Url(text: string): Uint8Array | undefined {
  return decode(text, url);
}

/** Bits of the last letter that stand for nothing are zero, as encoders write them. `value` is base64 with padding. */
export function canonicalBase64(value: string): string {
  if (!value.endsWith("=")) return value;
  const [at, unused] = value.endsWith("==") ? [value.length - 3, 0b1111] : [value.length - 2, 0b11];
  const bits = standard.indexOf(value[at]!);
  return (bits & unused) === 0 ? value : value.slice(0, at) + standard[bits & ~unused]! + value.slice(at + 1);
}

function encode(bytes: Uint8Array, alphabet: string): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const [a, b, c] = [bytes[i]!, bytes[i + 1], bytes[i + 2]];
    text += alphabet[a >> 2]! + alphabet[((a & 3) << 4) | ((b ?? 0) >> 4)]!;
    if (b !== undefined) text += alphabet[((b & 15) << 2) | ((c ?? 0) >> 6)]!;
    if (c !== undefined) text += alphabet[c & 63]!;
  }
  return text;
}

function decode(text: string, alphabet: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined;
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let [bits, held, at] = [0, 0, 0];
  for (const char of text) {
    const value = alphabet.indexOf(char);
    if (value < 0) return undefined;
    bits = (bits << 6) | value;
    held += 6;
    if (held >= 8) {
      held -= 8;
      bytes[at++] = (bits >> held) & 255;
    }
  }
  return bytes;
}
