/** `Warning` headers of an answer, as upstream cuts them (apiserver pkg/endpoints/filters/warning.go): in full, or each to a part when they are too long together. */
const charactersMax = 4_096;
const partMax = 256;
/** Different warnings that one request may give. */
export const warningsMax = 200;

export function warningHeaders(texts: readonly string[]): readonly string[] {
  const lengths = texts.map(text => [...text].length);
  const whole = lengths.reduce((sum, length) => sum + length, 0) <= charactersMax;
  const headers: string[] = [];
  let written = 0;
  for (const [i, text] of texts.entries()) {
    if (written >= charactersMax) break;
    headers.push(headerOf(whole ? text : [...text].slice(0, partMax).join("")));
    written += whole ? lengths[i]! : Math.min(lengths[i]!, partMax);
  }
  return headers;
}

/** RFC 7234's code 299 with a quoted text: its bytes in UTF-8, one character each, since a header is bytes. */
const headerOf = (text: string): string => `299 - "${Array.from(utf8.encode(text.replace(/\p{Cc}/gu, " ").replace(/[\\"]/g, "\\$&")), byte => String.fromCharCode(byte)).join("")}"`;
const utf8 = new TextEncoder();
