/** Entry of the store's own thread: an engine whose calls come as messages, answered in order. */
import { parentPort, workerData } from "node:worker_threads";
import { must } from "../base/assert.ts";
import { messageOf } from "../base/log.ts";
import type { EngineWrite } from "../store/store.ts";
import type { EngineCall, EngineReply } from "./sqlite-worker-engine.ts";
import { SqliteEngine } from "./sqlite.ts";

const port = must(parentPort, "sqlite-worker runs in a worker thread");
const engine = new SqliteEngine((workerData as { path: string }).path);

const refuse = (id: number, error: unknown) => port.postMessage({ id, error: { name: error instanceof Error ? error.name : "Error", message: messageOf(error) } } satisfies EngineReply);

port.on("message", (call: EngineCall) => {
  answer(call).then(value => port.postMessage({ id: call.id, value } satisfies EngineReply), (error: unknown) => refuse(call.id, error));
});

function answer(call: EngineCall): Promise<unknown> {
  const args = call.arguments;
  switch (call.method) {
    case "open": return engine.open({ failed: error => refuse(0, error), short: () => port.postMessage({ id: 0 } satisfies EngineReply) });
    case "read": return engine.read(args[0] as number);
    case "commit": return engine.commit(args[0] as readonly EngineWrite[], args[1] as { frees: boolean });
    case "sync": return engine.sync();
    case "compact": return engine.compact(args[0] as number, args[1] as readonly number[]);
    case "close": return engine.close();
  }
}
