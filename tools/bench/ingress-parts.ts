/** The other processes of `bench ingress`: `backends PORT…` answer 1,000 bytes to everything, `proxy PORT LOG BACKEND…` is the ingress proxy in front of them. */
import { createServer } from "node:net";
import { AuditFile } from "../../src/host/audit-file.ts";
import { systemClock } from "../../src/host/clock.ts";
import { startIngressProxy } from "../../src/host/ingress-proxy.ts";
import { lineLog } from "../../src/host/log.ts";
import { defaultOptions } from "../../src/ingress/annotations.ts";

const [mode, first = "", ...rest] = process.argv.slice(2);
const ready = (): void => void process.send?.("ready");
if (mode === "backends") {
  const body = `${"x".repeat(996)}\nEND`;
  const answer = Buffer.from(`HTTP/1.1 200 OK\r\nServer: bench\r\nDate: Fri, 20 Nov 2026 12:00:00 GMT\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
  await Promise.all([first, ...rest].map(port => new Promise<void>(resolve => {
    createServer({ noDelay: true }, socket => {
      socket.on("error", () => socket.destroy());
      socket.on("data", () => socket.write(answer));
    }).listen(Number(port), "127.0.0.1", resolve);
  })));
  ready();
} else {
  const [log = "", ...backends] = rest;
  const clock = systemClock();
  const access = new AuditFile({ path: log, what: "access log", log: lineLog(line => void process.stderr.write(line), "warn"), now: () => clock.now() });
  const nothing = () => () => undefined;
  const proxy = startIngressProxy({
    addresses: ["127.0.0.1"], candidates: () => [Number(first)], clock, random: Math.random, log: lineLog(line => void process.stderr.write(line), "warn"),
    patterns: { path: nothing, whole: nothing }, access: line => access.append(line),
  });
  const hosts = [{ host: "bench.localhost", tls: false, routes: [{ type: "Prefix", path: "/", owner: "default/bench", backends: [{ backend: "b", weight: 1 }], options: defaultOptions }] }] as const;
  await proxy.setTable({ listeners: [{ port: 80, secure: false, hosts, certificates: [], names: [] }], backends: { b: backends }, leaving: [] });
  ready();
}
