/** The ingress proxy's listeners: plain HTTP, and TLS with a certificate by name. It knows a routing table and nothing else of the cluster. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { ServerHttp2Session } from "node:http2";
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { createSecureContext, createServer as createTlsServer, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { hostName, type Patterns } from "../ingress/match.ts";
import type { Certificate, Listener, Listening, Table } from "../ingress/table.ts";
import { Guard } from "./https-server-guard.ts";
import { serveHttp2 } from "./https-server-h2.ts";
import { serverLimits } from "./https-server-limits.ts";
import { plainAddress } from "./https-server-peer.ts";
import { Http1Client } from "./ingress-h1.ts";
import { serveStream } from "./ingress-h2.ts";
import { IngressServer } from "./ingress-serve.ts";
import { issueCertificate, pem } from "./pki-der.ts";

export type IngressProxyOptions = {
  readonly addresses: readonly string[];
  /** Listened on too, where the machine has them. */
  readonly addressesIfThere?: readonly string[];
  /** What may be listened on for a port of the table: the first one that is free on all addresses. */
  readonly candidates: (port: number) => readonly number[];
  /** Addresses and TCP ports whose packets services take, whether or not a program listens there: not to be listened on. */
  readonly served?: () => Promise<readonly { readonly ip: string; readonly port: number }[]>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly patterns: Patterns;
  readonly access?: (line: string) => void;
  /** Told whenever where we listen has changed. */
  readonly onListening?: (listening: Listening) => void;
};
export interface IngressProxy {
  readonly listening: Listening;
  /** Resolves when the table's ports are listened on, or it is known why not. */
  setTable(table: Table): Promise<void>;
  close(graceMs: number): Promise<void>;
}

// As the API server's, but for the public: more connections, bodies that stream, and streams by which a page loads.
const limits = { ...serverLimits, connections: 20_000, connectionsPerAddress: 4_000, streams: 250, idleMs: 75_000, headerBytes: 32 * 1024, headerCount: 128 };
// A port that another program has is tried again this often.
const retryMs = 5_000;

type Open = { readonly secure: boolean; readonly port: number; readonly servers: readonly Server[]; contexts: ReadonlyMap<string, SecureContext> };

export class IngressListeners implements IngressProxy {
  readonly #options: IngressProxyOptions;
  readonly #guard: Guard;
  readonly #server: IngressServer;
  readonly #open = new Map<number, Open>();
  readonly #failed = new Map<number, string>();
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Http1Client>();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #ownCertificate: { readonly cert: string; readonly key: string };
  #table: Table = { listeners: [], backends: {}, leaving: [] };
  #changing: Promise<void> = Promise.resolve();
  #told = "";
  #retry: (() => void) | undefined;
  #isClosed = false;

  constructor(options: IngressProxyOptions) {
    const { clock, log, random, patterns, access } = options;
    this.#options = options;
    this.#guard = new Guard(clock, limits);
    this.#server = new IngressServer({ log, random, patterns, now: () => clock.now(), monotonic: () => clock.monotonic(), portOf: port => this.#open.get(port)?.port ?? port, ...(access ? { access } : {}) });
    this.#ownCertificate = ownCertificate(clock.now());
  }

