/** A store under load in a process of its own, to be killed: PATH CYCLE. Says what it finds, then `b KEY ID` before and `a KEY ID REVISION` after each write. */
import { writeSync } from "node:fs";
import { silent } from "../../src/base/log.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { RevisionedStore } from "../../src/store/revisioned-store.ts";
import { ManualClock } from "../store/manual-clock.ts";
import { idOf, valueOf } from "./ledger.ts";

const [path = "", cycle = ""] = process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);
const underWay = new Map<string, string>();
const store = await RevisionedStore.open(new SqliteEngine(path), {
  clock: new ManualClock(), log: silent, defer: setImmediate, limits: { historyChanges: 500 },
  onFailure: error => setImmediate(() => {
    // A write whose flush failed must not have become readable; those that were durable before the failure have been acknowledged by now.
    for (const [key, id] of underWay) if (idOf(store.get(key)?.value ?? "") === id) say(`x ${key} ${id}`);
    say(`failed ${error.message}`);
    process.exit(1);
  }),
});
for (const { key, value, revision } of store.list("/").entries) say(`f ${key} ${idOf(value)} ${revision}`);
say(`ready ${store.revision}`);

const writers = 8;
for (let writer = 0; writer < writers; writer++) void write(writer);

async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `/registry/core/configmaps/default/w${writer}-${n % 7}`;
    const id = `${cycle}.${writer}.${n}`;
    say(`b ${key} ${id}`);
    underWay.set(key, id);
    const result = await store.put(key, valueOf(id), store.get(key)?.revision ?? 0);
    underWay.delete(key);
    if (result.ok) say(`a ${key} ${id} ${result.entry.revision}`);
    else say(`r ${key} ${id}`);
  }
}
