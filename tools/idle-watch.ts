/**
 * P09: `node tools/idle-watch.ts [MINUTES] [WRITES_PER_SECOND]` keeps watches open that nothing happens on, while the cluster writes other things. Each must be told at
 * least every minute how far it is, and from every such version a watch must begin: at once, and when the client comes back four minutes later. Exit code 1 when not.
 */
import { setTimeout as wait } from "node:timers/promises";
import { startCluster } from "./bench/cluster.ts";
import { LoadClient } from "./bench/http.ts";

const [minutes = 60, perSecond = 5] = process.argv.slice(2).map(Number);
const apartMsMax = 60_000;
const awayMs = 4 * 60_000;
const path = "/api/v1/namespaces/default/secrets";
const initial = "&sendInitialEvents=true&resourceVersionMatch=NotOlderThan";
const form = (as: string): string => `application/json;as=${as};v=v1;g=meta.k8s.io`;
/** What is asked for, and with which Accept. */
const watches: readonly (readonly [string, string, string])[] = [
  ["one namespace", path, "application/json"], ["everywhere", "/api/v1/secrets?", "application/json"], ["a label nobody has", `${path}?labelSelector=app%3Dnone`, "application/json"],
  ["one name", `${path}?fieldSelector=metadata.name%3Dnone`, "application/json"], ["as tables", path, form("Table")], ["metadata", path, form("PartialObjectMetadata")], ["with initial events", `${path}?${initial}`, "application/json"],
];

const cluster = startCluster();
const problems: string[] = [];
let bookmarks = 0, resumes = 0, longestMs = 0;
const clients: LoadClient[] = [];
try {
  const client = await LoadClient.open(cluster.credentials, 1);
  clients.push(client);
  const ask = async (target: string): Promise<any> => JSON.parse((await client.request("GET", target, undefined, true)).body.toString());
  const revision = (await ask(path)).metadata.resourceVersion as string;
  const began = performance.now(), until = began + minutes * 60_000;
  const busy = new Set<Promise<void>>();

  /** A watch from there begins, and goes on. */
  const resume = async (name: string, target: string, version: string): Promise<void> => {
    const { status, body } = await client.request("GET", `${target}&resourceVersion=${version}&timeoutSeconds=1`, undefined, true);
    resumes++;
    const events = body.toString().split("\n").filter(line => line !== "").map(line => JSON.parse(line) as { readonly type: string });
    if (status !== 200 || events.some(({ type }) => type !== "BOOKMARK")) problems.push(`${name}: from ${version}: ${status} ${body.toString().slice(0, 300)}`);
  };

  const follow = async ([name, given, accept]: typeof watches[number]): Promise<() => void> => {
    const reader = await LoadClient.open(cluster.credentials, 1, { accept });
    clients.push(reader);
    const target = `${given}${given.includes("?") ? "&" : "?"}watch=1&allowWatchBookmarks=true`;
    const first = given.includes(initial);
    let rest = "", last = performance.now(), before = 0, ended = !first;
    reader.watch(`${target}&timeoutSeconds=36000${first ? "" : `&resourceVersion=${revision}`}`, bytes => {
      const lines = (rest + bytes.toString()).split("\n");
      rest = lines.pop()!;
      for (const line of lines) {
        const { type, object } = JSON.parse(line) as { readonly type: string; readonly object: any };
        if (!ended && type === "ADDED") continue;
        if (type !== "BOOKMARK") {
          problems.push(`${name}: ${line.slice(0, 300)}`);
          continue;
        }
        if (!ended && object.metadata.annotations?.["k8s.io/initial-events-end"] !== "true") problems.push(`${name}: the first bookmark does not end the initial events`);
        ended = true;
        const version = object.metadata.resourceVersion as string;
        if (Number(version) < before) problems.push(`${name}: ${version} after ${before}`);
        before = Number(version);
        bookmarks++;
        longestMs = Math.max(longestMs, performance.now() - last);
        if (performance.now() - last > apartMsMax) problems.push(`${name}: ${(performance.now() - last).toFixed(0)} ms without a bookmark`);
        last = performance.now();
        const bare = target.replace(initial, "");
        const twice: Promise<void> = resume(name, bare, version).then(() => wait(Math.min(awayMs, Math.max(0, until - performance.now())))).then(() => resume(name, bare, version)).catch((error: unknown) => void problems.push(`${name}: ${String(error)}`)).finally(() => busy.delete(twice));
        busy.add(twice);
      }
    });
    return () => {
      if (!ended) problems.push(`${name}: the initial events never ended`);
      longestMs = Math.max(longestMs, performance.now() - last);
      if (performance.now() - last > apartMsMax) problems.push(`${name}: ${(performance.now() - last).toFixed(0)} ms without a bookmark at the end`);
    };
  };

  const checks = await Promise.all(watches.map(follow));
  const body = (n: number): Buffer => Buffer.from(JSON.stringify({ metadata: { name: "turn" }, data: { n: String(n) } }));
  const other = "/api/v1/namespaces/default/configmaps";
  await client.request("POST", other, body(0));
  for (let n = 1, told = 0; performance.now() < until; n++) {
    if (perSecond > 0) await client.request("PUT", `${other}/turn`, body(n));
    await wait(perSecond > 0 ? 1000 / perSecond : 1000);
    const minute = Math.floor((performance.now() - began) / 60_000);
    if (minute % 5 === 0 && minute > told) console.log(`${(told = minute)} minutes: ${bookmarks} bookmarks, ${resumes} resumes, ${problems.length} problems`);
  }
  for (const check of checks) check();
  await Promise.all(busy);
  console.log(`${watches.length} idle watches for ${minutes} minutes beside ${perSecond} writes/s: ${bookmarks} bookmarks, never more than ${(longestMs / 1000).toFixed(2)} s apart; ${resumes} watches from their versions; ${problems.length} problems`);
  for (const problem of problems.slice(0, 20)) console.log(problem);
} finally {
  for (const client of clients) client.close();
  cluster.stop();
}
process.exitCode = problems.length > 0 ? 1 : 0;