  get listening(): Listening {
    return Object.fromEntries([...[...this.#open].map(([wanted, { port }]) => [wanted, port] as const), ...this.#failed]);
  }

  setTable(table: Table): Promise<void> {
    this.#table = table;
    this.#server.setTable(table);
    return (this.#changing = this.#changing.then(() => this.#follow()));
  }

  async close(graceMs: number): Promise<void> {
    this.#isClosed = true;
    this.#retry?.();
    await this.#changing;
    this.#server.isClosing = true;
    const closed = [...this.#open.values()].flatMap(({ servers }) => servers).map(server => new Promise<void>(resolve => server.close(() => resolve())));
    for (const session of this.#sessions) session.close();
    for (const client of this.#clients) client.finish();
    const stop = new AbortController();
    const emptied = new Promise<void>(resolve => {
      if (this.#sockets.size === 0) resolve();
      for (const socket of this.#sockets) socket.once("close", () => { if (this.#sockets.size === 0) resolve(); });
    });
    await Promise.race([emptied, this.#options.clock.sleep(graceMs, stop.signal).catch(() => undefined)]);
    stop.abort();
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await Promise.all(closed);
  }

  /** Opens and closes what the table asks for; one at a time. */
  async #follow(): Promise<void> {
    if (this.#isClosed) return;
    const wanted = new Map(this.#table.listeners.map(listener => [listener.port, listener]));
    for (const [port, { servers, secure }] of this.#open) {
      if (wanted.get(port)?.secure === secure) continue;
      this.#open.delete(port);
      // Connections that exist go on until they are idle for long.
      for (const server of servers) server.close();
    }
    this.#failed.clear();
    for (const listener of wanted.values()) {
      const open = this.#open.get(listener.port);
      if (open) open.contexts = contextsOf(listener.certificates, this.#options.log);
      else await this.#listen(listener);
    }
    const told = JSON.stringify(this.listening);
    if (told !== this.#told) this.#options.onListening?.(this.listening);
    this.#told = told;
    if (this.#failed.size === 0 || this.#retry) return;
    this.#retry = this.#options.clock.after(retryMs, () => {
      this.#retry = undefined;
      this.#changing = this.#changing.then(() => this.#follow());
    });
  }

  async #listen({ port, secure, certificates }: Listener): Promise<void> {
    const { addresses, addressesIfThere = [], candidates } = this.#options;
    const contexts = contextsOf(certificates, this.#options.log);
    const accept = secure ? this.#acceptTls(port, () => this.#open.get(port)?.contexts ?? contexts) : (socket: Socket, address: string) => this.#serve1(socket, port, false, address);
    try {
      const served = (await this.#options.served?.() ?? []).filter(({ ip }) => addresses.includes(ip) || addressesIfThere.includes(ip));
      const taken = new Set([...[...this.#open.values()].map(other => other.port).filter(other => other !== 0), ...served.map(each => each.port)]);
      const { port: real, servers } = await listenFirst(socket => this.#accept(socket, accept), addresses, addressesIfThere, candidates(port).filter(candidate => !taken.has(candidate)));
      this.#open.set(port, { contexts, secure, port: real, servers });
    } catch (error) {
      this.#failed.set(port, messageOf(error));
      this.#options.log.warn("cannot listen", { port, error: messageOf(error) });
    }
  }

  #accept(socket: Socket, serve: (socket: Socket, address: string) => void): void {
    const address = plainAddress(socket.remoteAddress);
    if (!this.#guard.admit(address)) return void socket.destroy();
    this.#sockets.add(socket);
    socket.on("close", () => { this.#sockets.delete(socket); this.#guard.leave(address); });
    socket.on("error", () => socket.destroy());
    serve(socket, address);
  }

  #serve1(socket: Socket, port: number, secure: boolean, address: string): void {
    const client = new Http1Client(socket, {
      server: this.#server, limits, port, secure, address,
      // gRPC clients without TLS begin like this.
      ...(secure ? {} : { http2: (taken: Socket, first: Buffer) => { this.#clients.delete(client); this.#serve2(beginningWith(first, taken), port, false, address); } }),
    });
    this.#clients.add(client);
    socket.on("close", () => this.#clients.delete(client));
  }

  #serve2(socket: Duplex, port: number, secure: boolean, address: string): void {
    const session = serveHttp2(socket, { address }, { limits, guard: this.#guard, serve: exchange => serveStream(this.#server, exchange, port, secure) });
    this.#sessions.add(session);
    session.on("close", () => this.#sessions.delete(session));
  }

  #acceptTls(port: number, contexts: () => ReadonlyMap<string, SecureContext>): (socket: Socket) => void {
    const tls = createTlsServer({
      ...this.#ownCertificate, ALPNProtocols: ["h2", "http/1.1"], minVersion: "TLSv1.2", handshakeTimeout: limits.handshakeMs, allowHalfOpen: true,
      SNICallback: (name, done) => done(null, contextFor(contexts(), hostName(name))),
    });
    tls.on("tlsClientError", (_error, socket) => socket.destroy());
    tls.on("secureConnection", (socket: TLSSocket) => {
      socket.on("error", () => socket.destroy());
      const address = plainAddress(socket.remoteAddress);
      if (socket.alpnProtocol === "h2") this.#serve2(socket, port, true, address);
      else this.#serve1(socket, port, true, address);
    });
    return socket => void tls.emit("connection", socket);
  }
}

export function startIngressProxy(options: IngressProxyOptions): IngressProxy {
  return new IngressListeners(options);
}

/** The connection as it was before its first bytes were read: an HTTP/2 session reads from the kernel itself otherwise, past them. */
function beginningWith(first: Buffer, socket: Socket): Duplex {
  const whole = new Duplex({
    read: () => { socket.resume(); },
    write: (chunk: Buffer, _encoding, done) => { if (socket.write(chunk)) done(); else socket.once("drain", () => done()); },
    final: done => { socket.end(() => done()); },
    destroy: (error, done) => { socket.destroy(); done(error); },
  });
  whole.push(first);
  socket.on("data", chunk => { if (!whole.push(chunk)) socket.pause(); });
  socket.on("end", () => whole.push(null));
  socket.on("close", () => whole.destroy());
  return whole;
}

/** By the whole name, then by wildcards (the longest first), then what is for any name. */
function contextFor(contexts: ReadonlyMap<string, SecureContext>, name: string): SecureContext | undefined {
  const exact = contexts.get(name);
  if (exact) return exact;
  for (let dot = name.indexOf("."), first = true; dot >= 0; dot = name.indexOf(".", dot + 1), first = false) {
    const context = (first ? contexts.get(`*${name.slice(dot)}`) : undefined) ?? contexts.get(`**${name.slice(dot)}`);
    if (context) return context;
  }
  return contexts.get("");
}

/** One context per host. A certificate that cannot be used leaves its hosts to our own, and is said. */
function contextsOf(certificates: readonly Certificate[], log: Log): Map<string, SecureContext> {
  const contexts = new Map<string, SecureContext>();
  for (const { hosts, cert, key } of certificates)
    try {
      const context = createSecureContext({ cert, key, minVersion: "TLSv1.2" });
      for (const host of hosts) if (!contexts.has(host)) contexts.set(host, context);
    } catch (error) {
      log.warn("a certificate cannot be used", { hosts: hosts.join(","), error: messageOf(error) });
    }
  return contexts;
}

/** For names without a certificate: the connection is encrypted, the client is warned. */
function ownCertificate(now: number): { readonly cert: string; readonly key: string } {
  const key = createPrivateKey(generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({ type: "pkcs8", format: "pem" }));
  const der = issueCertificate({ commonName: "timonier ingress: no certificate for this name", key, notBefore: now - 3_600_000, notAfter: now + 365 * 86_400_000, usage: ["server"], names: ["ingress.local"] }, { key, certificate: undefined });
  return { cert: pem("CERTIFICATE", der), key: key.export({ type: "pkcs8", format: "pem" }) as string };
}

async function listenFirst(accept: (socket: Socket) => void, addresses: readonly string[], ifThere: readonly string[], ports: readonly number[]): Promise<{ readonly port: number; readonly servers: readonly Server[] }> {
  for (const wanted of ports) {
    const servers: Server[] = [];
    let port = wanted;
    let isFree = true;
    for (const address of [...addresses, ...ifThere]) {
      const server = createNetServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, accept);
      const outcome = await listen(server, address, port);
      if (outcome === "no-address" && !addresses.includes(address)) continue;
      if (outcome !== "listens") { isFree = false; break; }
      port = (server.address() as AddressInfo).port;
      servers.push(server);
    }
    if (isFree) return { port, servers };
    for (const server of servers) server.close();
  }
  throw new Error(`none of the ports ${ports.join(", ")} is free on ${addresses.join(", ")}`);
}

function listen(server: Server, address: string, port: number): Promise<"listens" | "taken" | "no-address"> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE" || error.code === "EACCES") resolve("taken");
      else if (error.code === "EADDRNOTAVAIL" || error.code === "EAFNOSUPPORT") resolve("no-address");
      else reject(error);
    });
    server.listen({ host: address, port, backlog: 1024 }, () => resolve("listens"));
  });
}
