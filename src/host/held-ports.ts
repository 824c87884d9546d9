/**
 * Ports of the machine's own addresses that services have: held by a listening socket each, so that no other program can take one and never
 * hear of a packet, since the service rules come first. `ss` shows us as who has it. And written down beside those of the machine's other clusters,
 * because rules outlive the server that holds the sockets.
 */
import { createSocket } from "node:dgram";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { basename, dirname, join } from "node:path";
import { messageOf, type Log } from "../base/log.ts";
import { writeFileAtomic } from "./files.ts";
import { listeningPrograms } from "./listening.ts";

/** `service`: whose it is, as `namespace/name`. */
export type HeldPort = { readonly ip: string; readonly protocol: string; readonly port: number; readonly service: string };

/** In each cluster's run folder, which goes with the cluster and with a reboot, as its rules do. */
const noteName = "load-balancer-ports.json";
const missingMs = 2_000;
type Note = { readonly cluster: string; readonly ports: readonly HeldPort[] };

export class HeldPorts {
  readonly #log: Log;
  readonly #place: { readonly runFolder: string; readonly cluster: string } | undefined;
  readonly #held = new Map<string, () => void>();
  readonly #told = new Set<string>();
  #noted = "";
  #retry: NodeJS.Timeout | undefined;
  #doing: Promise<unknown> = Promise.resolve();
  /** `place`: where the ports are written down for other clusters, and as whose. */
  constructor(log: Log, place?: { readonly runFolder: string; readonly cluster: string }) {
    this.#log = log;
    this.#place = place;
  }

  /** From now on exactly these are held; SCTP ones cannot be. Resolves with those that another program has: each is told once and tried again with the next call. */
  hold(ports: readonly HeldPort[]): Promise<readonly HeldPort[]> {
    const done = this.#doing.then(() => this.#hold(ports));
    this.#doing = done.catch(() => undefined);
    return done;
  }
  async #hold(ports: readonly HeldPort[]): Promise<readonly HeldPort[]> {
    const wanted = new Map(ports.filter(({ protocol }) => protocol !== "SCTP").map(port => [nameOf(port), port]));
    for (const [name, release] of this.#held)
      if (!wanted.has(name)) {
        this.#held.delete(name);
        release();
      }
    for (const name of this.#told) if (!wanted.has(name)) this.#told.delete(name);
    const taken: HeldPort[] = [];
    let missing = false;
    for (const [name, port] of wanted) {
      if (this.#held.has(name)) continue;
      try {
        this.#held.set(name, await open(port));
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // An address that is not there yet (the agent brings the IPv6 one) has no other program either.
        if (code === "EADDRNOTAVAIL") { missing = true; continue; }
        if (code === "EADDRINUSE") taken.push(port);
        if (!this.#told.has(name)) this.#log.warn("a port that a service has cannot be kept from other programs, which would hear nothing there", { ip: port.ip, port: port.port, protocol: port.protocol, error: messageOf(error) });
        this.#told.add(name);
      }
    }
    clearTimeout(this.#retry);
    if (missing) this.#retry = setTimeout(() => { void this.hold(ports).catch((error: unknown) => this.#log.error("ports of services", { error: messageOf(error) })); }, missingMs).unref();
    await this.#note(ports.filter(port => !taken.includes(port)));
    return taken;
  }
  /** Who has a port: programs of this machine that listen, without ourselves holding it, and services of its other clusters. */
  async listening(): ReturnType<typeof listeningPrograms> {
    const [programs, others] = await Promise.all([listeningPrograms(), this.#place === undefined ? [] : portsOfClusters(dirname(this.#place.runFolder), basename(this.#place.runFolder))]);
    return (ip, protocol, port) => {
      const name = nameOf({ ip, protocol, port });
      const other = others.find(({ port: each }) => nameOf(each) === name);
      if (other !== undefined) return `Service ${other.port.service} of cluster ${other.cluster} on this machine`;
      return this.#held.has(name) ? undefined : programs(ip, protocol, port);
    };
  }

  async #note(ports: readonly HeldPort[]): Promise<void> {
    if (this.#place === undefined) return;
    const { runFolder, cluster } = this.#place;
    const text = JSON.stringify({ cluster, ports } satisfies Note);
    if (text === this.#noted || (ports.length === 0 && !existsSync(`${runFolder}/${noteName}`))) return;
    await writeFileAtomic(`${runFolder}/${noteName}`, text);
    this.#noted = text;
  }
}

/** Ports that services of this machine's clusters have, as each has written down in its run folder beneath `root`; but for those of the folder `except`. */
export async function portsOfClusters(root: string, except?: string): Promise<readonly { readonly cluster: string; readonly port: HeldPort }[]> {
  const found: { readonly cluster: string; readonly port: HeldPort }[] = [];
  for (const entry of await readdir(root, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name === except) continue;
    try {
      const { cluster, ports } = JSON.parse(await readFile(join(root, entry.name, noteName), "utf8")) as Note;
      for (const port of ports) found.push({ cluster, port });
    } catch (error) {
      // A cluster without such services, or one that goes at this moment.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw new Error(`reading ${join(root, entry.name, noteName)}`, { cause: error });
    }
  }
  return found;
}

/** Rejects where it cannot be had. */
function open({ ip, protocol, port }: HeldPort): Promise<() => void> {
  return new Promise((done, fail) => {
    if (protocol === "UDP") {
      const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
      socket.once("error", fail).bind({ address: ip, port }, () => done(() => void socket.close()));
      socket.unref();
      return;
    }
    // Before the rules are in force somebody may come: better reset than left waiting.
    const server = createServer(socket => socket.resetAndDestroy());
    server.once("error", fail).listen({ host: ip, port }, () => done(() => void server.close()));
    server.unref();
  });
}

const nameOf = ({ ip, protocol, port }: Pick<HeldPort, "ip" | "protocol" | "port">): string => `${ip} ${protocol} ${port}`;
