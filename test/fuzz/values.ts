/** Values of a schema's shape: right, at the edge, of the wrong type, missing, unknown or far too large. */
import type { Format, Node } from "../../src/schema/t.ts";

export type Random = () => number;
export const below = (random: Random, n: number): number => Math.floor(random() * n);
export const pick = <T>(random: Random, from: readonly T[]): T => from[below(random, from.length)]!;

const depthMax = 12;
/** How often a value is not what the schema wants. */
const wrongShare = 0.004;

/** A value for `node`; `budget.nodes` bounds how large it becomes. */
export function valueOf(node: Node, random: Random, budget: { nodes: number }, depth = 0): unknown {
  budget.nodes--;
  if (random() < wrongShare) return anything(random, 2);
  switch (node.kind) {
    case "string": return text(node, random);
    case "integer": return random() < 0.7 ? below(random, 100) : pick(random, [0, -1, 1, 2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 53, 9007199254740993n, 9223372036854775807n, -9223372036854775809n, 1.5, 1e308]);
    case "number": return pick(random, [0, 1, -1, 0.5, 1e-300, 1e300, 2 ** 60]);
    case "boolean": return random() < 0.5;
    case "any": return anything(random, 3);
    case "list": {
      if (node.items === undefined || budget.nodes <= 0 || depth > depthMax) return [];
      const items = Array.from({ length: pick(random, [0, 1, 1, 2, 3]) }, () => valueOf(node.items!, random, budget, depth + 1));
      return random() < 0.05 && items.length > 0 ? [...items, items[0]] : items;
    }
    case "map": return budget.nodes <= 0 || node.items === undefined ? {} : object(Array.from({ length: below(random, 3) }, () => [word(random), valueOf(node.items!, random, budget, depth + 1)]));
    case "object": return objectOf(node, random, budget, depth);
  }
}

function objectOf(node: Node, random: Random, budget: { nodes: number }, depth: number): unknown {
  const fields: [string, unknown][] = [];
  for (const [name, field] of Object.entries(node.fields ?? {})) {
    const wanted = field.presence === "required" ? 0.95 : depth === 0 ? 0.6 : 1.5 / (2 + depth * 2);
    if (budget.nodes > 0 && depth <= depthMax && random() < wanted) fields.push([name, valueOf(field, random, budget, depth + 1)]);
  }
  if (random() < 4 * wrongShare) fields.push([word(random), anything(random, 2)]);
  return object(fields);
}

function text(node: Node, random: Random): unknown {
  if (node.enum !== undefined && random() < 0.8) return pick(random, node.enum);
  if (node.format !== undefined && random() < 0.9) return grammarOf(node.format, random);
  if (node.grammar !== undefined && random() < 0.8) return pick(random, ["a", "web", "my-name", "example.com", "example.com/name"]);
  return word(random);
}

const words = [
  "a", "b", "web", "default", "app", "x".repeat(63), "x".repeat(64), "x".repeat(254), "", " ", "A", "-", "a-", "a.b", "a/b", "example.com/x", "..", "../..", "%2e", "a b", "é", "\u0000", "\u2028", "💥", "\ud800", "__proto__", "constructor", "toString", "hasOwnProperty",
  "null", "true", "0", "1", "-1", "1.5", "1e3", "100m", "64Mi", "1Ki", "0x10", "9".repeat(40), "2026-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "10.0.0.1", "::1", "300.1.1.1", "10.0.0.0/8", "80", "http", "tcp://x", "(a+)+$", "$(VAR)", "{{.}}", "<b>", "\"", "\\", "busybox", "127.0.0.1:5000/hello:v1", "sh", "Always", "/", "/healthz", "kubernetes.io/hostname", "in", "!", "=", ",",
];
export const word = (random: Random): string => (random() < 0.97 ? pick(random, words) : "y".repeat(below(random, 20_000)));

/** Any JSON value. */
export function anything(random: Random, depth: number): unknown {
  if (depth > 0 && random() < 0.3) return random() < 0.5 ? Array.from({ length: below(random, 4) }, () => anything(random, depth - 1)) : object(Array.from({ length: below(random, 4) }, () => [word(random), anything(random, depth - 1)]));
  return pick(random, [null, true, false, 0, -1, 1.5, 1e21, 9007199254740993n, word(random), word(random), [], {}]);
}

/** An object of these members, `__proto__` included. */
export function object(members: readonly (readonly [string, unknown])[]): { [name: string]: unknown } {
  const made: { [name: string]: unknown } = {};
  for (const [name, value] of members) Object.defineProperty(made, name, { value, enumerable: true, configurable: true, writable: true });
  return made;
}

/** `value` with one part somewhere inside replaced, removed or doubled. */
export function mutated(value: unknown, random: Random, node?: Node): unknown {
  if (typeof value !== "object" || value === null || random() < 0.1) return node !== undefined && random() < 0.5 ? valueOf(node, random, { nodes: 60 }) : anything(random, 2);
  if (Array.isArray(value)) {
    if (value.length === 0) return [anything(random, 1)];
    const at = below(random, value.length);
    if (random() < 0.2) return value.filter((_, i) => i !== at);
    if (random() < 0.2) return [...value, value[at]];
    return value.map((item: unknown, i) => (i === at ? mutated(item, random, node?.items) : item));
  }
  const entries = Object.entries(value);
  if (entries.length === 0 || random() < 0.1) return object([...entries, [word(random), anything(random, 2)]]);
  const at = below(random, entries.length);
  if (random() < 0.15) return object(entries.filter((_, i) => i !== at));
  return object(entries.map(([name, item], i) => [name, i === at ? mutated(item, random, node?.fields?.[name] ?? node?.items) : item]));
}

/** Texts and numbers of a format, most of them right. */
function grammarOf(format: Format, random: Random): unknown {
  switch (format) {
    case "quantity": return pick(random, ["100m", "1", "64Mi", "1.5Gi", "0", "-1", "1e3", "1n", "999E", "1.0000000001", "0.1m", 1, 1.5, "1Zi", "", "+1", "1e99999"]);
    case "int-or-string": return pick(random, [80, "http", "25%", "0%", "101%", -1, 65536, "80", ""]);
    case "date-time": case "micro-time": return pick(random, ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:00+02:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "now", null]);
    case "duration": return pick(random, ["1s", "1h30m", "-1s", "1.5h", "1y", ""]);
    case "byte": return pick(random, ["YQ==", "", "YQ", "a b", "////", "A".repeat(below(random, 400) * 4)]);
    case "int32": case "int64": case "double": return below(random, 100);
  }
}
