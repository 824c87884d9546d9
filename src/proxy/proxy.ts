/** Keeps one node's packet rules in step with the cluster's services: replaces everything at start, then changes only what changed. */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Service as Running } from "../base/supervise.ts";
import type { Informer, Index } from "../client/informer.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { healthChecks, type HealthCheck } from "./health-checks.ts";
import { changes, emptyRuleset, restored, type Remembered, type Ruleset } from "./ruleset.ts";
import { baseRules, serviceRules, type ProxySettings } from "./service-rules.ts";
import { staleAtStart, staleFlows, udpTargets, type KnownFlow, type StaleFlow, type UdpTargets } from "./stale-flows.ts";
import { servicePorts, type NodeView, type ServicePort } from "./services.ts";

/** The kernel's packet filter; `host/nft.ts`. */
export interface PacketFilter {
  /** All commands in one transaction. */
  apply(commands: readonly string[]): Promise<void>;
  /** What the dynamic sets of a table remember; nothing if there is no such table. */
  remembered(table: string): Promise<Remembered>;
  /** The UDP flows that the kernel remembers. */
  udpFlows(): Promise<readonly KnownFlow[]>;
  /** Forgets these UDP flows, which would otherwise stay with an endpoint that is gone. */
  forgetFlows(flows: readonly StaleFlow[]): Promise<void>;
}

export type ServiceProxyOptions = {
  /** This node as of now; `onNodeChange` calls back when it is another. */
  readonly node: () => NodeView;
  readonly onNodeChange?: (listener: () => void) => () => void;
  readonly settings: readonly ProxySettings[];
  readonly services: Pick<Informer<typeof Service>, "list" | "listed" | "onChange">;
  readonly slices: Pick<Informer<typeof EndpointSlice>, "by" | "listed" | "onChange">;
  readonly filter: PacketFilter;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after rules were applied, with how many service ports they serve. */
  readonly applied?: (ports: number) => void;
  /** Answers load balancers that ask for this node's endpoints. */
  readonly health?: (checks: readonly HealthCheck[]) => void;
};

/** Changes that arrive together are applied together; those that arrive while rules are being applied are gathered anyway. */
const gatherMs = 1;

const serviceOf: Index<EndpointSlice> = { name: "service", valuesOf: ({ metadata }) => [`${metadata.namespace}/${metadata.labels?.["kubernetes.io/service-name"] ?? ""}`] };

const slicesIn = (slices: ServiceProxyOptions["slices"]) => ({ metadata }: Service): readonly EndpointSlice[] => slices.by(serviceOf, `${metadata.namespace}/${metadata.name}`);

export function serviceProxy(options: ServiceProxyOptions): Running {
  return {
    name: "service proxy",
    async run(signal) {
      const { services, slices, clock } = options;
      let changed = true;
      let wake: (() => void) | undefined;
      const notice = (): void => { changed = true; wake?.(); };
      const unsubscribe = [services.onChange(notice), slices.onChange(notice), ...(options.onNodeChange === undefined ? [] : [options.onNodeChange(notice)])];
      signal.addEventListener("abort", notice, { once: true });
      try {
        await Promise.all([services.listed(signal), slices.listed(signal)]);
        const tables = options.settings.map(settings => new Table(settings, options));
        while (!signal.aborted) {
          if (!changed) await new Promise<void>(resolve => { wake = resolve; });
          await clock.sleep(gatherMs, signal);
          if (signal.aborted) return;
          changed = false;
          for (const table of tables) await table.update();
          options.health?.(healthChecks(services.list(), slicesIn(slices), options.node().name));
        }
      } finally {
        for (const stop of unsubscribe) stop();
        signal.removeEventListener("abort", notice);
      }
    },
  };
}

/** The rules of one address family, and what the kernel has of them. */
class Table {
  readonly #settings: ProxySettings;
  readonly #options: ServiceProxyOptions;
  /** Undefined: unknown, everything is replaced. */
  #loaded: Ruleset | undefined;
  /** Undefined: before the first time. */
  #udp: UdpTargets | undefined;
  /** What a service came to, as long as neither it nor its slices nor the node are others. */
  readonly #known = new WeakMap<Service, { readonly slices: readonly EndpointSlice[]; readonly node: string; readonly ports: readonly ServicePort[] }>();

  constructor(settings: ProxySettings, options: ServiceProxyOptions) {
    this.#settings = settings;
    this.#options = options;
  }
  async update(): Promise<void> {
    const { services, filter, log } = this.#options;
    const ports = services.list().flatMap(service => this.#portsOf(service));
    const local = [...new Set(ports.flatMap(port => port.localTargets.map(({ ip }) => ip)))];
    const wanted = serviceRules(ports, local, this.#settings);
    const commands = this.#loaded === undefined
      // Clients with session affinity stay with their pods although we start anew.
      ? [...baseRules(this.#settings), ...changes(this.#settings.table, emptyRuleset, wanted), ...(wanted.sets.size === 0 ? [] : restored(this.#settings.table, wanted, await filter.remembered(this.#settings.table)))]
      : changes(this.#settings.table, this.#loaded, wanted);
    if (commands.length > 0) {
      try {
        await filter.apply(commands);
      } catch (error) {
        // Somebody else may have changed our table: the next try replaces it whole.
        this.#loaded = undefined;
        log.warn("the service rules could not be changed, replacing them", { error: messageOf(error) });
        throw error;
      }
    }
    this.#loaded = wanted;
    const udp = udpTargets(ports);
    const stale = this.#udp === undefined ? staleAtStart(udp.size === 0 ? [] : await filter.udpFlows(), udp) : staleFlows(this.#udp, udp);
    this.#udp = udp;
    if (stale.length > 0) await filter.forgetFlows(stale);
    this.#options.applied?.(ports.length);
  }

  #portsOf(service: Service): readonly ServicePort[] {
    const view = this.#options.node();
    const slices = slicesIn(this.#options.slices)(service);
    const node = `${view.name} ${view.zone}`;
    const known = this.#known.get(service);
    if (known !== undefined && known.node === node && known.slices.length === slices.length && known.slices.every((slice, i) => slice === slices[i])) return known.ports;
    const ports = servicePorts([service], () => slices, view, this.#settings.family);
    this.#known.set(service, { slices, node, ports });
    return ports;
  }
}
