/** The ingress proxy on one core in front of three backends, with nginx from Debian in the same place: HTTP/1.1, kept connections, 1 KB answers, access logs on. */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { cpuSeconds } from "./cluster.ts";
import { percentile, type Row } from "./table.ts";

const backendPorts = [17_001, 17_002, 17_003];
const [ours, nginx] = [17_080, 17_081];
const connections = 32;
const fullMs = 4_000;
const halfMs = 4_000;
/** Half of the goal's load: at half of what either can carry (some 20,000/s and 30,000/s) the other core, with backends and load, is half full itself, and its queue is seen too. */
const halfOfGoal = 5_000;
/** The proxies have a core of their own; load and backends that were let onto it would wait in its queue, and it for them. */
const proxyCore = "0";
const loadCore = "1";
const request = Buffer.from("GET /page?x=1 HTTP/1.1\r\nHost: bench.localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nCookie: session=0123456789abcdef\r\n\r\n");

export async function benchIngress(runs: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), "timonier-bench-ingress-"));
  const children: ChildProcess[] = [];
  try {
    const backends = await startNginx(children, join(folder, "backends"), `access_log off; ${backendPorts.map(port => `server { listen 127.0.0.1:${port}; return 200 "${"x".repeat(996)}\nEND"; }`).join(" ")}`, backendPorts[0]!);
    const proxy = await forked(children, [String(ours), join(folder, "access.log"), ...backendPorts.map(port => `127.0.0.1:${port}`)]);
    await pin(proxy.pid ?? 0);
    for (const pid of [backends, process.pid]) await pin(pid, loadCore);
    const worker = await startNginx(children, join(folder, "nginx"), `access_log ${folder}/nginx-access.log;
  upstream backends { ${backendPorts.map(port => `server 127.0.0.1:${port};`).join(" ")} keepalive 64; keepalive_requests 100000000; }
  server { listen 127.0.0.1:${nginx}; server_name bench.localhost; location / { proxy_pass http://backends; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header Host $host;
    proxy_set_header X-Request-ID $request_id; proxy_set_header X-Real-IP $remote_addr; proxy_set_header X-Forwarded-For $remote_addr; proxy_set_header X-Forwarded-Host $host; proxy_set_header X-Forwarded-Proto $scheme; } }`, nginx);
    await pin(worker);
    const rows = { rate: [[], []], cost: [[], []], added: [[], []], most: [[], []] } as Record<"rate" | "cost" | "added" | "most", number[][]>;
    for (let run = 0; run < runs; run++) {
      for (const [i, port, pid] of [[0, ours, proxy.pid ?? 0], [1, nginx, worker]] as const) {
        const before = cpuSeconds(pid);
        const { done, seconds } = await flood(port, fullMs);
        const cpu = cpuSeconds(pid) - before;
        // On a machine with others the wall clock says how busy they are: a core's worth of requests is what the processor time allows.
        rows.rate[i]!.push(done / Math.max(cpu, 1e-3));
        rows.cost[i]!.push(cpu / done * 1e6);
        for (const [row, perSecond] of [[rows.added, halfOfGoal], [rows.most, done / seconds / 2]] as const)
          row[i]!.push(Math.max(0, percentile(await steady(port, perSecond, halfMs), 0.99) - percentile(await steady(backendPorts[0]!, perSecond, halfMs), 0.99)));
      }
    }
    return [
      { what: "requests for each second of one core", unit: "/s", runs: rows.rate[0]!, goal: "≥ 10,000", peer: peerOf(rows.rate[1]!, "/s") },
      { what: "processor time of a request", unit: "µs", runs: rows.cost[0]!, goal: "≤ 100", peer: peerOf(rows.cost[1]!, "µs") },
      { what: `added latency, p99, at ${halfOfGoal.toLocaleString("en")}/s`, unit: "ms", runs: rows.added[0]!, goal: "≤ 2", peer: peerOf(rows.added[1]!, "ms") },
      { what: "added latency, p99, at half of its own most", unit: "ms", runs: rows.most[0]!, goal: "≤ 2", peer: peerOf(rows.most[1]!, "ms") },
    ];
  } finally {
    await pin(process.pid, `0-${availableParallelism() - 1}`);
    // Not SIGKILL: nginx would leave its worker, and the port taken.
    for (const child of children) child.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

function peerOf(runs: readonly number[], unit: string): string {
  const middle = runs.toSorted((a, b) => a - b)[runs.length >> 1] ?? NaN;
  return `nginx ${middle >= 1_000 ? Math.round(middle).toLocaleString("en") : middle.toFixed(2)} ${unit}`;
}

async function forked(children: ChildProcess[], args: readonly string[]): Promise<ChildProcess> {
  const child = fork(new URL("./ingress-process.ts", import.meta.url).pathname, [...args]);
  children.push(child);
  await new Promise<void>((resolve, reject) => { child.once("message", () => resolve()); child.once("exit", code => reject(new Error(`the proxy ended with ${code}`))); });
  return child;
}

async function pin(pid: number, cores = proxyCore): Promise<void> {
  await new Promise(resolve => spawn("taskset", ["-a", "-cp", cores, String(pid)], { stdio: "ignore" }).once("exit", resolve));
}

/** nginx with these servers, once it listens on `port`; the pid of its only worker. */
async function startNginx(children: ChildProcess[], folder: string, servers: string, port: number): Promise<number> {
  mkdirSync(folder);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(name => `${name}_temp_path ${folder}/${name};`).join(" ");
  writeFileSync(join(folder, "nginx.conf"), `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http { ${temporary} keepalive_requests 100000000; ${servers} }
`);
  const child = spawn("nginx", ["-c", join(folder, "nginx.conf")], { stdio: "ignore" });
  children.push(child);
  await new Promise<void>((resolve, reject) => { child.once("spawn", resolve); child.once("error", () => reject(new Error("nginx is not here: apt-get install nginx-light, then run this again"))); });
  for (let i = 0; i < 100; i++, await wait(20)) {
    const worker = readdirSync("/proc").filter(entry => /^\d+$/.test(entry)).find(pid => { try { return new RegExp(`^PPid:\\s+${child.pid}$`, "m").test(readFileSync(`/proc/${pid}/status`, "utf8")); } catch { return false; } });
    if (worker !== undefined) return Number(worker);
  }
  throw new Error(`nginx has no worker on port ${port}; see ${folder}/error.log`);
}

class Client {
  readonly #socket: Socket;
  #done: (() => void) | undefined;
  constructor(port: number) {
    this.#socket = connect({ host: "127.0.0.1", port, noDelay: true });
    let last = "";
    this.#socket.on("data", chunk => {
      last = (last + chunk.toString("latin1", Math.max(0, chunk.length - 4))).slice(-4);
      if (last !== "\nEND") return;
      const done = this.#done;
      this.#done = undefined;
      done?.();
    });
    this.#socket.on("error", error => { throw new Error(`the connection to port ${port} broke`, { cause: error }); });
  }
  ask(done: () => void): void {
    this.#done = done;
    this.#socket.write(request);
  }
  close(): void { this.#socket.removeAllListeners("error").on("error", () => undefined).destroy(); }
}

