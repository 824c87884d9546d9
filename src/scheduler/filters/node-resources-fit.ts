import type { Filter, Rejection } from "../framework.ts";
import type { NodeInfo } from "../node-info.ts";
import type { Resources } from "../resources.ts";

const plugin = "NodeResourcesFit";

/** What the pod requests must be free on the node, and one pod more allowed there. */
export const nodeResourcesFit: Filter = {
  name: plugin,
  prepare: ({ requests }) => {
    // One object for each way to fail: with 5,000 full nodes the same few are told over and over.
    const known = new Map<string, Rejection>();
    const reject = (reasons: readonly string[], resolvable: boolean): Rejection => {
      const key = `${reasons.join()}${resolvable}`;
      let rejection = known.get(key);
      if (rejection === undefined) known.set(key, (rejection = { plugin, reasons, resolvable }));
      return rejection;
    };
    return {
      check: node => {
        if (fits(requests, node)) return undefined;
        const reasons = shortOf(requests, node);
        return reject(reasons.map(reason => reason.text), !reasons.some(reason => reason.never));
      },
    };
  },
  wakes: (event, { requests }) => {
    switch (event.type) {
      case "node-added": return shortOf(requests, event.node).length === 0;
      case "node-changed": return event.allocatable;
      case "pod-left": return true;
      default: return false;
    }
  },
};

function fits(ask: Resources, { pods, podsMax, allocatable, requested }: NodeInfo): boolean {
  return pods.size < podsMax
    && (ask.cpu === 0 || ask.cpu <= allocatable.cpu - requested.cpu)
    && (ask.memory === 0 || ask.memory <= allocatable.memory - requested.memory)
    && (ask.ephemeral === 0 || ask.ephemeral <= allocatable.ephemeral - requested.ephemeral)
    && (ask.scalars === undefined || [...ask.scalars].every(([name, amount]) => amount === 0 || amount <= (allocatable.scalars?.get(name) ?? 0) - (requested.scalars?.get(name) ?? 0)));
}

/** `never`: the node is too small even when it is empty, so that evicting pods cannot help. */
function shortOf(ask: Resources, { pods, podsMax, allocatable, requested }: NodeInfo): { readonly text: string; readonly never: boolean }[] {
  const short: { readonly text: string; readonly never: boolean }[] = [];
  const check = (name: string, amount: number, has: number, used: number): void => {
    if (amount > 0 && amount > has - used) short.push({ text: `Insufficient ${name}`, never: amount > has });
  };
  if (pods.size + 1 > podsMax) short.push({ text: "Too many pods", never: false });
  check("cpu", ask.cpu, allocatable.cpu, requested.cpu);
  check("memory", ask.memory, allocatable.memory, requested.memory);
  check("ephemeral-storage", ask.ephemeral, allocatable.ephemeral, requested.ephemeral);
  for (const [name, amount] of ask.scalars ?? []) check(name, amount, allocatable.scalars?.get(name) ?? 0, requested.scalars?.get(name) ?? 0);
  return short;
}
