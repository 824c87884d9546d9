import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiError } from "../base/api-error.ts";
import { ConfigMap } from "../kinds/core/configmap.ts";
import type { Client, WatchEvent } from "./client.ts";
import { byNamespace, byOwner, Informer, joinKey, splitKey } from "./informer.ts";

// An object is written name@revision[uid][<owner].
function object(text: string): ConfigMap {
  const [, name = "", resourceVersion = "", uid = "u", owner] = /^(\w+)@(\d+)(?:\[(\w+)\])?(?:<(\w+))?$/.exec(text) ?? [];
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: "d", uid, resourceVersion, creationTimestamp: "", ...(owner === undefined ? {} : { ownerReferences: [{ uid: owner }] }) } } as unknown as ConfigMap;
}
type Step = readonly ["list", string, number] | readonly ["fail", string] | readonly ["event", string, string] | readonly ["bookmark", number];

/** A server that plays a script: each list and each watch takes the steps up to the next failure. */
function scripted(steps: readonly Step[]): { client: Client; asked: string[] } {
  const left = [...steps];
  const asked: string[] = [];
  const fail = (reason: string): never => { throw reason === "Expired" ? new ApiError("Expired", "too old") : new Error(reason); };
  const client = {
    list: async () => {
      asked.push("list");
      const step = left.shift();
      if (step?.[0] !== "list") return fail(step?.[0] === "fail" ? step[1] : "no list");
      return { items: step[1].split(" ").filter(Boolean).map(object), revision: step[2] };
    },
    async *watch(_kind: unknown, { revision }: { revision: number }): AsyncGenerator<WatchEvent<ConfigMap>> {
      asked.push(`watch ${revision}`);
      for (let step = left.shift(); step !== undefined; step = left.shift()) {
        if (step[0] === "fail") fail(step[1]);
        if (step[0] === "bookmark") yield { type: "BOOKMARK", revision: step[1] };
        if (step[0] === "event") yield { type: step[1] as "ADDED", object: object(step[2]), revision: Number(step[2].split("@")[1]!.replace(/\D.*/, "")) };
      }
    },
  };
  return { client: client as unknown as Client, asked };
}
async function play(steps: readonly Step[], runs: number): Promise<{ informer: Informer<typeof ConfigMap>; changes: string[]; asked: string[] }> {
  const { client, asked } = scripted(steps);
  const informer = new Informer(ConfigMap, client);
  const changes: string[] = [];
  informer.onChange(({ type, object }) => changes.push(`${type} ${object.metadata.name}@${object.metadata.resourceVersion}`));
  for (let i = 0; i < runs; i++) await informer.run(new AbortController().signal).catch(() => undefined);
  return { informer, changes, asked };
}

test("a broken watch is resumed where it was, without another list", async () => {
  const { asked, changes } = await play([["list", "a@1", 3], ["event", "ADDED", "b@5"], ["fail", "reset"], ["event", "DELETED", "a@7"]], 2);
  assert.deepEqual(asked, ["list", "watch 3", "watch 5"]);
  assert.deepEqual(changes, ["added a@1", "added b@5", "deleted a@7"]);
});

test("when the revision is too old it lists anew and tells what has changed meanwhile, deletions included", async () => {
  const { asked, changes, informer } = await play([["list", "a@1 b@2 c@3", 3], ["fail", "Expired"], ["list", "a@1 b@8", 9], ["bookmark", 20]], 2);
  assert.deepEqual(asked, ["list", "watch 3", "list", "watch 9"]);
  assert.deepEqual(changes, ["added a@1", "added b@2", "added c@3", "updated b@8", "deleted c@3"]);
  assert.equal(informer.revision, 20);
});

test("an object made anew under an old name is a deletion and an addition", async () => {
  const { changes } = await play([["list", "a@1[x]", 1], ["event", "MODIFIED", "a@4[y]"]], 1);
  assert.deepEqual(changes, ["added a@1", "deleted a@1", "added a@4"]);
});

test("a list older than what was seen is refused; a failed first list leaves the copy unlisted", async () => {
  const { informer, asked } = await play([["list", "a@5", 9], ["fail", "Expired"], ["list", "", 7]], 2);
  assert.deepEqual([informer.list().length, asked], [1, ["list", "watch 9", "list"]]);
  assert.equal((await play([["fail", "refused"]], 1)).informer.revision, -1);
});

test("indexes follow changes", async () => {
  const { informer } = await play([["list", "a@1<x b@2<x c@3", 3], ["event", "MODIFIED", "b@4<y"], ["event", "DELETED", "a@5<x"]], 1);
  const names = (value: string): string => informer.by(byOwner, value).map(({ metadata }) => metadata.name).join(" ");
  assert.deepEqual([names("x"), names("y"), informer.by(byNamespace, "d").length], ["", "b", 2]);
});

test("waiting for a revision, a deletion or a fresh list ends when the copy shows it, or when asked to stop", async () => {
  const { client } = scripted([["list", "a@1", 1], ["event", "MODIFIED", "b@3"], ["event", "DELETED", "a@4"], ["fail", "Expired"], ["list", "", 5]]);
  const informer = new Informer(ConfigMap, client);
  const stop = new AbortController();
  const seen: string[] = [];
  const waits = [
    informer.reached(3, stop.signal).then(() => seen.push("reached")), informer.showsDeleted("d/a", "u", new AbortController().signal).then(() => seen.push("gone at once")),
    informer.reached(99, stop.signal).then(() => seen.push("stopped")), informer.relisted(stop.signal).then(() => seen.push("relisted")),
  ];
  await informer.run(new AbortController().signal);
  await informer.run(new AbortController().signal).catch(() => undefined);
  stop.abort();
  await Promise.all(waits);
  assert.deepEqual([...seen].sort(), ["gone at once", "reached", "relisted", "stopped"]);
});

test("keys are namespace/name, or the name alone", () => {
  assert.deepEqual([joinKey("a", "b"), joinKey("", "b"), splitKey("a/b"), splitKey("b")], ["a/b", "b", { namespace: "a", name: "b" }, { namespace: "", name: "b" }]);
});
