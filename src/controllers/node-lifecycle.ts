import { sameJson } from "../base/json.ts";
import { msOf } from "../base/time.ts";
import { byNode } from "../client/informer.ts";
import { Lease } from "../kinds/coordination/lease.ts";
import { Node } from "../kinds/core/node.ts";
import { Pod } from "../kinds/core/pod.ts";
import { jsonOf, type Context, type Controller } from "./controller.ts";
import { isEvicting, planTaints, planZones, readiness, silentConditions, zoneOf } from "./node-plan.ts";
import { isPodReady, withPodCondition } from "./pods.ts";

const leaseNamespace = "kube-node-lease";

/** What was last heard of a node, and when by our own clock: the node's may be wrong. */
type Heard = { readonly sign: string; readonly at: number };

/**
 * Notices nodes that fall silent and keeps their taints in step with their conditions. The one thing it remembers is when it heard of each
 * node; after a restart every node gets its full grace again, because nobody could renew a lease while the server was away.
 */
export function nodeLifecycleController(): Controller {
  const heard = new Map<string, Heard>();
  const registered = new Set<string>();
  /** By zone, when the next node may be tainted NoExecute. */
  const nextEviction = new Map<string, number>();
  return {
    name: "node-lifecycle",
    account: "node-controller",
    component: "node-controller",
    reconciles: Node,
    watches: [
      // A renewal only moves the deadline; the node's timer finds out when it rings. Only an unreachable node is looked at at once.
      {
        kind: Lease,
        keysOf: (lease: Lease, context) => {
          const node = lease.metadata.namespace === leaseNamespace ? context.read(Node).get(lease.metadata.name) : undefined;
          if (node === undefined) return [];
          hear(node, heard, context);
          return readiness(node) === "Unknown" ? [node.metadata.name] : [];
        },
      },
      // Whether nodes may be emptied depends on how the others are.
      { kind: Node, keysOf: (node: Node, context, { previous }) => (previous !== undefined && readiness(previous) === readiness(node) ? [] : unready(context)) },
    ],
    reads: [Pod],
    workers: 1,

    async reconcile(name, context) {
      const { clock } = context;
      let node = context.read(Node).get(name);
      if (node === undefined) {
        if (registered.delete(name)) context.events.event(nodeRef(name), "Normal", "RemovingNode", `Node ${name} event: Removing Node ${name} from Controller`);
        heard.delete(name);
        return undefined;
      }
      if (!registered.has(name)) {
        registered.add(name);
        context.events.event(node, "Normal", "RegisteredNode", `Node ${name} event: Registered Node ${name} in Controller`);
      }
      const now = clock.now();
      const deadline = deadlineOf(node, heard, context);
      const left = deadline - clock.monotonic();
      if (left <= 0) {
        const conditions = silentConditions(node, now);
        if (!sameJson(conditions, node.status.conditions)) {
          const wasReady = readiness(node) === "True";
          node = await context.updateStatus(Node, { ...node, status: { ...node.status, conditions } });
          if (wasReady) context.events.event(node, "Normal", "NodeNotReady", `Node ${name} status is now: NodeNotReady`);
        }
      }
      if (readiness(node) !== "True") await markPodsNotReady(name, context);

      const evict = mayEvict(node, nextEviction, context);
      const taints = planTaints(node, evict.mode, now);
      const labels = planLabels(node);
      if (taints !== node.spec.taints && !sameJson(taints, node.spec.taints ?? [])) await context.patch(Node, node, { type: "merge", body: { metadata: { uid: node.metadata.uid, resourceVersion: node.metadata.resourceVersion }, spec: { taints: taints.length === 0 ? null : jsonOf(taints) } } });
      else if (labels !== undefined) await context.patch(Node, node, { type: "merge", body: { metadata: { labels } } });
      const waits = [...(left > 0 ? [left] : []), ...(evict.waitMs === undefined ? [] : [evict.waitMs])];
      return waits.length === 0 ? undefined : { after: Math.min(...waits) };
    },
  };
}

