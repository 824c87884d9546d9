import assert from "node:assert/strict";
import { once } from "node:events";
import { request as request1 } from "node:https";
import { after, before, test } from "node:test";
import type { Duplex } from "node:stream";
import type { IncomingMessage } from "node:http";
import { silent } from "../base/log.ts";
import type { Sink } from "../api/http.ts";
import { testAuthority } from "../../test/certificates.ts";
import { systemClock } from "./clock.ts";
import { startHttpsServer, type HttpsServer } from "./https-server.ts";

const serving = testAuthority("serving");
const names = { origin: "https://localhost", "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==", "sec-websocket-version": "13", connection: "Upgrade", upgrade: "websocket" };
let https: HttpsServer;
let run: (out: Sink, signal: AbortSignal) => Promise<void>;

before(async () => {
  const credentials = { ...serving.leaf("timonier", "server", [], ["localhost"]), clientCa: testAuthority("clients").ca };
  https = await startHttpsServer({ addresses: ["127.0.0.1"], port: 0, credentials, clock: systemClock(), log: silent, handler: async () => ({ status: 200, headers: { "content-type": "application/json" }, content: { type: "stream", run: (out, signal) => run(out, signal) } }) });
});
after(() => https.close(0));

const masked = (opcode: number, payload: string): Buffer => Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0]), Buffer.from(payload)]);
/** The frames of a server, which are short here: `opcode payload`. */
async function frames(socket: Duplex, head: Buffer): Promise<readonly string[]> {
  let bytes = head;
  for await (const chunk of socket) bytes = Buffer.concat([bytes, chunk as Buffer]);
  const found: string[] = [];
  for (let at = 0, length = 0; at < bytes.length; at += 2 + length) {
    length = bytes[at + 1]!;
    found.push(`${bytes[at]! & 15} ${bytes.subarray(at + 2, at + 2 + length).toString((bytes[at]! & 15) === 8 ? "hex" : "utf8")}`);
  }
  return found;
}
async function upgrade(headers: { readonly [name: string]: string }): Promise<{ readonly answer: IncomingMessage; readonly socket?: Duplex; readonly head?: Buffer }> {
  const sent = request1({ host: "127.0.0.1", port: https.port, path: "/watch", ca: serving.ca, servername: "localhost", agent: false, headers });
  sent.end();
  return new Promise((resolve, reject) => sent.on("upgrade", (answer, socket, head) => resolve({ answer, socket, head })).on("response", answer => resolve({ answer: answer.resume() })).on("error", reject));
}

test("over a WebSocket each event is a message, and the end of the watch closes it", async () => {
  run = async out => {
    out.write('{"type":"ADDED"}\n{"type":"MODIFIED"}\n');
    out.write(Uint8Array.of(0, 0, 0, 2, 104, 105));
  };
  const { answer, socket, head } = await upgrade(names);
  assert.deepEqual([answer.statusCode, answer.headers["sec-websocket-accept"], answer.headers["sec-websocket-protocol"]], [101, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", undefined]);
  assert.deepEqual(await frames(socket!, head!), ['1 {"type":"ADDED"}\n', '1 {"type":"MODIFIED"}\n', "2 hi", "8 03e8"]);
});

test("its client's pings are answered, its close ends the watch", async () => {
  let ended = false;
  run = async (out, signal) => {
    out.write("{}\n");
    await once(signal, "abort");
    ended = true;
  };
  const { answer, socket, head } = await upgrade({ ...names, "sec-websocket-protocol": "base64url.bearer.authorization.k8s.io.dG9rZW4, mine" });
  assert.equal(answer.headers["sec-websocket-protocol"], "mine");
  socket!.write(Buffer.concat([masked(9, "there?"), masked(8, "\x03\x7f")]));
  assert.deepEqual((await frames(socket!, head!)).slice(0, 2), ["1 {}\n", "10 there?"]);
  assert.equal(ended, true);
});

test("a WebSocket without an origin, of another version or with many protocols is refused", async () => {
  const { origin: _, ...without } = names;
  assert.equal((await upgrade(without)).answer.statusCode, 403);
  assert.equal((await upgrade({ ...names, "sec-websocket-version": "8" })).answer.statusCode, 400);
  assert.equal((await upgrade({ ...names, "sec-websocket-protocol": "a, b" })).answer.statusCode, 400);
});
