/** What strict field validation tells of a JSON text, in the order in which Go's decoder meets it (sigs.k8s.io/json, kjson). */
import type { Node } from "./t.ts";

/** Complaints about one text: a hostile one could hold millions. */
const complaintsMax = 100;

/** `unknown field "spec.foo"` and `duplicate field "spec.bar"`, interleaved as they stand in a text that is known to be valid JSON. */
export function strictProblems(node: Node, text: string): readonly string[] {
  const walk = new Walk(text);
  walk.value(node, "");
  return [...walk.found];
}

class Walk {
  readonly found = new Set<string>();
  readonly #text: string;
  #at = 0;
  constructor(text: string) {
    this.#text = text;
  }

  /** Reads one value; without a node nothing below it is known, and only duplicates count. */
  value(node: Node | undefined, path: string): void {
    this.#space();
    switch (this.#text[this.#at]) {
      case "{": return this.#object(node, path);
      case "[": return this.#list(node, path);
      case '"': this.#string(); return;
      default: while (this.#at < this.#text.length && !",]} \n\t\r".includes(this.#text[this.#at]!)) this.#at++;
    }
  }

  #object(node: Node | undefined, path: string): void {
    const seen = new Set<string>();
    const fields = node?.kind === "object" ? (node.fields ?? {}) : undefined;
    this.#at++;
    for (this.#space(); this.#text[this.#at] !== "}"; this.#space()) {
      const key = this.#string();
      const here = path === "" ? key : `${path}.${key}`;
      const known = fields === undefined || Object.hasOwn(fields, key) || node?.preserveUnknown === true;
      if (!known) this.#complain(`unknown field "${here}"`);
      else if (seen.has(key)) this.#complain(`duplicate field "${here}"`);
      seen.add(key);
      this.#space();
      this.#at++;
      // Below an unknown field nothing is looked at; below a map and a free object there are values without fields of their own.
      const before = new Set(this.found);
      this.value(fields === undefined ? (node?.kind === "map" ? node.items : undefined) : Object.hasOwn(fields, key) ? fields[key] : undefined, here);
      if (!known) for (const each of this.found) if (!before.has(each)) this.found.delete(each);
      this.#space();
      if (this.#text[this.#at] === ",") this.#at++;
    }
    this.#at++;
  }

  #list(node: Node | undefined, path: string): void {
    this.#at++;
    let index = 0;
    for (this.#space(); this.#text[this.#at] !== "]"; this.#space()) {
      this.value(node?.kind === "list" ? node.items : undefined, `${path}[${index++}]`);
      this.#space();
      if (this.#text[this.#at] === ",") this.#at++;
    }
    this.#at++;
  }

  #string(): string {
    const from = this.#at++;
    while (this.#text[this.#at] !== '"') this.#at += this.#text[this.#at] === "\\" ? 2 : 1;
    this.#at++;
    return JSON.parse(this.#text.slice(from, this.#at)) as string;
  }
  #space(): void {
    while (this.#at < this.#text.length && " \n\t\r".includes(this.#text[this.#at]!)) this.#at++;
  }
  #complain(message: string): void {
    if (this.found.size < complaintsMax) this.found.add(message);
  }
}
