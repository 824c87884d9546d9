/**
 * The `null`s of Go's JSON. Pointers, times, lists and maps that a type may not leave out are written as `null` when there is nothing in
 * them; here they are absent or empty as long as an object is one, and become `null` where it becomes text for clients and for the store.
 * Each node is looked through once. A schema that refers to itself must have none of them on the way round (JSONSchemaProps has not).
 */
import { setOwn } from "../base/json.ts";
import type { Node } from "./t.ts";

/** An empty list that a client gave where Go writes `null` for none: its giver owns it, until it is stored. Whatever else is empty there is none. */
export const givenEmpty: readonly never[] = Object.freeze([]);

type Plan = {
  /** Fields of the object itself. */
  readonly own: readonly { readonly name: string; readonly empty: "absent" | "list" | "map" }[];
  /** Fields that have such fields below them. */
  readonly below: readonly { readonly name: string; readonly plan: Plan }[];
  /** Of what is in the list or map. */
  readonly each?: Plan;
};

const plans = new WeakMap<Node, Plan | "none">();

function planOf(node: Node): Plan | undefined {
  let plan = plans.get(node);
  if (plan === undefined) {
    plans.set(node, "none");
    plans.set(node, (plan = derive(node)));
  }
  return plan === "none" ? undefined : plan;
}

function derive(node: Node): Plan | "none" {
  if (node.kind === "list" || node.kind === "map") {
    const each = planOf(node.items!);
    return each === undefined ? "none" : { own: [], below: [], each };
  }
  if (node.kind !== "object" || node.custom !== undefined) return "none";
  const fields = Object.entries(node.fields ?? {});
  const own = fields.filter(([, { always, kind }]) => always === "null" || (kind === "list" && always === "[]") || (kind === "map" && always === "{}"))
    .map(([name, { always, kind }]) => ({ name, empty: always === "null" ? "absent" as const : kind === "list" ? "list" as const : "map" as const }));
  const below = fields.flatMap(([name, field]) => planOf(field) === undefined ? [] : [{ name, plan: planOf(field)! }]);
  return own.length === 0 && below.length === 0 ? "none" : { own, below };
}

/** The object as Go writes it; what has no such fields is shared with the one given, which knows no `givenEmpty` afterwards. */
export function withNulls(node: Node, object: any): any {
  const plan = planOf(node);
  return plan === undefined ? object : write(plan, object);
}

function write({ own, below, each }: Plan, value: any): any {
  if (each !== undefined) return Array.isArray(value) ? writeList(each, value) : writeMap(each, value);
  let copy: any;
  for (const { name, empty } of own) {
    const held = value[name];
    if (held === null || (held !== undefined && (empty === "absent" || !isEmpty(held, empty)))) continue;
    if (held === givenEmpty) value[name] = [];
    copy ??= { ...value };
    copy[name] = null;
  }
  for (const { name, plan } of below) {
    const held = value[name];
    if (held === undefined || held === null) continue;
    const written = write(plan, held);
    if (written === held) continue;
    copy ??= { ...value };
    copy[name] = written;
  }
  return copy ?? value;
}

function writeList(plan: Plan, list: readonly any[]): readonly any[] {
  let copy: any[] | undefined;
  for (let i = 0; i < list.length; i++) {
    const written = write(plan, list[i]);
    if (written !== list[i]) (copy ??= [...list])[i] = written;
  }
  return copy ?? list;
}

function writeMap(plan: Plan, map: { readonly [key: string]: any }): { readonly [key: string]: any } {
  const copy = {};
  for (const key in map) setOwn(copy, key, write(plan, map[key]));
  return copy;
}

function isEmpty(held: any, as: "list" | "map"): boolean {
  if (as === "list") return held.length === 0;
  for (const _ in held) return false;
  return true;
}

/** Undoes `withNulls` on an object just parsed, in place. */
export function withoutNulls(node: Node, object: any): any {
  const plan = planOf(node);
  if (plan !== undefined) read(plan, object);
  return object;
}

function read({ own, below, each }: Plan, value: any): void {
  if (each !== undefined) {
    for (const key in value) read(each, value[key]);
    return;
  }
  for (const { name, empty } of own) {
    if (value[name] !== null) continue;
    if (empty === "absent") delete value[name];
    else value[name] = empty === "list" ? [] : {};
  }
  for (const { name, plan } of below) if (value[name] !== undefined && value[name] !== null) read(plan, value[name]);
}
