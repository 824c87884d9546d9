/**
 * The HTTPS server: one TLS listener, and by what the client chose (ALPN) HTTP/2 or HTTP/1.1 behind it. It reads requests within limits,
 * works out who the peer is, and writes whatever the handler answers. It knows nothing of Kubernetes but the form of an error.
 */
import type { ServerHttp2Session } from "node:http2";
import { createServer as createNetServer, type AddressInfo, type Server, type Socket } from "node:net";
import { constants } from "node:crypto";
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from "node:tls";
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { json, type Peer } from "../api/http.ts";
import type { Exchange, Forward, Handler } from "./https-server-exchange.ts";
import { Guard } from "./https-server-guard.ts";
import { createHttp1 } from "./https-server-h1.ts";
import { serveHttp2 } from "./https-server-h2.ts";
import { serverLimits, type ServerLimits } from "./https-server-limits.ts";
import { authoritiesOf, isLoopback, peerOf, plainAddress, type Authorities } from "./https-server-peer.ts";
import { Responder } from "./https-server-respond.ts";

/** All PEM. `clientCa` may be a bundle; without `frontProxyCa` nobody may speak for others. */
export type ServerCredentials = { readonly cert: string; readonly key: string; readonly clientCa: string; readonly frontProxyCa?: string };

export type HttpsServerOptions = {
  /** Where to listen; one port for all addresses. 0 picks a free one. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly credentials: ServerCredentials;
  readonly handler: Handler;
  /** Carries out `forward` answers; without it they are refused. */
  readonly forward?: Forward;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits?: Partial<ServerLimits>;
};

