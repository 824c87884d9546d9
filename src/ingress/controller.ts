/**
 * Keeps the proxy's routing table equal to what the Ingresses of our classes ask for, and tells them where they are served. The proxy is
 * started with the first such Ingress: who has none pays nothing.
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
import { buildTable, ingressController, isOurs, type Table } from "./routes.ts";

export type Ports = { readonly http: number; readonly https: number };
/** The proxy, wherever it runs. */
export interface Proxy {
  setTable(table: Table): void;
  /** Rejects when it cannot listen. */
  readonly listening: Promise<Ports>;
  /** Resolves when it is gone. */
  readonly ended: Promise<void>;
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
  readonly startProxy: () => Proxy;
  readonly decodeBase64: (text: string) => string;
};

// A burst of changes is one table; endpoints must still follow within 100 ms.
const settleMs = 20;
const retryMs = 1_000;
const slicesOfService: Index<EndpointSlice> = { name: "service", valuesOf: ({ metadata }) => [joinKey(metadata.namespace, metadata.labels?.["kubernetes.io/service-name"])] };

export class IngressController {
  readonly name = "ingress";
  readonly #options: IngressOptions;
  #proxy: { readonly proxy: Proxy; ports: Ports | undefined } | undefined;
  #sent = "";
  /** Warnings already reported, so that each is an event once. */
  #told = new Set<string>();

  constructor(options: IngressOptions) {
    this.#options = options;
  }

  async run(signal: AbortSignal): Promise<void> {
    const { informers, clock, log } = this.#options;
    const [ingresses, classes] = [informers.of(Ingress), informers.of(IngressClass)];
    let wake = (): void => undefined;
    let changed = true;
    const onChange = (): void => { changed = true; wake(); };
    const following = [ingresses.onChange(onChange), classes.onChange(onChange)];
    let followsAll = false;
    signal.addEventListener("abort", onChange, { once: true });
    try {
      await Promise.all([ingresses.listed(signal), classes.listed(signal)]);
      await this.#ensureClasses();
      while (!signal.aborted) {
        if (!changed) await new Promise<void>(resolve => { wake = resolve; });
        await clock.sleep(settleMs, signal);
        changed = false;
        if (signal.aborted) break;
        const wanted = ingresses.list().some(ingress => isOurs(ingress, classes.list()));
        if (!wanted && !this.#proxy) continue;
        if (!followsAll) {
          followsAll = true;
          const more = [informers.of(Service), informers.of(EndpointSlice), informers.of(Secret)] as const;
          for (const informer of more) following.push(informer.onChange(onChange));
          await Promise.all(more.map(informer => informer.listed(signal)));
        }
        if (!this.#proxy) this.#start(onChange);
        await this.#update(onChange);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
      log.debug("ingress stopped", { error: messageOf(error) });
    } finally {
      for (const stop of following) stop();
      this.#proxy?.proxy.close();
      this.#proxy = undefined;
    }
  }

  #start(onChange: () => void): void {
    const { startProxy, log, clock } = this.#options;
    const running: { readonly proxy: Proxy; ports: Ports | undefined } = { proxy: startProxy(), ports: undefined };
    this.#proxy = running;
    this.#sent = "";
    running.proxy.listening.then(ports => {
      running.ports = ports;
      log.info("ingress proxy listens", ports);
      onChange();
    }, error => log.error("the ingress proxy cannot listen", { error: messageOf(error) }));
    void running.proxy.ended.then(() => {
      if (this.#proxy !== running) return;
      log.warn("the ingress proxy has ended, starting it again");
      clock.after(500, () => { if (this.#proxy === running) { this.#proxy = undefined; onChange(); } });
    });
  }

  async #update(again: () => void): Promise<void> {
    const { informers, decodeBase64, recorder, log, clock } = this.#options;
    const classes = informers.of(IngressClass).list();
    const ingresses = informers.of(Ingress).list();
    const slices = informers.of(EndpointSlice);
    const { table, warnings } = buildTable({
      ingresses, classes, decodeBase64,
      service: (namespace, name) => informers.of(Service).get(joinKey(namespace, name)),
      slices: (namespace, service) => slices.by(slicesOfService, joinKey(namespace, service)),
      secret: (namespace, name) => informers.of(Secret).get(joinKey(namespace, name)),
    });
    const text = JSON.stringify(table);
    if (text !== this.#sent) {
      this.#sent = text;
      this.#proxy?.proxy.setTable(table);
    }
    const told = new Set(warnings.map(({ ingress, text: warning }) => `${ingress.metadata.uid} ${warning}`));
    for (const { ingress, text: warning } of warnings) if (!this.#told.has(`${ingress.metadata.uid} ${warning}`)) recorder.event({ ...ingress, apiVersion: "networking.k8s.io/v1", kind: "Ingress" }, "Warning", "Unsupported", warning);
    this.#told = told;
    for (const ingress of ingresses)
      if (this.#proxy?.ports && isOurs(ingress, classes)) await this.#tellAddress(ingress).catch(error => {
        log.debug("status not written", { ingress: ingress.metadata.name, error: messageOf(error) });
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
