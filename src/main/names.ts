/**
 * The node's name server. An agent that starts binds it before the rest of the agent is loaded, and answers from what the agent before it knew, so that pods
 * wait for a process and not for lists; what is not in there waits for the lists.
 */
import { readFile } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Cluster } from "../cli/machine.ts";
import type { Informer } from "../client/informer.ts";
import { clusterView, NotKnownYet } from "../dns/cluster-view.ts";
import type { ClusterView } from "../dns/cluster-zone.ts";
import { Resolver } from "../dns/resolver.ts";
import { concernsNames, snapshotOf, snapshotView, type Snapshot } from "../dns/snapshot.ts";
import { systemClock } from "../host/clock.ts";
import { startDnsServer, systemNameservers, upstreamForward, type DnsServer } from "../host/dns-server.ts";
import { writeFileAtomic } from "../host/files.ts";
import { lineLog } from "../host/log.ts";
import { standardOutput } from "../host/log-output.ts";
import { addLoopbackAddress } from "../host/pod-network.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import { clusterDNS, clusterDomain, isLoopback, linkGateway, nodePlace, type NodePlace } from "./node-settings.ts";
import { clusterAsKept } from "./present-cluster.ts";

const dnsPort = 53;
const ttlSeconds = 5;
/** A change is written down this much later, and writing takes at most a fiftieth of the time. It lies in the run folder: with a reboot it is gone, as pods are. */
const noteMs = 200;
const noteShare = 50;
const noteOf = ({ runFolder }: NodePlace): string => `${runFolder}/names.json`;
const nothing: Snapshot = { format: 1, revision: 0, services: [], slices: [] };

export type Copies = { readonly services: Informer<typeof Service>; readonly slices: Informer<typeof EndpointSlice> };
export type NameServer = {
  /** From now on answers come from these copies, as soon as they are complete; runs until `signal` aborts, then ends the server. */
  follow(copies: Copies, signal: AbortSignal): Promise<void>;
};

/** As the very first thing of an agent's start. `undefined`: it could not be; the agent tries again when it runs. */
export async function beginNames(dataFolder: string, node: string | undefined): Promise<NameServer | undefined> {
  const log = lineLog(standardOutput(), "info");
  try {
    const cluster = await clusterAsKept(dataFolder);
    return await startNames(cluster, nodePlace(cluster, node), { clock: systemClock(), log, path: process.env["PATH"] ?? "" });
  } catch (error) {
    log.warn("names are not answered before the agent runs", { error: messageOf(error) });
    return undefined;
  }
}

/** Binds the cluster's name server address on this node. Rejects when that cannot be. */
export async function startNames(cluster: Cluster, place: NodePlace, { clock, log, path }: { readonly clock: Clock; readonly log: Log; readonly path: string }): Promise<NameServer> {
  const address = clusterDNS(cluster);
  const [snapshot, servers] = await Promise.all([readNote(noteOf(place), log), systemNameservers([address])]);
  let become = (): void => undefined;
  const known = new Promise<void>(resolve => { become = resolve; });
  const before = snapshotView(snapshot, () => { throw new NotKnownYet(known); });
  let live: { readonly copies: Copies; readonly view: ClusterView } | undefined;
  const isKnown = ({ copies }: NonNullable<typeof live>): boolean => copies.services.revision >= 0 && copies.slices.revision >= 0;
  const current = (): ClusterView => (live !== undefined && isKnown(live) ? live.view : before);
  // A name server on the machine's loopback is out of a box's reach: the machine's agent relays (member-services.ts).
  const upstream = place.boxed && servers.length > 0 && servers.every(isLoopback) ? [linkGateway(cluster, 0)] : servers;
  const resolver = new Resolver({
    view: {
      service: (...asked) => current().service(...asked), slices: (...asked) => current().slices(...asked), hasServices: namespace => current().hasServices(namespace),
      servicesByAddress: ip => current().servicesByAddress(ip), podExists: (...asked) => current().podExists(...asked), denying: () => current().denying?.(),
    },
    clock, log: log.child("dns"), forward: upstreamForward(upstream),
    settings: { domain: clusterDomain, ttl: ttlSeconds, serial: () => Math.max(0, live?.copies.services.revision ?? snapshot.revision) % 2 ** 31 },
  });
  const server = await bind(resolver, address, path, log);
  return {
    follow: async (copies, signal) => {
      live = { copies, view: clusterView(copies.services, copies.slices, () => undefined) };
      void Promise.all([copies.services.listed(signal), copies.slices.listed(signal)]).then(become);
      try {
        await keepNote(copies, noteOf(place), { clock, log }, signal);
      } finally {
        await server.close();
      }
    },
  };
}

/** The address stays when an agent dies; only a node that has never had it must be given it. */
async function bind(resolver: Resolver, address: string, path: string, log: Log): Promise<DnsServer> {
  try {
    return await startDnsServer(resolver, [address], dnsPort, log.child("dns"));
  } catch (error) {
    if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== "EADDRNOTAVAIL") throw error;
    await addLoopbackAddress(address, path);
    return startDnsServer(resolver, [address], dnsPort, log.child("dns"));
  }
}

async function readNote(path: string, log: Log): Promise<Snapshot> {
  try {
    const note = JSON.parse(await readFile(path, "utf8")) as Snapshot;
    return note.format === nothing.format ? note : nothing;
  } catch (error) {
    // A torn or foreign note is none: everything waits for the lists then.
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") log.warn("what names were known cannot be read", { path, error: messageOf(error) });
    return nothing;
  }
}

/** Until `signal` aborts. */
async function keepNote({ services, slices }: Copies, path: string, { clock, log }: { readonly clock: Clock; readonly log: Log }, signal: AbortSignal): Promise<void> {
  let [changed, last, waitMs] = [true, "", noteMs];
  let wake = (): void => undefined;
  const notice = (): void => { changed = true; wake(); };
  const stops = [services.onChange(notice), slices.onChange(({ object, previous }) => { if (concernsNames(object, services) || (previous !== undefined && concernsNames(previous, services))) notice(); })];
  signal.addEventListener("abort", notice, { once: true });
  try {
    await Promise.all([services.listed(signal), slices.listed(signal)]);
    while (!signal.aborted) {
      if (!changed) await new Promise<void>(resolve => { wake = resolve; });
      await clock.sleep(waitMs, signal);
      if (signal.aborted) return;
      changed = false;
      const began = clock.monotonic();
      const text = JSON.stringify(snapshotOf(services, slices, services.revision));
      if (text !== last)
        try {
          await writeFileAtomic(path, text);
          last = text;
        } catch (error) {
          // Without it the next agent has to list first.
          log.warn("what names are known cannot be written down", { path, error: messageOf(error) });
        }
      waitMs = Math.max(noteMs, (clock.monotonic() - began) * noteShare);
    }
  } finally {
    for (const stop of stops) stop();
    signal.removeEventListener("abort", notice);
  }
}
