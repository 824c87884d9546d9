/** The Node object and its Lease: registered at the start, renewed while we live (upstream: kubelet_node_status.go, component-helpers lease). */
import { isApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { sameJson, type Json } from "../base/json.ts";
import { messageOf, type Log } from "../base/log.ts";
import { compareQuantities } from "../base/quantity.ts";
import { microTimeOf } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { Lease } from "../kinds/coordination/lease.ts";
import { Node, type NodeStatus } from "../kinds/core/node.ts";
import { isExtended } from "../kinds/core/resourcerules.ts";
import { labelsOf, nodeStatus, type Health, type MachineFacts, type NodeIdentity } from "./machine.ts";
import type { ContainerRuntime } from "./runtime.ts";

export const renewMs = 10_000;
export const leaseSeconds = 40;
const leaseNamespace = "kube-node-lease";
/** An unchanged status is written this often all the same. */
export const statusMs = 300_000;
const retryFirstMs = 100;
const retryMaxMs = 7_000;

type Options = {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Log;
  readonly runtime: ContainerRuntime;
  readonly identity: NodeIdentity;
  readonly facts: () => Promise<MachineFacts>;
  readonly podCIDRs: readonly string[];
  readonly problems: () => readonly string[];
  readonly pressures: () => ReadonlySet<string>;
  readonly tell: (node: Node, type: "Normal" | "Warning", reason: string, message: string) => void;
};

export class Heartbeat {
  readonly name = "heartbeat";
  readonly #options: Options;
  #node: Node | undefined;
  #lease: Lease | undefined;
  #written: NodeStatus | undefined;
  #writtenAt = -Infinity;
  constructor(options: Options) {
    this.#options = options;
  }
  get node(): Node | undefined {
    return this.#node;
  }

  /** Reads the Node anew: its labels are others' to change, and nobody tells us. */
  async refresh(): Promise<void> {
    this.#node = await this.#options.client.get(Node, "", this.#options.identity.name);
  }

  /** Makes the Node object, or takes over the one that is there; tries until it is done. */
  async register(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    for (let wait = retryFirstMs; !signal.aborted; wait = Math.min(wait * 2, retryMaxMs))
      try {
        await this.#register();
        await this.renew();
        return;
      } catch (error) {
        log.warn("the node could not be registered", { error: messageOf(error), waitMs: wait });
        await clock.sleep(wait, signal);
      }
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(renewMs, signal);
      if (signal.aborted) return;
      try {
        await this.renew();
        await this.report();
      } catch (error) {
        log.warn("a heartbeat failed", { error: messageOf(error) });
      }
    }
  }

  /** Writes the status if it has changed, is old, or is no longer what the API server has: who had not heard of us for a while calls the node Unknown. */
  async report(): Promise<void> {
    await this.refresh();
    await this.#write();
  }

  async #write(): Promise<void> {
    const { client, clock, identity } = this.#options;
    const before = this.#node;
    const wanted = await this.#status(before);
    const due = clock.monotonic() - this.#writtenAt >= statusMs;
    if (!due && this.#written && sameJson(quiet(this.#written), quiet(wanted)) && holds(before, wanted)) return;
    this.#node = await client.patch(Node, "", identity.name, { type: "strategic", body: { status: statusPatch(wanted, before) } }, { subresource: "status" });
    this.#written = wanted;
    this.#writtenAt = clock.monotonic();
    this.#announce(before, this.#node);
  }

  async #register(): Promise<void> {
    const { client, clock, identity, podCIDRs, facts, tell } = this.#options;
    const machine = await facts();
    const labels = labelsOf(identity, machine);
    const status = await this.#status(undefined);
    try {
      this.#node = await client.create(Node, {
        metadata: { name: identity.name, labels, annotations: { "volumes.kubernetes.io/controller-managed-attach-detach": "true" } },
        spec: podCIDRs[0] === undefined ? {} : { podCIDR: podCIDRs[0], podCIDRs }, status,
      });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      const existing = await client.get(Node, "", identity.name);
      const missing = Object.fromEntries(Object.entries(labels).filter(([key, value]) => existing.metadata.labels?.[key] !== value));
      this.#node = Object.keys(missing).length === 0 ? existing : await client.patch(Node, "", identity.name, { type: "strategic", body: { metadata: { labels: missing } } });
    }
    tell(this.#node, "Normal", "Starting", "Starting kubelet.");
    this.#writtenAt = clock.monotonic() - statusMs;
    await this.#write();
  }

  async #status(previous: Node | undefined): Promise<NodeStatus> {
    const { runtime, identity, facts, problems, pressures, clock } = this.#options;
    const health: Health = await runtime.conditions().then(conditions => ({ runtime: conditions, problems: problems(), pressures: pressures() }), (error: unknown) => ({ runtime: [], problems: [...problems(), `container runtime is down: ${messageOf(error)}`], pressures: pressures() }));
    const version = await runtime.version().then(({ name, version }) => `${name}://${version}`, () => previous?.status.nodeInfo?.containerRuntimeVersion ?? "");
    const images = await runtime.images().catch(() => []); // a runtime that is down has said so above
    return nodeStatus(identity, await facts(), health, version, images, previous, clock.now());
  }

  #announce(before: Node | undefined, after: Node): void {
    const statusOf = (node: Node | undefined, type: string): string | undefined => node?.status.conditions?.find(condition => condition.type === type)?.status;
    const words = [["MemoryPressure", "NodeHasInsufficientMemory", "NodeHasSufficientMemory"], ["DiskPressure", "NodeHasDiskPressure", "NodeHasNoDiskPressure"], ["PIDPressure", "NodeHasInsufficientPID", "NodeHasSufficientPID"], ["Ready", "NodeReady", "NodeNotReady"]] as const;
    for (const [type, yes, no] of words) {
      const now = statusOf(after, type);
      if (now === statusOf(before, type)) continue;
      const reason = now === "True" ? yes : no;
      this.#options.tell(after, "Normal", reason, `Node ${after.metadata.name} status is now: ${reason}`);
    }
  }

  /** Writes the Lease anew; rejects when the API server takes no writes of ours. */
  async renew(): Promise<void> {
    const { client, clock, identity } = this.#options;
    const renewTime = microTimeOf(clock.now());
    if (this.#lease)
      try {
        this.#lease = await client.update(Lease, { ...this.#lease, spec: { ...this.#lease.spec, renewTime } });
        return;
      } catch (error) {
        if (!isApiError(error, "Conflict") && !isApiError(error, "NotFound")) throw error;
        this.#lease = undefined;
      }
    const uid = this.#node?.metadata.uid;
    const spec = { holderIdentity: identity.name, leaseDurationSeconds: leaseSeconds, renewTime };
    try {
      this.#lease = await client.create(Lease, {
        metadata: { name: identity.name, namespace: leaseNamespace, ...(uid !== undefined && { ownerReferences: [{ apiVersion: "v1", kind: "Node", name: identity.name, uid }] }) }, spec,
      });
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
      const existing = await client.get(Lease, leaseNamespace, identity.name);
      this.#lease = await client.update(Lease, { ...existing, spec: { ...existing.spec, ...spec } });
    }
  }
}

