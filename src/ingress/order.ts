/** Which of two routes of a host is asked first; equal ones stay as they are (the older first). */
import type { PathType, Route } from "./table.ts";

const order: readonly PathType[] = ["Exact", "WholeRegex", "Regex", "Prefix", "ImplementationSpecific"];

/** Longest path first, of the same length an exact one before a prefix (networking.k8s.io/v1), then a method, more headers, more parameters (Gateway API's precedence). */
export function bestFirst(a: Route, b: Route): number {
  return lengthOf(b) - lengthOf(a) || order.indexOf(a.type) - order.indexOf(b.type)
    || Number(b.method !== undefined) - Number(a.method !== undefined) || (b.headers?.length ?? 0) - (a.headers?.length ?? 0) || (b.query?.length ?? 0) - (a.query?.length ?? 0);
}

/** A prefix is the same with and without its last slash. */
function lengthOf({ type, path }: Route): number {
  return (type === "Prefix" || type === "ImplementationSpecific") && path.endsWith("/") ? path.length - 1 : path.length;
}
