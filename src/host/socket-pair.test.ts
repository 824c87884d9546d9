import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import test from "node:test";
import { Pipe } from "../node/streaming/pipe.ts";
import { connected, join } from "./socket-pair.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A pod's port, its side of the connection, and the connection with a client's stream joined to it. */
async function joined(signal = new AbortController().signal) {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const accepted = once(server, "connection") as Promise<[Socket]>;
  const socket = await connected("127.0.0.1", (server.address() as AddressInfo).port);
  assert.ok(socket);
  const [pod] = await accepted;
  server.close();
  pod.on("error", () => undefined);
  const [input, output] = [new Pipe(1 << 20), new Pipe(1 << 20)];
  return { pod, input, output, over: join(socket, { input, output, end: () => output.end() }, signal) };
}
async function textOf(source: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test("bytes go both ways, each direction to its own end", async () => {
  const { pod, input, output, over } = await joined();
  await input.write(bytes("question"));
  input.end();
  const heard: Buffer[] = [];
  pod.on("data", (chunk: Buffer) => heard.push(chunk));
  await once(pod, "end");
  assert.equal(Buffer.concat(heard).toString(), "question");
  pod.end("answer");
  assert.equal(await textOf(output), "answer");
  await over;
});

test("a client that breaks off while the pod says nothing ends the connection, and nothing else", async () => {
  const { pod, input, over } = await joined();
  input.end(new Error("the client closed the connection"));
  // An unhandled rejection would fail this test: it ended the agent.
  await over;
  await textOf(pod).catch(() => undefined);
  assert.ok(pod.readableEnded || pod.destroyed);
});

test("a pod that closes first ends the client's stream, whatever it still sends", async () => {
  const { pod, input, output, over } = await joined();
  pod.end("bye");
  assert.equal(await textOf(output), "bye");
  await over;
  input.end(new Error("the client closed the connection"));
});

test("nobody listens: no connection, no error", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await new Promise(done => server.close(done));
  assert.equal(await connected("127.0.0.1", port), undefined);
});
