/**
 * Ports of the machine's own addresses that services have: held by a listening socket each, so that no other program can take one and never
 * hear of a packet, since the service rules come first. `ss` shows us as who has it.
 */
import { createSocket } from "node:dgram";
import { createServer } from "node:net";
import { messageOf, type Log } from "../base/log.ts";
import { listeningPrograms } from "./listening.ts";

export type HeldPort = { readonly ip: string; readonly protocol: string; readonly port: number };

export class HeldPorts {
  readonly #log: Log;
  readonly #held = new Map<string, () => void>();
  readonly #told = new Set<string>();
  constructor(log: Log) {
    this.#log = log;
  }

  /** From now on exactly these are held; SCTP ones cannot be. A port that somebody has taken meanwhile stays with the service's rules, is told once and tried again with the next change. */
  hold(ports: readonly HeldPort[]): void {
    const wanted = new Map(ports.filter(({ protocol }) => protocol !== "SCTP").map(port => [nameOf(port), port]));
    for (const [name, release] of this.#held)
      if (!wanted.has(name)) {
        this.#held.delete(name);
        release();
      }
    for (const name of this.#told) if (!wanted.has(name)) this.#told.delete(name);
    for (const [name, port] of wanted) if (!this.#held.has(name)) this.#held.set(name, this.#open(port));
  }
  /** Programs of this machine that listen, without ourselves holding a port. */
  async listening(): ReturnType<typeof listeningPrograms> {
    const programs = await listeningPrograms();
    return (ip, protocol, port) => (this.#held.has(nameOf({ ip, protocol, port })) ? undefined : programs(ip, protocol, port));
  }

  #open({ ip, protocol, port }: HeldPort): () => void {
    const name = nameOf({ ip, protocol, port });
    const failed = (error: unknown): void => {
      this.#held.delete(name);
      if (!this.#told.has(name)) this.#log.warn("a port that a service has cannot be kept from other programs, which would hear nothing there", { ip, port, protocol, error: messageOf(error) });
      this.#told.add(name);
    };
    if (protocol === "UDP") {
      const socket = createSocket(ip.includes(":") ? "udp6" : "udp4");
      let bound = false;
      socket.on("error", failed).bind({ address: ip, port }, () => { bound = true; });
      socket.unref();
      return () => { if (bound) socket.close(); else socket.once("listening", () => socket.close()); };
    }
    // Before the rules are in force somebody may come: better reset than left waiting.
    const server = createServer(socket => socket.resetAndDestroy());
    server.on("error", failed).listen({ host: ip, port });
    server.unref();
    return () => { server.close(); };
  }
}

const nameOf = ({ ip, protocol, port }: HeldPort): string => `${ip} ${protocol} ${port}`;
