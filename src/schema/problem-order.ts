/** Where a problem that the schema found stands among those that a kind's rules tell: upstream checks field by field, in the order of its types. */
import type { Problem } from "./problem.ts";
import type { Node } from "./t.ts";

/**
 * `ruled` in its own order, and each of `found` before the first of them that is about a later field; one that `ruled` tells by itself, or of which it says more than that it must be there, is left out. Fields come in the order of their protobuf numbers.
 */
export function inOrder(node: Node, found: readonly Problem[], ruled: readonly Problem[], order: readonly string[] = []): readonly Problem[] {
  const told = new Set(ruled.flatMap(({ field, reason }) => [`${reason} ${field}`, `Required ${field}`]));
  return amongst(node, found.filter(({ reason, field }) => !told.has(`${reason} ${field}`)), ruled, order);
}
/** The same for problems that are all told. `order`: paths without indices of fields that are checked before others beside them, in another order than their numbers'. */
export function amongst(node: Node, more: readonly Problem[], ruled: readonly Problem[], order: readonly string[] = []): readonly Problem[] {
  if (more.length === 0) return ruled;
  const out = ruled.map(problem => ({ problem, key: keyOf(node, problem.field, order) }));
  for (const problem of more) {
    const key = keyOf(node, problem.field, order), at = out.findIndex(other => isLater(other.key, key));
    out.splice(at < 0 ? out.length : at, 0, { problem, key });
  }
  return out.map(({ problem }) => problem);
}

function keyOf(root: Node, path: string, order: readonly string[]): readonly number[] {
  const key: number[] = [];
  let node: Node | undefined = root, walked = "";
  for (const [, name, index] of path.matchAll(/([^.[\]]+)|\[([^\]]*)\]/g)) {
    if (index === undefined) {
      node = node?.fields?.[name!];
      walked += walked === "" ? name! : `.${name!}`;
      const listed = order.indexOf(walked);
      if (listed >= 0) key.push(listed - order.length);
      else key.push(...(node?.within ?? []), node?.pb ?? 0);
    } else {
      key.push(/^\d+$/.test(index) ? Number(index) : 0);
      node = node?.items;
    }
  }
  return key;
}
function isLater(key: readonly number[], than: readonly number[]): boolean {
  for (let i = 0; i < Math.min(key.length, than.length); i++) if (key[i] !== than[i]) return key[i]! > than[i]!;
  return false;
}
