/** The ingress proxy of `bench ingress`, as a process: `PORT LOG BACKEND…`. */
import { AuditFile } from "../../src/host/audit-file.ts";
import { systemClock } from "../../src/host/clock.ts";
import { startIngressProxy } from "../../src/host/ingress-proxy.ts";
import { lineLog } from "../../src/host/log.ts";
import { defaultOptions } from "../../src/ingress/annotations.ts";

const [port = "", log = "", ...backends] = process.argv.slice(2);
const clock = systemClock();
const access = new AuditFile({ path: log, what: "access log", log: lineLog(line => void process.stderr.write(line), "warn"), now: () => clock.now() });
const nothing = () => () => undefined;
const proxy = startIngressProxy({
  addresses: ["127.0.0.1"], candidates: () => [Number(port)], clock, random: Math.random, log: lineLog(line => void process.stderr.write(line), "warn"),
  patterns: { path: nothing, whole: nothing }, access: line => access.append(line),
});
const hosts = [{ host: "bench.localhost", tls: false, routes: [{ type: "Prefix", path: "/", owner: "default/bench", backends: [{ backend: "b", weight: 1 }], options: defaultOptions }] }] as const;
await proxy.setTable({ listeners: [{ port: 80, secure: false, hosts, certificates: [], names: [] }], backends: { b: backends }, leaving: [] });
process.send?.("ready");
