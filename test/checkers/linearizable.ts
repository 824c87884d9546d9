import type { Operation } from "./history.ts";

type Step = Extract<Operation, { type: "get" | "write" }>;

/**
 * Whether the gets and writes of each key can be put in one order that real time allows, looking at values only: an opinion that needs neither the log nor
 * revisions (Wing and Gong's search with Lowe's memory of visited states). Returns the keys for which there is none.
 */
export function unlinearizableKeys(operations: readonly Operation[]): string[] {
  const byKey = new Map<string, Step[]>();
  const valueOf = new Map<number, string | undefined>();
  for (const operation of operations) {
    if (operation.type === "list") continue;
    byKey.set(operation.key, [...(byKey.get(operation.key) ?? []), operation]);
    if (operation.type === "get" && operation.seen !== undefined) valueOf.set(operation.seen.revision, operation.seen.value);
    if (operation.type === "write" && operation.outcome !== "unknown" && operation.outcome.ok) valueOf.set(operation.outcome.revision, operation.value);
  }
  return [...byKey].filter(([, steps]) => !hasOrder(steps, valueOf)).map(([key]) => key);
}

function hasOrder(all: readonly Step[], valueOf: ReadonlyMap<number, string | undefined>): boolean {
  // A refused write says nothing certain: another write may have won and been replaced since.
  const steps = all.filter(step => step.type === "get" || step.outcome === "unknown" || step.outcome.ok).sort((a, b) => a.call - b.call);
  const ends = steps.map(step => (step.type === "write" && step.outcome === "unknown" ? Infinity : step.end));
  const visited = new Set<string>();
  const stack: { done: bigint; first: number; value: string | undefined }[] = [{ done: 0n, first: 0, value: undefined }];
  for (let state = stack.pop(); state !== undefined; state = stack.pop()) {
    let { first } = state;
    while (first < steps.length && (state.done >> BigInt(first)) & 1n) first++;
    const pending = steps.slice(first).map((_, i) => first + i).filter(i => !((state.done >> BigInt(i)) & 1n));
    if (pending.every(i => ends[i] === Infinity)) return true;
    // Only what began before the first remaining end can come next.
    const deadline = Math.min(...pending.map(i => ends[i]!));
    for (const i of pending) {
      const step = steps[i]!;
      if (step.call > deadline) break;
      if (!fits(step, state.value, valueOf)) continue;
      const done = state.done | (1n << BigInt(i));
      const value = step.type === "get" ? state.value : step.value;
      const key = `${done}/${value}`;
      if (visited.has(key)) continue;
      visited.add(key);
      stack.push({ done, first, value });
    }
  }
  return steps.length === 0;
}

/** Whether the step can happen when the key has this value. */
function fits(step: Step, value: string | undefined, valueOf: ReadonlyMap<number, string | undefined>): boolean {
  if (step.type === "get") return step.seen?.value === value;
  if (step.expected === 0) return value === undefined;
  return value !== undefined && (!valueOf.has(step.expected) || valueOf.get(step.expected) === value);
}
