/** Property names as CEL identifiers, and back (apiserver pkg/cel/escaping.go). */

const reserved = new Set(["true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return", "var", "void", "while"]);
const escapes: { readonly [found: string]: string } = { __: "__underscores__", ".": "__dot__", "-": "__dash__", "/": "__slash__" };
const meanings = new Map(Object.entries(escapes).map(([text, escaped]) => [escaped, text]));

/** Whether expressions may say a field's name as it is too, though it is a word of the language: `metadata.namespace` (apiserver pkg/cel/types.go, recognizeKeywordAsFieldName). */
export const isReservedName = (name: string): boolean => reserved.has(name);

/** `undefined` for a name that expressions cannot say. */
export function escapeName(name: string): string | undefined {
  if (!/^[a-zA-Z_./-][a-zA-Z0-9_./-]*$/.test(name)) return undefined;
  return reserved.has(name) ? `__${name}__` : name.replace(/__|[-./]/g, found => escapes[found]!);
}

export function unescapeName(escaped: string): string | undefined {
  let valid = true;
  const name = escaped.replace(/__[^_]+__/g, found => {
    const meaning = meanings.get(found);
    if (meaning !== undefined) return meaning;
    const word = found.slice(2, -2);
    if (!reserved.has(word) || found !== escaped) valid = false;
    return word;
  });
  return valid ? name : undefined;
}
