/**
 * `node tools/ingress-load.ts URL [COUNT] [PER_SECOND] [METHOD]` asks at a steady rate, whatever the answers take, and counts them: what a
 * rolling update must not show. `*.localhost` is this machine. Exit code 1 when an answer was not 200.
 */
import { Agent, request } from "node:http";

const connectionsMax = 64;
const timeoutMs = 30_000;

export type Counts = { readonly [answer: string]: number };
/** Resolves when all are answered; `until` ends it earlier. */
export async function steadyLoad(url: URL, count: number, perSecond: number, method = "GET", until?: AbortSignal): Promise<Counts> {
  const agent = new Agent({ keepAlive: true, maxSockets: connectionsMax });
  const counts = new Map<string, number>();
  const ask = (): Promise<void> => new Promise(resolve => {
    const done = (answer: string): void => { counts.set(answer, (counts.get(answer) ?? 0) + 1); resolve(); };
    const sent = request({ host: url.hostname.endsWith(".localhost") ? "127.0.0.1" : url.hostname, port: url.port || 80, path: url.pathname, method, headers: { host: url.host, ...(method === "GET" ? {} : { "content-length": 5 }) }, agent, timeout: timeoutMs }, response => {
      response.resume().on("end", () => done(String(response.statusCode))).on("error", error => done(error.message));
    });
    sent.on("timeout", () => sent.destroy(new Error("no answer in time"))).on("error", error => done(error.message)).end(method === "GET" ? undefined : "hello");
  });
  const began = performance.now();
  const asked: Promise<void>[] = [];
  for (let i = 0; i < count && until?.aborted !== true; i++) {
    const waitMs = began + i * 1000 / perSecond - performance.now();
    if (waitMs > 0) await new Promise(next => setTimeout(next, waitMs));
    asked.push(ask());
  }
  await Promise.all(asked);
  agent.destroy();
  return Object.fromEntries(counts);
}

if (import.meta.main) {
  const [url = "", count = "100000", perSecond = "200", method = "GET"] = process.argv.slice(2);
  const counts = await steadyLoad(new URL(url), Number(count), Number(perSecond), method);
  console.log(JSON.stringify(counts));
  process.exitCode = Object.keys(counts).join() === "200" ? 0 : 1;
}
