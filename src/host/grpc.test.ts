import assert from "node:assert/strict";
import { createServer, type ServerHttp2Stream } from "node:http2";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { encodeMessage } from "../base/protowire.ts";
import { GrpcClient, grpcCode, isGrpcError } from "./grpc.ts";

const method = { path: "/test.Service/Call", request: { name: [1, "string"] }, answer: { text: [1, "string"] } } as const;
const frame = (text: string): Buffer => {
  const body = encodeMessage(method.answer, { text });
  const bytes = Buffer.alloc(5 + body.length);
  bytes.writeUInt32BE(body.length, 1);
  bytes.set(body, 5);
  return bytes;
};

/** A server that answers with `answer`, on a socket of its own. */
async function withServer(answer: (stream: ServerHttp2Stream, headers: { readonly [name: string]: unknown }) => void, play: (client: GrpcClient) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "timonier-grpc-"));
  const server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    stream.on("error", () => undefined);
    stream.resume();
    answer(stream, headers);
  });
  await new Promise<void>(done => void server.listen(join(folder, "s"), done));
  const client = new GrpcClient(join(folder, "s"), { "containerd-namespace": "k8s.io" });
  try {
    await play(client);
  } finally {
    client.close();
    await new Promise(done => server.close(done));
    rmSync(folder, { recursive: true });
  }
}
const finish = (stream: ServerHttp2Stream, status: number, message = "", frames: readonly Buffer[] = []): void => {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": String(status), "grpc-message": message }));
  for (const each of frames) stream.write(each);
  stream.end();
};

test("a call is answered, with its headers and time limit on the wire", async () => withServer((stream, headers) => {
  finish(stream, 0, "", [frame(`${String(headers["containerd-namespace"])} ${String(headers["grpc-timeout"])}`)]);
}, async client => {
  assert.deepEqual(await client.call(method, { name: "x" }, { timeoutMs: 1_500 }), { text: "k8s.io 1500m" });
  // At most eight digits.
  assert.deepEqual(await client.call(method, { name: "x" }, { timeoutMs: 7 * 24 * 3_600_000 }), { text: "k8s.io 604800S" });
}));

test("a refusal carries its code and its text, percent-decoded", async () => withServer(stream => finish(stream, 5, "no such%20thing%"), async client => {
  await assert.rejects(client.call(method, {}, { timeoutMs: 1_000 }), error => isGrpcError(error, grpcCode.notFound) && error.message === "no such%20thing%");
}));

test("messages cut anywhere are put together again", async () => withServer(stream => {
  const all = Buffer.concat([frame("one"), frame("two"), frame("x".repeat(100_000))]);
  stream.respond({ ":status": 200 }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  for (const byte of [3, 9, 14, all.length]) stream.write(all.subarray(byte === 3 ? 0 : byte === 9 ? 3 : byte === 14 ? 9 : 14, byte));
  stream.end();
}, async client => {
  const seen: number[] = [];
  await client.subscribe(method, {}, ({ text = "" }) => seen.push(text.length), new AbortController().signal);
  assert.deepEqual(seen, [3, 3, 100_000]);
}));

test("a server that is not there, or goes away, is unavailable", async () => {
  await assert.rejects(new GrpcClient("/nonexistent/socket").call(method, {}, { timeoutMs: 1_000 }), error => isGrpcError(error, grpcCode.unavailable));
  await withServer(stream => stream.session?.destroy(), async client => {
    await assert.rejects(client.call(method, {}, { timeoutMs: 1_000 }), error => isGrpcError(error, grpcCode.unavailable));
  });
});

test("a call that takes too long ends with its limit, and one that is given up with the signal", async () => withServer(() => undefined, async client => {
  await assert.rejects(client.call(method, {}, { timeoutMs: 30 }), error => isGrpcError(error, grpcCode.deadlineExceeded));
  const stop = new AbortController();
  const call = client.call(method, {}, { timeoutMs: 5_000, signal: stop.signal });
  stop.abort();
  await assert.rejects(call, error => isGrpcError(error, grpcCode.cancelled));
}));
