/** P22, class S: a body whose length is told twice, once in a way that only some parsers understand. Whatever is behind the first request must never become a second one. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { connect } from "node:tls";
import { testAuthority } from "../../test/certificates.ts";
import { json } from "../api/http.ts";
import { silent } from "../base/log.ts";
import { systemClock } from "./clock.ts";
import { startHttpsServer } from "./https-server.ts";

const hidden = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
const tails = [`0\r\n\r\n${hidden}`, hidden, `1\r\na\r\n0\r\n\r\n${hidden}`];
// What a lenient parser takes for `Transfer-Encoding: chunked`, and a strict one for something else or for an error.
const codings = [
  "Transfer-Encoding: chunked", "transfer-encoding: chunked", "TRANSFER-ENCODING: CHUNKED", "Transfer-Encoding:chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding:  chunked  ", "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked", "\tTransfer-Encoding: chunked",
  "Transfer-Encoding: xchunked", "Transfer-Encoding: chunkedx", "Transfer-Encoding: x-chunked", "Transfer-Encoding: chunked, identity", "Transfer-Encoding: identity, chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked;q=1", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: 'chunked'",
  "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: x\r\nTransfer-Encoding: chunked", "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\r\n\tchunked", "X: y\r\n Transfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked", "X: y\u0000\r\nTransfer-Encoding: chunked",
  "Transfer-Encoding: \u000bchunked", "Transfer-Encoding: \u000cchunked", "Transfer-Encoding: chunked\u000b", "Transfer-Encoding: \u0000chunked", "Transfer-Encoding: chunked\u0000", "Transfer-Encoding: \u00a0chunked", "Transfer-Encoding: \u00ffchunked", "Transfer-Encoding\u0000: chunked", "Transfer-Encoding\u00a0: chunked", "Transfer\u00adEncoding: chunked",
  "Transfer_Encoding: chunked", "Transfer Encoding: chunked", "TransferEncoding: chunked", "Transfer-Encoding; chunked", "Transfer-Encoding= chunked", "Transfer-Encoding chunked", "Transfer-Encoding: ch\u212anked", "TE: chunked", "X-Transfer-Encoding: chunked", "Content-Encoding: chunked", "Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked", "Transfer-Encoding: ", "Transfer-Encoding: ,", "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked",
];
// What a lenient parser takes for a length of nothing.
const lengths = [
  "Content-Length: 0", "Content-Length: +0", "Content-Length: -0", "Content-Length: 0x0", "Content-Length: 00", "Content-Length: 0, 0", "Content-Length: 0,", "Content-Length: ,0", "Content-Length: 0 0", "Content-Length:\t0", "Content-Length : 0", " Content-Length: 0", "Content-Length: \u000b0", "Content-Length: 0\u0000", "Content-Length: \u00a00", "Content-Length: 0.0", "Content-Length: 0e1", "Content-Length: \"0\"", "Content-Length:", "Content_Length: 0", "Content-Length: 18446744073709551616", "Content-Length: 99999999999999999999", "Content-Length:\r\n 0", "X: y\rContent-Length: 0", "X: y\nContent-Length: 0",
];

const vectors = tails.flatMap(tail => [...codings, ...lengths].flatMap(second => {
  const first = `Content-Length: ${tail.length}`;
  // A header of another name that is told beside the real length is no attack, and must not become one.
  return [[first, second], [second, first]].map(told => `POST /echo HTTP/1.1\r\nHost: x\r\n${told.join("\r\n")}\r\n\r\n${tail}`);
}));

test(`${vectors.length} requests whose length is told twice hide no other request (P22)`, async () => {
  const serving = testAuthority("serving");
  const seen: string[] = [];
  const server = await startHttpsServer({
    addresses: ["127.0.0.1"], port: 0, credentials: { ...serving.leaf("api", "server", [], ["localhost"]), clientCa: testAuthority("clients").ca }, clock: systemClock(), log: silent,
    handler: async request => {
      seen.push(request.target);
      await request.body();
      return json(200, {});
    },
  });
  const send = (bytes: string): Promise<string> => new Promise(resolve => {
    let answer = "";
    const socket = connect({ host: "127.0.0.1", port: server.port, ca: serving.ca, servername: "localhost" }, () => { socket.end(Buffer.from(bytes, "latin1")); });
    socket.setEncoding("latin1").on("data", text => { answer += String(text); }).on("error", () => undefined).on("close", () => resolve(answer));
  });
  const found: string[] = [];
  let read = 0;
  for (const bytes of vectors) {
    seen.length = 0;
    const answer = await send(bytes);
    const answers = answer.split("HTTP/1.1 ").length - 1;
    if (seen.includes("/smuggled") || seen.length > 1 || answers > 1 || !/^HTTP\/1.1 (200|400|415|431|501) /.test(answer)) found.push(`${JSON.stringify(bytes)}: ${seen.join(" ")} → ${JSON.stringify(answer.slice(0, 80))}`);
    if (seen.length === 1) read++;
  }
  await server.close(0);
  assert.deepEqual(found, []);
  assert.ok(read > 20 && read < vectors.length / 2, `void: ${read} of ${vectors.length} requests were taken at all`);
});
