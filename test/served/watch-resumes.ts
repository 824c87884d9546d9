/** P07: watches over TLS that keep being resumed, over restarts of the server and compactions of its history, while others write. */
import { isApiError } from "../../src/base/api-error.ts";
import type { Client } from "../../src/client/client.ts";
import { ConfigMap } from "../../src/kinds/core/configmap.ts";
import { Namespace } from "../../src/kinds/core/namespace.ts";
import type { LogRecord } from "../checkers/history.ts";
import { watchProblems, type WatchEvent, type WatchSession } from "../checkers/watch.ts";
import { connect, serve, site, type Served } from "./served.ts";

export type Resumes = { readonly events: number; readonly watchers: number; readonly resumesEach: number; readonly restarts: number; readonly compactions: number; readonly awayMsMax: number; readonly random: () => number };
export type ResumesResult = { readonly problems: readonly string[]; readonly resumes: number; readonly relists: number; readonly events: number };

const prefix = "/registry/core/configmaps/watched/";
const writers = 8;

export async function watchResumes(path: string, options: Resumes): Promise<ResumesResult> {
  const place = site(path);
  const errors: string[] = [];
  const start = () => serve(place, { onError: error => errors.push(error) });
  let server = await start();
  await server.local.create(Namespace, { metadata: { name: "watched" } });
  const log: LogRecord[] = [];
  const follow = () => {
    const from = log.at(-1)?.revision ?? 1;
    const watch = server.store.watch(prefix, from, ({ changes }) => {
      for (const { type, key, revision, entry } of changes) log.push({ revision, key, value: type === "delete" ? undefined : valueOf(JSON.parse(entry.value) as ConfigMap) });
    });
    if ("compacted" in watch) errors.push(`the history from ${from} is gone`);
  };
  follow();
  const first = server.store.revision;
  const share = 1 / (options.watchers === 0 ? 1 : options.resumesEach + 1);
  let final = Infinity;
  const history = { oldest: 0 };
  // The first one stays away, once, until what it needs is gone: on a slow machine nobody else might be away that long.
  const watching = Array.from({ length: options.watchers }, (_, i) => keepWatching(place, first, options, Math.floor(options.events * share), () => final, i === 0 ? history : undefined));

  const phases = options.restarts + 1;
  for (let phase = 0; phase < phases; phase++) {
    await write(server, Math.floor(options.events / phases), options.random, Math.ceil(options.compactions / phases), history);
    if (phase === phases - 1) break;
    await server.stop();
    server = await start();
    follow();
  }
  // Everybody sees this one, so everybody knows when to stop.
  const last = await server.local.create(ConfigMap, { metadata: { name: "last", namespace: "watched" }, data: { v: "last" } });
  final = Number(last.metadata.resourceVersion);
  const watches = await Promise.all(watching);
  await server.stop();
  const problems = watches.flatMap(watch => watchProblems({ prefix, ...watch, complete: final }, log));
  const count = (of: (watch: Watched) => number) => watches.reduce((sum, watch) => sum + of(watch), 0);
  return { problems: [...errors, ...problems], resumes: count(watch => watch.sessions.length - 1), relists: count(watch => watch.relisted.size), events: log.length };
}

