/** Answers on services' health-check node ports: one small HTTP server for each. */
import { createServer, type Server } from "node:http";
import { messageOf, type Log } from "../base/log.ts";
import { healthAnswer, type HealthCheck } from "../proxy/health-checks.ts";

/** A load balancer asks seldom and briefly. */
const limits = { connections: 64, headersMs: 5_000, keepAliveMs: 15_000 } as const;

export class HealthCheckServer {
  readonly #log: Log;
  readonly #open = new Map<number, { readonly server: Server; check: HealthCheck }>();
  constructor(log: Log) {
    this.#log = log;
  }

  /** From now on exactly these are answered. */
  set(checks: readonly HealthCheck[]): void {
    const wanted = new Map(checks.map(check => [check.port, check]));
    for (const [port, { server }] of this.#open)
      if (!wanted.has(port)) {
        this.#open.delete(port);
        server.close();
        server.closeAllConnections();
      }
    for (const [port, check] of wanted) {
      const open = this.#open.get(port);
      if (open) open.check = check;
      else this.#listen(check);
    }
  }
  close(): void {
    this.set([]);
  }

  #listen(first: HealthCheck): void {
    const server = createServer({ headersTimeout: limits.headersMs, requestTimeout: limits.headersMs, keepAliveTimeout: limits.keepAliveMs }, (_request, response) => {
      const { status, headers, body } = healthAnswer(this.#open.get(first.port)?.check ?? first);
      response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) }).end(body);
    });
    server.maxConnections = limits.connections;
    server.on("error", error => {
      // Tried again with the next change: somebody else has the port now.
      this.#open.delete(first.port);
      this.#log.warn("a service's health-check node port cannot be served", { service: `${first.namespace}/${first.name}`, port: first.port, error: messageOf(error) });
    });
    this.#open.set(first.port, { server, check: first });
    server.listen(first.port);
    server.unref();
  }
}
