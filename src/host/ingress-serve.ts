/** What the connections of an ingress proxy share: the router, connections to backends, the access log. */
import { createHash, randomBytes } from "node:crypto";
import type { Duplex } from "node:stream";
import { InFlight } from "../base/in-flight.ts";
import type { Log } from "../base/log.ts";
import type { Patterns } from "../ingress/match.ts";
import { Router, type Asked } from "../ingress/router.ts";
import type { Table } from "../ingress/table.ts";
import { BackendPool } from "./ingress-backend.ts";
import { GrpcBackends } from "./ingress-grpc.ts";
import { Mirrors } from "./ingress-mirror.ts";
import type { Means, Transfer } from "./ingress-transfer.ts";

export type ServeOptions = {
  readonly log: Log;
  readonly random: () => number;
  readonly patterns: Patterns;
  /** One line for each request. */
  readonly access?: (line: string) => void;
  /** Milliseconds: of day, and monotonic. */
  readonly now: () => number;
  readonly monotonic: () => number;
  readonly portOf: (port: number) => number;
};
export type Served = { readonly status: number; readonly asked: Asked; readonly target: string; readonly owner: string | undefined; readonly beganAt: number };

const aboutsMax = 1_000;

export class IngressServer implements Means {
  readonly router: Router;
  readonly pool: BackendPool;
  readonly mirrors: Mirrors;
  readonly grpc = new GrpcBackends();
  /** Requests under way. */
  readonly transfers = new InFlight<Transfer>();
  /** No connection is kept for another request any more. */
  isClosing = false;
  readonly #options: ServeOptions;
  readonly #idPrefix = randomBytes(8).toString("hex");
  #idCount = 0;
  #date = "";
  #dateAt = 0;
  #abouts = new Map<string, string>();
  readonly #joined = new Set<Duplex>();

  constructor(options: ServeOptions) {
    this.#options = options;
    this.router = new Router({
      patterns: options.patterns, random: options.random, now: options.monotonic, portOf: options.portOf,
      digest: text => createHash("sha256").update(text).digest("hex").slice(0, 32), warn: text => options.log.warn(text),
    });
    this.pool = new BackendPool(options.monotonic);
    this.mirrors = new Mirrors(this.router, this.pool, options.random);
  }

  setTable(table: Table): void {
    this.router.setTable(table);
    const endpoints = this.router.endpoints();
    this.pool.keepOnly(endpoints);
    this.grpc.keepOnly(endpoints);
    this.#abouts.clear();
    const present = this.router.present();
    for (const transfer of this.transfers.all()) transfer.endpointsChanged(endpoints, present);
  }

  close(): void {
    this.pool.close();
    this.grpc.close();
    for (const socket of this.#joined) socket.destroy();
  }

  now(): number { return this.#options.monotonic(); }
  requestId = (): string => this.#idPrefix + (++this.#idCount).toString(16).padStart(16, "0");

  /** The time of day as HTTP writes it, worked out once a second. */
  date(): string {
    const now = this.#options.now();
    if (now - this.#dateAt >= 1_000 || this.#date === "") { this.#dateAt = now; this.#date = new Date(now).toUTCString(); }
    return this.#date;
  }

  /** The lines that tell a backend about the client. */
  about(address: string, secure: boolean, host: string): string {
    const key = `${address} ${secure} ${host}`;
    let lines = this.#abouts.get(key);
    if (lines === undefined) {
      const scheme = secure ? "https" : "http";
      lines = `X-Real-IP: ${address}\r\nX-Forwarded-For: ${address}\r\nX-Forwarded-Host: ${host}\r\nX-Forwarded-Port: ${secure ? "443" : "80"}\r\nX-Forwarded-Proto: ${scheme}\r\nX-Forwarded-Scheme: ${scheme}\r\nX-Scheme: ${scheme}\r\n`;
      if (this.#abouts.size >= aboutsMax) this.#abouts.clear();
      this.#abouts.set(key, lines);
    }
    return lines;
  }

  log({ status, asked, target, owner, beganAt }: Served): void {
    const { access, now, monotonic } = this.#options;
    if (!access) return;
    const tookMs = monotonic() - beganAt;
    access(JSON.stringify({ time: new Date(now() - tookMs).toISOString(), client: asked.address, host: asked.host, method: asked.method, target, status, ms: Math.round(tookMs), route: owner }));
  }

  joined(client: Duplex, backend: Duplex): void {
    for (const socket of [client, backend]) {
      this.#joined.add(socket);
      socket.on("close", () => this.#joined.delete(socket));
    }
  }
}
