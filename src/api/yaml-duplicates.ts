/** Where a YAML text says a key again, in go-yaml's words: the line is where a key of the same mapping stands again. One pass, each character looked at a few times. */

/** `line 9: key "foo" already set in map` for each of `keys`, which the parser has found written twice. */
export function duplicatesInYaml(text: string, keys: readonly string[]): readonly string[] {
  if (keys.length === 0) return [];
  const wanted = new Set(keys);
  const found = new Map<string, number>();
  // The mappings around the present line, from the outside in.
  const open: { readonly indent: number; readonly keys: Set<string> }[] = [];
  for (const [i, line] of text.split("\n").entries()) {
    const at = keyAt(line);
    if (at === undefined) continue;
    // A list item begins a mapping of its own.
    while (open.length > 0 && (open.at(-1)!.indent > at.indent || (at.item && open.at(-1)!.indent === at.indent))) open.pop();
    if (open.at(-1)?.indent !== at.indent) open.push({ indent: at.indent, keys: new Set() });
    const { keys: seen } = open.at(-1)!;
    if (seen.has(at.key) && wanted.has(at.key) && !found.has(at.key)) found.set(at.key, i + 1);
    seen.add(at.key);
  }
  return keys.map(key => {
    const line = found.get(key);
    return `${line === undefined ? "" : `line ${line}: `}key ${JSON.stringify(key)} already set in map`;
  });
}

const isSpace = (char: string | undefined): boolean => char === " " || char === "\t" || char === "\r";

/** The key that a line of block style begins with, and where. */
function keyAt(line: string): { readonly indent: number; readonly item: boolean; readonly key: string } | undefined {
  let at = 0;
  while (isSpace(line[at])) at++;
  let item = false;
  while (line[at] === "-" && line[at + 1] === " ") {
    item = true;
    for (at++; line[at] === " "; ) at++;
  }
  const indent = at;
  const quote = line[at];
  if (quote === undefined || "#:{[-".includes(quote)) return undefined;
  let key: string;
  if (quote === '"' || quote === "'") {
    const end = line.indexOf(quote, at + 1);
    if (end < 0) return undefined;
    key = line.slice(at + 1, end);
    for (at = end + 1; isSpace(line[at]); ) at++;
  } else {
    const end = line.indexOf(":", at);
    const comment = line.indexOf("#", at);
    if (end < 0 || (comment >= 0 && comment < end)) return undefined;
    key = line.slice(at, end).trimEnd();
    at = end;
  }
  return line[at] === ":" && (line[at + 1] === undefined || isSpace(line[at + 1])) ? { indent, item, key } : undefined;
}