async function write({ local, store }: Served, count: number, random: () => number, compactions: number, history: { oldest: number }): Promise<void> {
  let left = count;
  const compactAt = compactions === 0 ? -1 : Math.floor(count / compactions);
  await Promise.all(Array.from({ length: writers }, async (_, writer) => {
    const current = new Map<string, string>();
    for (const { metadata } of (await local.list(ConfigMap, { namespace: "watched" })).items) if (metadata.name!.startsWith(`w${writer}-`)) current.set(metadata.name!, metadata.resourceVersion!);
    while (left-- > 0) {
      const name = `w${writer}-${Math.floor(random() * 40)}`;
      const version = current.get(name);
      const object = { metadata: { name, namespace: "watched", ...(version === undefined ? {} : { resourceVersion: version }) }, data: { v: `${writer}.${left}.${random()}` } };
      if (version !== undefined && random() < 0.2) {
        await local.delete(ConfigMap, "watched", name);
        current.delete(name);
      } else {
        const written = version === undefined ? await local.create(ConfigMap, object) : await local.update(ConfigMap, object as unknown as ConfigMap);
        current.set(name, written.metadata.resourceVersion!);
      }
      if (compactAt > 0 && left % compactAt === 0) {
        await store.compact(Math.max(store.oldestRevision, store.revision - Math.floor(random() * 200)));
        history.oldest = store.oldestRevision;
      }
      // Others get the thread: watchers live in this process too.
      if (left % 16 === 0) await new Promise(resolve => setImmediate(resolve));
    }
  }));
}

type Watched = { readonly sessions: WatchSession[]; readonly relisted: Set<number> };

async function keepWatching(place: ReturnType<typeof site>, start: number, options: Resumes, eventsEach: number, final: () => number, history: { readonly oldest: number } | undefined): Promise<Watched> {
  const { client, close } = connect(place);
  const watched: Watched = { sessions: [], relisted: new Set() };
  let cut = 0;
  try {
    for (let from = start; from < final(); ) {
      const session: { from: number; events: WatchEvent[] } = { from, events: [] };
      const limit = cut < options.resumesEach ? Math.max(1, Math.floor(eventsEach * (0.5 + options.random()))) : Infinity;
      const outcome = await watchOnce(client, session, limit, final);
      if (outcome === "refused") continue;
      if (outcome === "expired") {
        from = await relist(client);
        watched.relisted.add(watched.sessions.length);
        // The list showed the end already: there is nothing left to watch.
        if (from >= final()) watched.sessions.push({ from, events: [] });
        continue;
      }
      watched.sessions.push(session);
      if (outcome === "cut") {
        cut++;
        // Away for a while: some come back after the history they need is gone.
        await new Promise(resolve => setTimeout(resolve, options.awayMsMax * options.random()));
      }
      from = session.events.reduce((newest, event) => Math.max(newest, event.revision), from);
      if (outcome === "cut" && cut === 1) while (history !== undefined && options.compactions > 0 && history.oldest <= from && final() === Infinity) await new Promise(resolve => setTimeout(resolve, 5));
    }
  } finally {
    await close();
  }
  return watched;
}

async function relist(client: Client): Promise<number> {
  for (;;) {
    try {
      return (await client.list(ConfigMap, { namespace: "watched" })).revision;
    } catch (error) {
      if (isApiError(error, "Expired")) throw error;
      await new Promise(resolve => setTimeout(resolve, 5));
    }
  }
}

/** Watches until `limit` events came, the server went away, or the end is reached. */
async function watchOnce(client: Client, session: { readonly from: number; readonly events: WatchEvent[] }, limit: number, final: () => number): Promise<"cut" | "ended" | "expired" | "refused"> {
  const stop = new AbortController();
  try {
    for await (const event of client.watch(ConfigMap, { namespace: "watched", revision: session.from }, stop.signal)) {
      session.events.push(event.type === "BOOKMARK" ? event : { type: event.type, key: `${prefix}${event.object.metadata.name}`, revision: event.revision, value: valueOf(event.object) });
      if (session.events.length >= limit) return "cut";
      if (event.revision >= final()) return "ended";
    }
    return "ended";
  } catch (error) {
    if (isApiError(error, "Expired") && session.events.length === 0) return "expired";
    // The server is down, or went down in the middle: what was heard counts.
    await new Promise(resolve => setTimeout(resolve, 5));
    return session.events.length === 0 ? "refused" : "ended";
  } finally {
    stop.abort();
  }
}

function valueOf(map: ConfigMap): string {
  return map.data?.["v"] ?? "";
}