/** As many as it takes. */
async function flood(port: number, ms: number): Promise<{ readonly done: number; readonly seconds: number }> {
  const clients = Array.from({ length: connections }, () => new Client(port));
  const began = performance.now();
  let done = 0;
  await Promise.all(clients.map(client => new Promise<void>(resolve => {
    const next = (): void => {
      if (performance.now() - began > ms) return resolve();
      client.ask(() => { done++; next(); });
    };
    next();
  })));
  const seconds = (performance.now() - began) / 1_000;
  for (const client of clients) client.close();
  return { done, seconds };
}

/** `perSecond`, whatever the answers take; how long each took in ms, sorted. */
async function steady(port: number, perSecond: number, ms: number): Promise<readonly number[]> {
  const clients = Array.from({ length: 4 * connections }, () => new Client(port));
  const times: number[] = [];
  const began = performance.now();
  // Whose turn it was longest ago asks next; nothing is made for a request but its timer: the collector's pauses would be counted as the proxy's.
  const free = [...clients];
  for (let sent = 0; performance.now() - began < ms; await wait(1)) {
    for (const due = (performance.now() - began) / 1_000 * perSecond; sent < due; sent++) {
      const client = free.shift();
      if (!client) break;
      const at = performance.now();
      client.ask(() => {
        times.push(performance.now() - at);
        free.push(client);
      });
    }
  }
  await wait(50);
  for (const client of clients) client.close();
  return times.sort((a, b) => a - b);
}
