/**
 * Keeps the proxy's routing table equal to what the Ingresses of our classes ask for, and tells them where they are served. The proxy is
 * started with the first such Ingress and stopped after the last: who has none pays nothing.
 */
import { isApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events.ts";
import { joinKey, type Index } from "../client/informer.ts";
import type { Informers } from "../client/informers.ts";
import { Secret } from "../kinds/core/secret.ts";
import { Service } from "../kinds/core/service.ts";
import { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { Ingress } from "../kinds/networking/ingress.ts";
import { IngressClass } from "../kinds/networking/ingressclass.ts";
import { buildTable } from "./build.ts";
import { GatewayFollower, type GatewayOptions } from "./gateway/follower.ts";
import { ingressController, isOurs } from "./ingresses.ts";
import type { Listening, Table } from "./table.ts";

/** The proxy, wherever it runs: it goes on when we do not. */
export interface Proxy {
  /** Starts it if it does not run. */
  setTable(table: Table): void;
  /** There is nothing to serve. */
  stop(): void;
  /** We follow it no more; it goes on. */
  close(): void;
}
export type IngressOptions = {
  readonly client: Client;
  readonly informers: Informers;
  readonly recorder: Pick<EventRecorder, "event">;
  readonly clock: Clock;
  readonly log: Log;
  /** Where the proxy can be reached, for the Ingresses' status. */
  readonly address: string;
  /** Does not start anything yet. */
  readonly proxy: (onListening: (listening: Listening) => void) => Proxy;
  readonly decodeBase64: (text: string) => string;
  /** Gateway API, where custom resources are served. */
  readonly gateways?: Pick<GatewayOptions, "isServed" | "onServed">;
};

// A burst of changes is one table; endpoints must still follow within 100 ms.
const settleMs = 20;
const retryMs = 1_000;
// Who replaces their only Ingress keeps the proxy and its ports.
const idleMs = 10_000;
const slicesOfService: Index<EndpointSlice> = { name: "service", valuesOf: ({ metadata }) => [joinKey(metadata.namespace, metadata.labels?.["kubernetes.io/service-name"])] };

export class IngressController {
  readonly name = "ingress";
  readonly #options: IngressOptions;
  #proxy: Proxy | undefined;
  #listening: Listening | undefined;
  #sent = "";
  /** Warnings already reported, so that each is an event once. */
  #told = new Set<string>();
  #gateways: GatewayFollower | undefined;

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { client, informers, clock, log, gateways } = this.#options;
    const [ingresses, classes] = [informers.of(Ingress), informers.of(IngressClass)];
    let wake = (): void => undefined;
    let changed = true;
    const onChange = (): void => { changed = true; wake(); };
    const following = [ingresses.onChange(onChange), classes.onChange(onChange)];
    let followsAll = false;
    let isIdle = false;
    let stopIdle = (): void => undefined;
    signal.addEventListener("abort", onChange, { once: true });
    try {
      await Promise.all([ingresses.listed(signal), classes.listed(signal)]);
      await this.#ensureClasses();
      if (gateways) {
        this.#gateways = new GatewayFollower({ client, informers, now: () => clock.now(), ...gateways });
        following.push(gateways.onServed(onChange));
        await this.#gateways.ensureDefinitions();
      }
      while (!signal.aborted) {
        if (!changed) await new Promise<void>(resolve => { wake = resolve; });
        await clock.sleep(settleMs, signal);
        changed = false;
        if (signal.aborted) break;
        if (await this.#gateways?.follow(onChange, signal)) await this.#gateways?.tellClasses();
        const wanted = ingresses.list().some(ingress => isOurs(ingress, classes.list())) || this.#gateways?.isWanted() === true;
        this.#proxy ??= this.#options.proxy(listening => { this.#listening = listening; onChange(); });
        if (!wanted) {
          // Also one that a server before us has left behind.
          if (isIdle) continue;
          isIdle = true;
          stopIdle = clock.after(this.#sent === "" ? 0 : idleMs, () => { this.#proxy?.stop(); this.#sent = ""; this.#listening = undefined; });
          if (this.#sent === "") continue;
        } else if (isIdle) {
          stopIdle();
          isIdle = false;
        }
        if (!followsAll) {
          followsAll = true;
          const more = [informers.of(Service), informers.of(EndpointSlice), informers.of(Secret)] as const;
          for (const informer of more) following.push(informer.onChange(onChange));
          await Promise.all(more.map(informer => informer.listed(signal)));
        }
        await this.#update(onChange);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      log.debug("ingress stopped", { error: messageOf(error) });
    } finally {
      stopIdle();
      for (const stop of following) stop();
      this.#gateways?.close();
      this.#gateways = undefined;
      this.#proxy?.close();
      this.#proxy = undefined;
      this.#sent = "";
    }
  }

  async #update(again: () => void): Promise<void> {
    const { informers, decodeBase64, recorder, log, clock } = this.#options;
    const classes = informers.of(IngressClass).list();
    const ingresses = informers.of(Ingress).list();
    const slices = informers.of(EndpointSlice);
    const { address } = this.#options;
    const { table, warnings, gateways } = buildTable({
      ingresses, classes, gateways: this.#gateways?.objects(), listening: this.#listening, address,
      sources: {
        decodeBase64,
        service: (namespace, name) => informers.of(Service).get(joinKey(namespace, name)),
        slices: (namespace, service) => slices.by(slicesOfService, joinKey(namespace, service)),
        secret: (namespace, name) => informers.of(Secret).get(joinKey(namespace, name)),
      },
    });
    const text = JSON.stringify(table);
    if (text !== this.#sent) {
      this.#sent = text;
      this.#proxy?.setTable(table);
    }
    const told = new Set(warnings.map(({ ingress, text: warning }) => `${ingress.metadata.uid} ${warning}`));
    for (const { ingress, text: warning } of warnings) if (!this.#told.has(`${ingress.metadata.uid} ${warning}`)) recorder.event({ ...ingress, apiVersion: "networking.k8s.io/v1", kind: "Ingress" }, "Warning", "Unsupported", warning);
    for (const { gateway, warnings: lacking } of gateways?.gateways ?? [])
      for (const warning of lacking) {
        const key = `${gateway.metadata.uid} ${warning}`;
        if (!this.#told.has(key)) recorder.event({ ...gateway, apiVersion: "gateway.networking.k8s.io/v1", kind: "Gateway" } as never, "Warning", "Unsupported", warning);
        told.add(key);
      }
    this.#told = told;
    for (const ingress of ingresses)
      if (this.#listening && isOurs(ingress, classes)) await this.#tellAddress(ingress).catch(error => {
        log.debug("status not written", { ingress: ingress.metadata.name, error: messageOf(error) });
        clock.after(retryMs, again);
      });
    if (gateways) await this.#gateways?.tell(gateways, address).catch((error: unknown) => {
      log.debug("status of a gateway or route not written", { error: messageOf(error) });
      clock.after(retryMs, again);
    });
  }

  async #tellAddress(ingress: Ingress): Promise<void> {
    const wanted = this.#options.address;
    if (ingress.status.loadBalancer?.ingress?.length === 1 && ingress.status.loadBalancer.ingress[0]?.ip === wanted) return;
    await this.#options.client.updateStatus(Ingress, { ...ingress, status: { loadBalancer: { ingress: [{ ip: wanted }] } } } as Ingress);
  }

  /** Ours is the default; `nginx` is what most manifests ask for. Whoever changes or deletes them afterwards keeps their way until the next start. */
  async #ensureClasses(): Promise<void> {
    for (const [name, annotations] of [["timonier", { "ingressclass.kubernetes.io/is-default-class": "true" }], ["nginx", {}]] as const)
      try {
        await this.#options.client.create(IngressClass, { apiVersion: "networking.k8s.io/v1", kind: "IngressClass", metadata: { name, annotations }, spec: { controller: ingressController } } as never);
      } catch (error) {
        if (!isApiError(error, "AlreadyExists")) throw error;
      }
  }
}