function unready(context: Context): readonly string[] {
  return context.read(Node).list().filter(node => readiness(node) !== "True").map(node => node.metadata.name);
}
function nodeRef(name: string): Node {
  return { apiVersion: "v1", kind: "Node", metadata: { name, uid: name, resourceVersion: "", creationTimestamp: "" }, spec: {}, status: {} } as unknown as Node;
}

/** Remembers when the node's lease or status has changed. */
function hear(node: Node, heard: Map<string, Heard>, context: Context): { readonly at: number; /** It has never said anything. */ readonly never: boolean } {
  const { name } = node.metadata;
  const lease = context.read(Lease).get(`${leaseNamespace}/${name}`);
  const ready = node.status.conditions?.find(({ type, reason }) => type === "Ready" && reason !== "NodeStatusUnknown" && reason !== "NodeStatusNeverUpdated");
  const sign = `${lease?.spec.renewTime ?? ""} ${ready?.lastHeartbeatTime ?? ""} ${ready?.status ?? ""}`;
  const known = heard.get(name);
  const never = ready === undefined && lease === undefined && readiness(node) === undefined;
  if (known?.sign === sign) return { at: known.at, never };
  // An agent that is known to be gone does not come to life because we have just started.
  const at = context.clock.monotonic() - (known === undefined && readiness(node) === "Unknown" ? context.settings.nodeGraceMs : 0);
  heard.set(name, { sign, at });
  return { at, never };
}

/** Until when, on our monotonic clock, silence is accepted. */
function deadlineOf(node: Node, heard: Map<string, Heard>, context: Context): number {
  const { clock, settings } = context;
  const { at, never } = hear(node, heard, context);
  return never ? clock.monotonic() - clock.now() + (msOf(node.metadata.creationTimestamp) ?? 0) + settings.nodeStartupGraceMs : at + settings.nodeGraceMs;
}

/** Nobody reports for the pods of a silent node: they no longer count as ready. */
async function markPodsNotReady(node: string, context: Context): Promise<void> {
  for (const pod of context.read(Pod).by(byNode, node))
    if (isPodReady(pod)) {
      const { reason = "", message = "" } = pod.status.conditions?.find(({ type }) => type === "Ready") ?? {};
      const marked = withPodCondition(pod, "Ready", "False", reason, message, context.clock.now());
      await context.ifThere(context.updateStatus(Pod, marked));
      context.events.event(pod, "Warning", "NodeNotReady", "Node is not ready");
    }
}

/** Whether the node may get the taint that throws pods off it: one node at a time in each zone, none when all seem down. */
function mayEvict(node: Node, next: Map<string, number>, context: Context): { readonly mode: "add" | "keep" | "remove"; readonly waitMs?: number } {
  if (readiness(node) === "True") return { mode: "remove" };
  const zones = planZones(context.read(Node).list(), context.settings);
  if (zones.allDown) return { mode: "remove" };
  // A node that is tainted already changes from one reason to the other without waiting its turn.
  if (isEvicting(node)) return { mode: "add" };
  if (readiness(node) === undefined) return { mode: "keep" };
  const zone = zoneOf(node);
  const rate = zones.rates.get(zone) ?? 0;
  if (rate <= 0) return { mode: "keep" };
  const now = context.clock.monotonic();
  const at = next.get(zone) ?? now;
  if (now < at) return { mode: "keep", waitMs: at - now };
  next.set(zone, now + 1000 / rate);
  return { mode: "add" };
}

/** The labels that old manifests select nodes by follow the current ones. */
function planLabels({ metadata: { labels = {} } }: Node): { readonly [name: string]: string } | undefined {
  const pairs = [["kubernetes.io/os", "beta.kubernetes.io/os"], ["kubernetes.io/arch", "beta.kubernetes.io/arch"]] as const;
  const changed = pairs.filter(([from, to]) => labels[from] !== undefined && labels[from] !== labels[to]);
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map(([from, to]) => [to, labels[from]!]));
}
