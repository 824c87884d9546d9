import { timeOf, microTimeOf } from "../../src/base/time.ts";
import { loop, type Controller } from "../../src/controllers/controller.ts";
import { Lease } from "../../src/kinds/coordination/lease.ts";
import { Node } from "../../src/kinds/core/node.ts";
import { Pod } from "../../src/kinds/core/pod.ts";
import type { Cluster } from "./cluster.ts";

export type NodeOptions = { readonly cpu?: string; readonly memory?: string; readonly pods?: string; readonly startMs?: number; readonly stopMs?: number; /** While it returns true the node is cut off. */ readonly silent?: () => boolean; /** How a pod that does not run for ever ends. */ readonly ends?: (pod: Pod) => "Succeeded" | "Failed" | undefined };

/** A node whose pods are state machines: they start after a while, and end after a while once deleted. */
export function runNode(cluster: Cluster, name: string, options: NodeOptions = {}): void {
  const { startMs = 100, stopMs = 100, silent = () => false } = options;
  const random = cluster.random.fork();
  let address = 1;
  cluster.process(name, async life => {
    const world = cluster.world(name, life);
    const { client, clock } = world;
    void beat(cluster, name, options, life, client, clock);
    await loop(kubelet(name, () => random.next() * startMs, () => random.next() * stopMs, silent, options.ends ?? (() => undefined), () => `10.${name.replace(/\D/g, "") || "0"}.${address >> 8}.${address++ & 255}`))(world).run(life);
  });
}

async function beat(cluster: Cluster, name: string, options: NodeOptions, life: AbortSignal, client: ReturnType<Cluster["client"]>, clock: Cluster["clock"] | import("../../src/base/clock.ts").Clock): Promise<void> {
  const resources = { cpu: options.cpu ?? "8", memory: options.memory ?? "16Gi", pods: options.pods ?? "110", "ephemeral-storage": "100Gi" };
  while (!life.aborted) {
    let wait = 10_000;
    if (options.silent?.() === true) wait = 1_000;
    else
      try {
        const now = clock.now();
        const ready = { type: "Ready", status: "True", reason: "KubeletReady", message: "kubelet is posting ready status", lastHeartbeatTime: timeOf(now), lastTransitionTime: timeOf(now) };
        const node = cluster.all(Node).find(node => node.metadata.name === name);
        if (node === undefined)
          await client.create(Node, { metadata: { name, labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64" } }, status: { capacity: resources, allocatable: resources, conditions: [ready] } } as never);
        else if (node.status.conditions?.find(({ type }) => type === "Ready")?.status !== "True")
          await client.updateStatus(Node, { ...node, status: { ...node.status, conditions: [...(node.status.conditions ?? []).filter(({ type }) => type !== "Ready"), ready] } } as Node);
        const lease = cluster.all(Lease).find(lease => lease.metadata.name === name);
        const spec = { holderIdentity: name, leaseDurationSeconds: 40, renewTime: microTimeOf(now) };
        if (lease === undefined) await client.create(Lease, { metadata: { name, namespace: "kube-node-lease" }, spec } as never);
        else await client.update(Lease, { ...lease, spec: { ...lease.spec, ...spec } });
      } catch (error) {
        cluster.trace(`${name}  heartbeat failed: ${(error as Error).message.slice(0, 40)}`);
        wait = 1_000;
      }
    await clock.sleep(wait, life);
  }
}

function kubelet(node: string, startMs: () => number, stopMs: () => number, silent: () => boolean, ends: NonNullable<NodeOptions["ends"]>, address: () => string): Controller {
  const due = new Map<string, number>();
  return {
    name: "kubelet", account: "kubelet", component: "kubelet", reconciles: Pod, watches: [],
    async reconcile(key, context) {
      const pod = context.read(Pod).get(key);
      if (pod === undefined || pod.spec.nodeName !== node) return undefined;
      if (silent()) return { after: 1_000 };
      const { clock } = context;
      const wait = (what: string, ms: () => number): number => {
        const id = `${what} ${pod.metadata.uid}`;
        const at = due.get(id) ?? clock.monotonic() + ms();
        due.set(id, at);
        return at - clock.monotonic();
      };
      const now = timeOf(clock.now());
      const condition = (type: string, status: string): object => ({ type, status, lastTransitionTime: now });
      if (pod.metadata.deletionTimestamp !== undefined) {
        const left = wait("stop", stopMs);
        if (left > 0) return { after: left };
        await context.delete(Pod, pod, { gracePeriodSeconds: 0 });
      } else if (pod.status.phase === "Pending") {
        const left = wait("start", startMs);
        if (left > 0) return { after: left };
        const ip = address();
        await context.updateStatus(Pod, {
          ...pod,
          status: { ...pod.status, phase: "Running", podIP: ip, podIPs: [{ ip }], startTime: now, conditions: [...(pod.status.conditions ?? []).filter(({ type }) => type === "PodScheduled"), condition("Initialized", "True"), condition("ContainersReady", "True"), condition("Ready", "True")] },
        } as Pod);
      }
      const end = pod.status.phase === "Running" && pod.metadata.deletionTimestamp === undefined ? ends(pod) : undefined;
      if (end !== undefined) {
        const left = wait("run", startMs);
        if (left > 0) return { after: left };
        await context.updateStatus(Pod, { ...pod, status: { ...pod.status, phase: end, conditions: (pod.status.conditions ?? []).map(each => (each.type === "Ready" || each.type === "ContainersReady" ? { ...each, status: "False" } : each)), containerStatuses: [{ name: "c", image: "i", imageID: "", ready: false, restartCount: 0, state: { terminated: { exitCode: end === "Failed" ? 1 : 0, finishedAt: now } } }] } } as unknown as Pod);
      }
      return undefined;
    },
  };
}
