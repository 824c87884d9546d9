/** The JSONPath of printer columns and selectable fields: `.spec.a`, `['b']`, `[0]`, `[0:2]`, `[*]`, `..a`, `[?(@.type=="Ready")]` (client-go util/jsonpath, as far as definitions use it). */
import { isObject, type Json } from "../../base/json.ts";

type Step = { readonly type: "field"; readonly name: string } | { readonly type: "index"; readonly index: number } | { readonly type: "slice"; readonly from: number; readonly to: number; readonly by: number } | { readonly type: "all" | "within" } | { readonly type: "filter"; readonly path: readonly Step[]; readonly operator: "==" | "!=" | "exists"; readonly value: Json };
export type JsonPath = (value: Json) => readonly Json[];

/** Steps of one path. */
const stepsMax = 100;

/** `undefined` for what cannot be read. */
export function parseJsonPath(text: string): JsonPath | undefined {
  const steps = parseSteps(text.trim().replace(/^\{(.*)\}$/s, "$1").replace(/^\$/, ""));
  return steps === undefined ? undefined : value => walk(steps, value);
}

function parseSteps(text: string): readonly Step[] | undefined {
  const steps: Step[] = [];
  let rest = text;
  while (rest !== "") {
    if (steps.length >= stepsMax) return undefined;
    const field = /^\.((?:\\.|[^.[\]\\])+)/.exec(rest) ?? /^([A-Za-z_$][\w$-]*)/.exec(rest);
    const quoted = /^\[(?:'([^']*)'|"([^"]*)")\]/.exec(rest);
    const index = /^\[(-?\d{1,9})\]/.exec(rest);
    const slice = /^\[(-?\d{1,9})?:(-?\d{1,9})?(?::(-?\d{1,9}))?\]/.exec(rest), within = /^\.(?=\.)/.exec(rest);
    const all = /^(?:\[\*\]|\.\*)/.exec(rest);
    const filter = /^\[\?\(\s*@([^=!)\s]*)\s*(?:(==|!=)\s*(?:"([^"]*)"|'([^']*)'|(true|false|-?\d{1,15})))?\s*\)\]/.exec(rest);
    const found = filter ?? all ?? within ?? index ?? slice ?? quoted ?? field;
    if (found === null || found[0] === "") return undefined;
    if (filter !== null) {
      const path = parseSteps(filter[1]!);
      if (path === undefined) return undefined;
      const scalar = filter[5];
      const value: Json = filter[3] ?? filter[4] ?? (scalar === "true" ? true : scalar === "false" ? false : Number(scalar));
      steps.push({ type: "filter", path, operator: (filter[2] as "==" | "!=" | undefined) ?? "exists", value });
    } else if (all !== null) steps.push({ type: "all" });
    else if (within !== null) steps.push({ type: "within" });
    else if (slice !== null) steps.push({ type: "slice", from: Number(slice[1] ?? 0), to: Number(slice[2] ?? Infinity), by: Number(slice[3] ?? 1) });
    else if (index !== null) steps.push({ type: "index", index: Number(index[1]) });
    else if (quoted !== null) steps.push({ type: "field", name: quoted[1] ?? quoted[2] ?? "" });
    else steps.push({ type: "field", name: field![1]!.replace(/\\(.)/g, "$1") });
    rest = rest.slice(found[0].length);
  }
  return steps;
}

function walk(steps: readonly Step[], value: Json): readonly Json[] {
  let values: readonly Json[] = [value];
  for (const step of steps) values = values.flatMap(each => take(step, each));
  return values;
}

function take(step: Step, value: Json): readonly Json[] {
  switch (step.type) {
    case "field": return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]!] : [];
    case "index": {
      const item = Array.isArray(value) ? (value as readonly Json[]).at(step.index) : undefined;
      return item === undefined ? [] : [item];
    }
    case "slice": return Array.isArray(value) ? sliced(value as readonly Json[], step) : [];
    case "within": return within(value);
    case "all": return Array.isArray(value) ? (value as readonly Json[]) : isObject(value) ? Object.values(value) : [];
    case "filter": return (Array.isArray(value) ? (value as readonly Json[]) : []).filter(item => {
      const [found] = walk(step.path, item);
      return step.operator === "exists" ? found !== undefined : step.operator === "==" ? found === step.value : found !== step.value;
    });
  }
}

/** Bounds beyond the list are errors upstream: there is no result. */
function sliced(items: readonly Json[], { from, to, by }: { readonly from: number; readonly to: number; readonly by: number }): readonly Json[] {
  const start = from < 0 ? from + items.length : from, end = to === Infinity ? items.length : to < 0 ? to + items.length : to;
  if (start < 0 || end > items.length || by <= 0) return [];
  return items.slice(start, Math.max(end, 0)).filter((_, i) => i % by === 0);
}

/** The value and all objects and lists in it, from the outside in. */
function within(value: Json): readonly Json[] {
  if (typeof value !== "object" || value === null) return [];
  return [value, ...(Array.isArray(value) ? (value as readonly Json[]) : Object.values(value as { readonly [name: string]: Json })).flatMap(within)];
}
