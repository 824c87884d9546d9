/** The ingress proxy's listeners: plain HTTP, and TLS with a certificate by name. It knows a routing table and nothing else of the cluster. */
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import type { ServerHttp2Session } from "node:http2";
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";
import { createSecureContext, createServer as createTlsServer, type SecureContext, type TLSSocket } from "node:tls";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { CompilePattern } from "../ingress/match.ts";
import type { Certificate, Table } from "../ingress/routes.ts";
import { hostName } from "../ingress/match.ts";
import { Guard } from "./https-server-guard.ts";
import { createHttp1 } from "./https-server-h1.ts";
import { serveHttp2 } from "./https-server-h2.ts";
import { serverLimits } from "./https-server-limits.ts";
import { plainAddress } from "./https-server-peer.ts";
import { IngressServer } from "./ingress-serve.ts";
import { issueCertificate, pem } from "./pki-der.ts";

export type IngressProxyOptions = {
  readonly addresses: readonly string[];
  /** Tried in order until one is free on all addresses. */
  readonly httpPorts: readonly number[];
  readonly httpsPorts: readonly number[];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly compile: CompilePattern;
  readonly access?: (line: string) => void;
};
export interface IngressProxy {
  readonly httpPort: number;
  readonly httpsPort: number;
  setTable(table: Table): void;
  close(graceMs: number): Promise<void>;
}

// As the API server's, but for the public: more connections, bodies that stream, and streams by which a page loads.
const limits = { ...serverLimits, connections: 20_000, connectionsPerAddress: 4_000, streams: 250, idleMs: 75_000, headerBytes: 32 * 1024, headerCount: 128 };

export async function startIngressProxy(options: IngressProxyOptions): Promise<IngressProxy> {
  const { clock, log } = options;
  const guard = new Guard(clock, limits);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  let httpsPort = 443;
  const server = new IngressServer({ log, random: options.random, compile: options.compile, now: () => clock.now(), httpsPort: () => httpsPort, ...(options.access ? { access: options.access } : {}) });
  const peer = (socket: Socket) => ({ address: plainAddress(socket.remoteAddress) });
  const plain = createHttp1({ limits, peer, serve: exchange => void server.serve(exchange, false) });
  const secure = createHttp1({ limits, peer, serve: exchange => void server.serve(exchange, true) });

  let contexts = new Map<string, SecureContext>();
  const fallback = ownCertificate(clock.now());
  const tls = createTlsServer({
    ...fallback, ALPNProtocols: ["h2", "http/1.1"], minVersion: "TLSv1.2", handshakeTimeout: limits.handshakeMs,
    SNICallback: (name, done) => {
      const host = hostName(name);
      done(null, contexts.get(host) ?? contexts.get(`*${host.slice(Math.max(host.indexOf("."), 0))}`) ?? contexts.get(""));
    },
  });
  tls.on("tlsClientError", (_error, socket) => socket.destroy());
  tls.on("secureConnection", (socket: TLSSocket) => {
    if (socket.alpnProtocol !== "h2") return void secure.emit("connection", socket);
    const session = serveHttp2(socket, peer(socket), { limits, guard, serve: exchange => void server.serve(exchange, true) });
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });

  const accept = (to: { emit(event: "connection", socket: Socket): boolean }) => (socket: Socket): void => {
    const address = plainAddress(socket.remoteAddress);
    if (!guard.admit(address)) return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => { sockets.delete(socket); guard.leave(address); });
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true).setKeepAlive(true, 60_000);
    to.emit("connection", socket);
  };
  const http = await listenFirst(accept(plain), options.addresses, options.httpPorts);
  const https = await listenFirst(accept(tls), options.addresses, options.httpsPorts);
  const httpPort = http.port;
  httpsPort = https.port;

  return {
    httpPort, httpsPort,
    setTable(table) {
      contexts = contextsOf(table.certificates, log);
      server.setTable(table);
    },
    async close(graceMs) {
      const closed = [...http.servers, ...https.servers].map(listener => new Promise<void>(resolve => listener.close(() => resolve())));
      for (const session of sessions) session.close();
      for (const one of [plain, secure]) one.closeIdleConnections();
      const stop = new AbortController();
      await Promise.race([Promise.all(closed), clock.sleep(graceMs, stop.signal)]);
      stop.abort();
      for (const socket of sockets) socket.destroy();
      server.close();
      for (const one of [plain, secure]) one.close();
      await Promise.all(closed);
    },
  };
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

async function listenFirst(accept: (socket: Socket) => void, addresses: readonly string[], ports: readonly number[]): Promise<{ readonly port: number; readonly servers: readonly Server[] }> {
  for (const wanted of ports) {
    const servers: Server[] = [];
    let port = wanted;
    for (const address of addresses) {
      const server = createNetServer(accept);
      const free = await new Promise<boolean>((resolve, reject) => {
        server.once("error", (error: NodeJS.ErrnoException) => error.code === "EADDRINUSE" || error.code === "EACCES" ? resolve(false) : reject(error));
        server.listen({ host: address, port, backlog: 1024 }, () => resolve(true));
      });
      if (!free) break;
      port = (server.address() as AddressInfo).port;
      servers.push(server);
    }
    if (servers.length === addresses.length) return { port, servers };
    for (const server of servers) server.close();
  }
  throw new Error(`none of the ports ${ports.join(", ")} is free on ${addresses.join(", ")}`);
}
