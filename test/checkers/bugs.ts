/** The bugs that the checkers must find (promises.md, 5.1): each makes a right system wrong, now and then. */
import type { Store } from "../../src/store/store.ts";
import type { System } from "./workload.ts";

type Bug = (right: System & { readonly store: Store }, random: () => number) => System;

export const bugs: { readonly [name: string]: Bug } = {
  "stale read": (right, random) => {
    const earlier = new Map<string, { value: string; revision: number } | undefined>();
    return { ...right, async get(key) {
      const seen = await right.get(key);
      const shown = random() < 0.1 && earlier.has(key) ? earlier.get(key) : seen;
      earlier.set(key, seen);
      return shown;
    } };
  },
  "lost acknowledged write": (right, random) => ({ ...right, async write(key, value, expected) {
    if (value === undefined || random() > 0.05 || (right.store.get(key)?.revision ?? 0) !== expected) return right.write(key, value, expected);
    return { ok: true, revision: right.store.revision + 1, value: `u0:${value}` };
  } }),
  "write applied twice": (right, random) => ({ ...right, async write(key, value, expected) {
    const result = await right.write(key, value, expected);
    if (result.ok && value !== undefined && random() < 0.1) await right.write(key, value, result.revision);
    return result;
  } }),
  "version reused after restart": (right, random) => {
    let back = 0;
    return { ...right, async write(key, value, expected) {
      if (random() < 0.01) back = Math.min(back + 3, right.store.revision - 1);
      const result = await right.write(key, value, expected);
      return result.ok ? { ...result, revision: result.revision - back } : result;
    } };
  },
  "version not monotonic across resources": right => ({ ...right, async write(key, value, expected) {
    const shift = key.startsWith("/r/b/") ? 7 : 0;
    const result = await right.write(key, value, expected === 0 ? 0 : expected + shift);
    return result.ok ? { ...result, revision: result.revision - shift } : result;
  }, async get(key) {
    const seen = await right.get(key);
    return seen && { ...seen, revision: seen.revision - (key.startsWith("/r/b/") ? 7 : 0) };
  } }),
  "update accepted on stale version": (right, random) => ({ ...right, async write(key, value, expected) {
    const result = await right.write(key, value, expected);
    const current = right.store.get(key)?.revision ?? 0;
    return result.ok || value === undefined || expected === 0 || current === 0 || random() > 0.2 ? result : right.write(key, value, current);
  } }),
  "delete and create keeps the uid": right => {
    const uids = new Map<string, string>();
    return { ...right, async write(key, value, expected) {
      const kept = uids.get(key);
      if (expected !== 0 || value === undefined || kept === undefined) {
        const result = await right.write(key, value, expected);
        if (result.ok && result.value !== undefined) uids.set(key, result.value.split(":")[0]!);
        return result;
      }
      const text = `${kept}:${value}`;
      const result = await right.store.put(key, text, 0);
      return result.ok ? { ok: true, revision: result.entry.revision, value: text } : { ok: false };
    } };
  },
  "list mixes two versions": (right, random) => ({ ...right, async list(prefix, limit, after, revision) {
    const page = await right.list(prefix, limit, after, revision);
    if (after === undefined || random() < 0.5) return page;
    return { ...(await right.list(prefix, limit, after, undefined)), revision: page.revision };
  } }),
  "page with a hole": (right, random) => ({ ...right, async list(prefix, limit, after, revision) {
    const page = await right.list(prefix, limit, after, revision);
    return after === undefined || page.entries.length < 2 || random() < 0.5 ? page : { ...page, entries: [...page.entries.slice(1), page.entries[1]!].slice(0, 1) };
  } }),
  "watch event dropped at compaction": right => {
    let skip = false;
    return { ...right, compact: async () => { skip = true; await right.compact(); }, watch: (prefix, from, onEvent) => right.watch(prefix, from, event => {
      if (skip && event.type !== "BOOKMARK") skip = false;
      else onEvent(event);
    }) };
  },
  "watch event doubled at resume": right => ({ ...right, watch: (prefix, from, onEvent) => {
    const again = right.store.listAt(prefix, from);
    const last = "entries" in again ? again.entries.find(entry => entry.revision === from) : undefined;
    if (last !== undefined) onEvent({ type: "MODIFIED", key: last.key, revision: from, value: last.value });
    return right.watch(prefix, from, onEvent);
  } }),
  "bookmark ahead of an undelivered event": (right, random) => ({ ...right, watch: (prefix, from, onEvent) => {
    let late: (() => void) | undefined;
    return right.watch(prefix, from, event => {
      late?.();
      late = undefined;
      if (event.type === "BOOKMARK" || random() > 0.1) return onEvent(event);
      onEvent({ type: "BOOKMARK", revision: event.revision });
      late = () => onEvent(event);
    });
  } }),
};