/** Without the times that change by themselves. */
function quiet(status: NodeStatus): unknown {
  return { ...status, conditions: verdicts(status) };
}
const verdicts = ({ conditions = [] }: NodeStatus): readonly (readonly [string, ...unknown[]])[] => conditions.map(({ type, status, reason, message }) => [type, status, reason, message]);

/** Whether what others may write of ours is still there: conditions, and the resources of `allocatable`. */
function holds(node: Node | undefined, wanted: NodeStatus): boolean {
  if (node === undefined) return false;
  const stored = new Map(verdicts(node.status).map(verdict => [verdict[0], verdict]));
  const { allocatable = {} } = node.status;
  return verdicts(wanted).every(verdict => sameJson(stored.get(verdict[0]), verdict)) && withdrawn(node, wanted).length === 0
    && Object.entries(wanted.allocatable ?? {}).every(([name, amount]) => allocatable[name] !== undefined && compareQuantities(allocatable[name], amount) === 0);
}
/** Extended resources that the node no longer has the capacity of. */
function withdrawn(node: Node | undefined, { allocatable: wanted = {} }: NodeStatus): readonly string[] {
  return Object.keys(node?.status.allocatable ?? {}).filter(name => isExtended(name) && wanted[name] === undefined);
}
/** Addresses and images are ours as a whole; conditions, capacity and allocatable are merged key by key. */
function statusPatch(status: NodeStatus, before: Node | undefined): Json {
  const gone = Object.fromEntries(withdrawn(before, status).map(name => [name, null]));
  return { ...(status as unknown as { readonly [field: string]: Json }), allocatable: { ...status.allocatable, ...gone }, addresses: [{ $patch: "replace" }, ...((status.addresses ?? []) as readonly Json[])] };
}
