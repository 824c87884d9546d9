/** Keeps one node's network policies in the packet filter: replaced whole at the start, then changed by what changed. */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { supervise, type Service as Running } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import { Informer } from "../client/informer.ts";
import type { Node } from "../kinds/core/node.ts";
import { Namespace } from "../kinds/core/namespace.ts";
import { Pod } from "../kinds/core/pod.ts";
import { NetworkPolicy } from "../kinds/networking/networkpolicy.ts";
import { internalIPs } from "./routes.ts";
import { nameServer, policyPod, type PolicyPod } from "./policy-match.ts";
import { policyBase, policyRules } from "./policy-rules.ts";
import type { PacketFilter } from "./proxy.ts";
import type { Family } from "./services.ts";
import { changes, emptyRuleset, type Ruleset } from "./ruleset.ts";

/** One address family. */
export type PolicyTable = { readonly family: Family; /** `ip name` or `ip6 name`. */ readonly name: string; /** The name server's address on the node. */ readonly dns?: string };
type Options = { readonly client: Client; readonly nodeName: string; readonly tables: readonly PolicyTable[]; readonly filter: PacketFilter; readonly clock: Clock; readonly log: Log; /** Of a node that is not the machine itself: its name, what its packets to other nodes' pods come from, and its addresses on the links, which are those of what it only passes on. */
  readonly machine?: { readonly nodes: Informer<typeof Node>; readonly name: string; readonly own: string; readonly links: readonly string[] } };
const gatherMs = 5;
const retryMs = 200;
const restartMaxMs = 5_000;
/** A pod waits no longer for policies that cannot be learnt: without the API nobody could say more later. */
const admitMs = 10_000;

export class PolicyEnforcer implements Running {
  readonly name = "network policies";
  readonly #options: Options;
  readonly #policies: Informer<typeof NetworkPolicy>;
  readonly #namespaces: Informer<typeof Namespace>;
  readonly #pods: Informer<typeof Pod>;
  /** Pods of this node that were announced before the API shows their addresses. */
  readonly #announced = new Map<string, readonly PolicyPod[]>();
  readonly #life = new AbortController();
  #watching = false;
  #loaded: readonly Ruleset[] | undefined;
  #changed = true;
  #machineWas = "";
  #wake: () => void = () => undefined;
  #waiting: (() => void)[] = [];
  constructor(options: Options) {
    this.#options = options;
    this.#policies = new Informer(NetworkPolicy, options.client);
    this.#namespaces = new Informer(Namespace, options.client);
    this.#pods = new Informer(Pod, options.client);
    options.machine?.nodes.onChange(() => { if (this.#machine().join() !== this.#machineWas) this.#notice(); });
    for (const informer of [this.#policies, this.#namespaces, this.#pods]) informer.onChange(() => this.#notice());
  }

  async run(signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#options;
    const end = (): void => {
      this.#life.abort();
      this.#wake();
    };
    signal.addEventListener("abort", end, { once: true });
    this.#watch(this.#policies);
    await this.#policies.listed(signal);
    while (!signal.aborted) {
      if (!this.#changed) await new Promise<void>(resolve => { this.#wake = resolve; });
      await clock.sleep(gatherMs, signal);
      if (signal.aborted) return;
      this.#changed = false;
      const served = this.#waiting.splice(0);
      try {
        await this.#update();
      } catch (error) {
        this.#waiting.push(...served);
        this.#loaded = undefined;
        log.warn("the network policies could not be applied, replacing them", { error: messageOf(error) });
        this.#changed = true;
        await clock.sleep(retryMs, signal);
        continue;
      }
      for (const done of served) done();
    }
  }

  /** Resolves when the rules for this new pod are in force: call it before anything of the pod runs. */
  async admit(pod: Pod, ips: readonly string[]): Promise<void> {
    if (ips.length === 0 || pod.spec.hostNetwork) return;
    this.#announced.set(pod.metadata.uid ?? "", ips.map(ip => policyPod(pod, ip, true)));
    if (this.#policies.revision >= 0 && !this.#policies.list().some(({ metadata }) => metadata.namespace === pod.metadata.namespace)) return;
    const applied = new Promise<void>(resolve => this.#waiting.push(resolve));
    this.#notice();
    await Promise.race([applied, this.#options.clock.sleep(admitMs, this.#life.signal)]);
  }

  /** The pod's address may go to another one from now on. */
  release(podUID: string): void {
    if (this.#announced.delete(podUID)) this.#notice();
  }

  /** The machine's addresses; none on the machine, where what it sends itself is not judged anyway. */
  #machine(): readonly string[] {
    const { machine } = this.#options;
    return machine === undefined ? [] : [...internalIPs(machine.nodes.get(machine.name)).filter(ip => !machine.links.includes(ip)), machine.own];
  }
  #notice(): void {
    this.#changed = true;
    this.#wake();
  }
  #watch(informer: Informer<typeof NetworkPolicy> | Informer<typeof Namespace> | Informer<typeof Pod>): void {
    const { clock, log } = this.#options;
    void supervise(informer as Running, { clock, log, maxWaitMs: restartMaxMs }, this.#life.signal);
  }

  async #update(): Promise<void> {
    const { tables, filter, nodeName } = this.#options;
    const policies = this.#policies.list();
    // Pods and namespaces are watched only where a policy asks for them: most clusters have none.
    if (policies.length > 0 && !this.#watching) {
      this.#watching = true;
      this.#watch(this.#namespaces);
      this.#watch(this.#pods);
    }
    if (policies.length > 0) await Promise.all([this.#namespaces.listed(this.#life.signal), this.#pods.listed(this.#life.signal)]);
    const known = new Map(this.#pods.list().flatMap(pod => {
      const ips = pod.status.podIPs?.map(({ ip }) => ip) ?? [];
      const ended = pod.status.phase === "Succeeded" || pod.status.phase === "Failed";
      return ips.length === 0 || pod.spec.hostNetwork || ended ? [] : [[pod.metadata.uid ?? "", ips.map(ip => policyPod(pod, ip, pod.spec.nodeName === nodeName))] as const];
    }));
    for (const uid of this.#announced.keys()) if (known.has(uid)) this.#announced.delete(uid);
    const pods = [...new Map([...this.#announced, ...known]).values()].flat();
    const namespaces = new Map(this.#namespaces.list().map(({ metadata }) => [metadata.name ?? "", metadata.labels ?? {}]));
    const machine = this.#machine();
    this.#machineWas = machine.join();
    const loaded = tables.map(({ family, dns }) => policyRules({ policies, namespaces, machine, pods: [...pods, ...(dns === undefined ? [] : [nameServer(dns)])] }, family));
    // Both families change in one transaction.
    const commands = tables.flatMap(({ name, family, dns }, i) => {
      const before = this.#loaded?.[i];
      return before === undefined ? [...policyBase(name, dns, family), ...changes(name, emptyRuleset, loaded[i]!)] : changes(name, before, loaded[i]!);
    });
    if (commands.length > 0) await filter.apply(commands);
    this.#loaded = loaded;
  }
}
