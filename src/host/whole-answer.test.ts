import assert from "node:assert/strict";
import { createServer, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { wholeAnswer, type WholeAnswer } from "./whole-answer.ts";

async function ask(answer: (outgoing: ServerResponse) => void, limits: { readonly timeoutMs?: number; readonly bytesMax?: number } = {}): Promise<WholeAnswer> {
  const server = createServer((incoming, outgoing) => { incoming.resume().on("end", () => answer(outgoing)); });
  await new Promise<void>(resolve => server.listen(0, "127.0.0.1", resolve));
  try {
    const outgoing = request({ host: "127.0.0.1", port: (server.address() as AddressInfo).port, method: "POST", agent: false });
    return await wholeAnswer(outgoing, "question", { timeoutMs: limits.timeoutMs ?? 5000, late: "too late", bytesMax: limits.bytesMax ?? 8 });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("an answer up to the limit is whole, with its status and headers", async () => {
  const { status, headers, body } = await ask(outgoing => outgoing.writeHead(418, { "x-said": "yes" }).end("12345678"));
  assert.deepEqual([status, headers["x-said"], body], [418, "yes", "12345678"]);
});

test("one byte more is refused, though the answer has ended in the same packet", async () => {
  await assert.rejects(ask(outgoing => outgoing.end("123456789")), /^Error: the answer is larger than 8 bytes$/);
});

test("an answer that does not begin, or does not end, is late; one that breaks off is no answer", async () => {
  await assert.rejects(ask(() => {}, { timeoutMs: 30 }), /^Error: too late$/);
  await assert.rejects(ask(outgoing => void outgoing.write("12"), { timeoutMs: 30 }), /too late|aborted/);
  await assert.rejects(ask(outgoing => { outgoing.writeHead(200, { "content-length": "8" }).write("12", () => outgoing.destroy()); }), /aborted|socket hang up|ECONNRESET/);
});