export interface HttpsServer {
  readonly port: number;
  /** One address more, on the same port. */
  listenOn(address: string): Promise<void>;
  /** Connections made from now on see the new certificates; those that exist stay. */
  setCredentials(credentials: ServerCredentials): void;
  readonly connections: number;
  /** Takes no new connection or stream, ends long answers, lets the others finish for `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

/** Resolves when every address listens. Rejects with one line that says what to do when the port is taken. */
export async function startHttpsServer(options: HttpsServerOptions): Promise<HttpsServer> {
  const limits = { ...serverLimits, ...options.limits };
  const guard = new Guard(options.clock, limits);
  const responder = new Responder(limits);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  const peers = new WeakMap<TLSSocket, Peer>();
  let authorities = authoritiesOf(options.credentials.clientCa, options.credentials.frontProxyCa);
  let closing = false;

  const serve = (exchange: Exchange): void => { void carryOut(exchange, options, responder); };
  const http1 = createHttp1({ limits, serve, peer: socket => peers.get(socket) ?? { address: plainAddress(socket.remoteAddress) } });
  const tls = createTlsServer({ ...tlsOptions(options.credentials), handshakeTimeout: limits.handshakeMs, ALPNProtocols: ["h2", "http/1.1"], requestCert: true, rejectUnauthorized: false });
  tls.on("secureConnection", socket => {
    const peer = peerOf(socket, authorities);
    // Everybody on this machine shares loopback: there a ban spares those who proved who they are.
    if (closing || (isLoopback(peer.address) && !peer.certificate && guard.isBanned(peer.address))) return void socket.destroy();
    peers.set(socket, peer);
    if (socket.alpnProtocol !== "h2") return void http1.emit("connection", socket);
    const session = serveHttp2(socket, peer, { limits, guard, serve });
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  // Port scanners, clients that do not trust us, handshakes that time out: theirs to report, not ours.
  tls.on("tlsClientError", (error, socket) => { options.log.debug("TLS handshake failed", { error: messageOf(error) }); socket.destroy(); });

  const accept = (socket: Socket): void => {
    const address = plainAddress(socket.remoteAddress);
    if (closing || !guard.admit(address)) return void socket.destroy();
    sockets.add(socket);
    socket.on("close", () => { sockets.delete(socket); guard.leave(address); });
    socket.on("error", () => socket.destroy());
    socket.setNoDelay(true);
    // A peer that vanished without a word is noticed; watches of dead nodes would pile up otherwise.
    socket.setKeepAlive(true, 30_000);
    tls.emit("connection", socket);
  };

  const listeners: Server[] = [];
  let port = options.port;
  try {
    for (const address of options.addresses) {
      const listener = createNetServer({ pauseOnConnect: false }, accept);
      listeners.push(listener);
      port = await listen(listener, address, port);
    }
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }

  return {
    port,
    get connections(): number { return guard.connections; },
    async listenOn(address) {
      const listener = createNetServer({ pauseOnConnect: false }, accept);
      await listen(listener, address, port);
      listeners.push(listener);
    },
    setCredentials(credentials) {
      const next: Authorities = authoritiesOf(credentials.clientCa, credentials.frontProxyCa);
      tls.setSecureContext(tlsOptions(credentials));
      authorities = next;
    },
    async close(graceMs) {
      closing = true;
      const stopped = listeners.map(listener => new Promise<void>(resolve => listener.close(() => resolve())));
      responder.stop();
      for (const session of sessions) session.close();
      http1.closeIdleConnections();
      const emptied = new Promise<void>(resolve => {
        if (sockets.size === 0) return resolve();
        for (const socket of sockets) socket.on("close", () => { if (sockets.size === 0) resolve(); });
      });
      await withinMs(graceMs, emptied);
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      http1.close();
      await Promise.all(stopped);
    },
  };
}

/** Asks the handler and writes its answer. The only place where an unexpected failure becomes a 500. */
async function carryOut(exchange: Exchange, options: HttpsServerOptions, responder: Responder): Promise<void> {
  let begun = false;
  try {
    const response = await options.handler(exchange.request);
    if (exchange.destroyed) return;
    begun = true;
    if (response.content.type === "takeover") {
      if (!exchange.upgraded) throw new Error("only a connection that asked for an upgrade can be taken over");
      await response.content.run(exchange.upgraded);
    } else if (response.content.type === "writable") {
      const out = exchange.begin(response.status, response.headers);
      await response.content.run(out, exchange.request.signal);
      out.end();
    } else if (response.status === 101) throw new Error("101 is for taking over or forwarding");
    else if (response.content.type !== "forward") await responder.respond(exchange, { ...response, content: response.content });
    else if (options.forward) await options.forward(exchange, { ...response, content: response.content }).finally(response.content.done);
    else throw new Error("this server does not forward");
  } catch (error) {
    if (exchange.destroyed || exchange.request.signal.aborted) return;
    options.log.error("request failed", { method: exchange.request.method, path: exchange.request.target.split("?")[0], error: messageOf(error) });
    // Half an answer cannot be taken back: cutting it tells the client that it is not whole.
    if (begun) return exchange.destroy();
    const told = error instanceof ApiError ? error : new ApiError("InternalError", "Internal error occurred: the request could not be handled");
    await responder.respond(exchange, json(told.code, told.status())).catch(() => exchange.destroy());
  }
}

function tlsOptions(credentials: ServerCredentials): TlsOptions {
  return {
    cert: credentials.cert, key: credentials.key,
    ca: [credentials.clientCa, ...(credentials.frontProxyCa === undefined ? [] : [credentials.frontProxyCa])],
    minVersion: "TLSv1.2",
    // TLS 1.3's suites, and of 1.2 only those with forward secrecy and authenticated encryption.
    ciphers: "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305",
    // No resumption: a session must not outlive the authority or the certificate that it was opened with.
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION,
  };
}

function listen(listener: Server, address: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    listener.once("error", (error: NodeJS.ErrnoException) => reject(error.code === "EADDRINUSE"
      ? new Error(`port ${port} of ${address} is taken by another program: stop it, or choose another port`, { cause: error })
      : new Error(`cannot listen on ${address}, port ${port}`, { cause: error })));
    listener.listen({ host: address, port, backlog: 1024 }, () => resolve((listener.address() as AddressInfo).port));
  });
}

/** Waits for `promise`, but no longer than `ms`. */
async function withinMs(ms: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([promise, new Promise<void>(resolve => { timer = setTimeout(resolve, ms); })]);
  clearTimeout(timer);
}
