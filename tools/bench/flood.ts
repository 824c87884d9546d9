/** The flooding side of the fairness bench, in a thread of its own: each account keeps so many requests open; three of five are lists, one patches, one opens a watch. */
import { parentPort, workerData } from "node:worker_threads";
import { LoadClient, type Answer } from "./http.ts";

const { server, ca, tokens, perAccount } = workerData as { readonly server: string; readonly ca: string; readonly tokens: readonly string[]; readonly perAccount: number };
const counts: { [status: string]: number } = {};
let ended = false;

async function flood(client: LoadClient, i: number): Promise<void> {
  while (!ended) {
    const { status, retryAfter } = await once(client, i % 5);
    counts[status] = (counts[status] ?? 0) + 1;
    if (status === 429 && retryAfter === undefined) counts["bare"] = (counts["bare"] ?? 0) + 1;
    // What upstream's clients do with Retry-After, but twenty times as fast.
    if (status === 429) await new Promise(resolve => setTimeout(resolve, 50));
  }
}

async function once(client: LoadClient, what: number): Promise<Answer> {
  if (what < 3) return client.request("GET", "/api/v1/pods");
  if (what === 3) return client.request("PATCH", "/api/v1/namespaces/flood/configmaps/hot", Buffer.from(JSON.stringify({ data: { at: String(Math.random()) } })), false, "application/merge-patch+json");
  return client.request("GET", "/api/v1/namespaces/flood/configmaps?watch=1&timeoutSeconds=1");
}

parentPort!.once("message", () => {
  ended = true;
  parentPort!.postMessage(counts);
});
const clients = await Promise.all(tokens.map(token => LoadClient.open({ server, ca: Buffer.from(ca) }, 1, { authorization: `Bearer ${token}` })));
for (const client of clients) for (let i = 0; i < perAccount; i++) flood(client, i).catch(() => { counts["failed"] = (counts["failed"] ?? 0) + 1; });
parentPort!.postMessage("started");
