import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { Pipe, concat } from "./pipe.ts";
import { sizes } from "./process.ts";
import { portOf } from "./port-forward.ts";
import { decodeHeaders, encodeFrame, encodeHeaders, FrameReader, SpdyError, storeBlock, type Frame } from "./spdy.ts";
import { encodeWebSocket, WebSocketConnection, WebSocketReader } from "./websocket.ts";

const hex = (bytes: Uint8Array): string => [...bytes].map(byte => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text: string): Uint8Array => Uint8Array.from(text.replaceAll(" ", "").match(/../g) ?? [], pair => parseInt(pair, 16));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array): string => new TextDecoder().decode(content);
/** `whole` in pieces of `size` bytes. */
const pieces = (whole: Uint8Array, size: number): Uint8Array[] => Array.from({ length: Math.ceil(whole.length / size) }, (_, i) => whole.slice(i * size, (i + 1) * size));
const one = Uint8Array.of(1, 2);

// ---- SPDY ----

const frames: readonly (readonly [wire: string, frame: Frame])[] = [
  ["00000003 00 000002 0102", { type: "data", stream: 3, fin: false, bytes: one }],
  ["00000003 01 000000", { type: "data", stream: 3, fin: true, bytes: new Uint8Array(0) }],
  ["80030001 00 00000c 00000005 00000000 0000 0102", { type: "synStream", stream: 5, fin: false, unidirectional: false, block: one }],
  ["80030001 03 00000a 00000005 00000000 0000", { type: "synStream", stream: 5, fin: true, unidirectional: true, block: new Uint8Array(0) }],
  ["80030002 00 000006 00000005 0102", { type: "synReply", stream: 5, fin: false, block: one }],
  ["80030003 00 000008 00000005 00000003", { type: "rstStream", stream: 5, status: 3 }],
  ["80030004 00 000004 00000000", { type: "settings" }],
  ["80030006 00 000004 00000007", { type: "ping", id: 7 }],
  ["80030007 00 000008 00000005 00000000", { type: "goAway", lastStream: 5, status: 0 }],
  ["80030008 01 000006 00000005 0102", { type: "headers", stream: 5, fin: true, block: one }],
  ["80030009 00 000008 00000005 00004000", { type: "windowUpdate", stream: 5, delta: 0x4000 }],
];
for (const [wire, frame] of frames)
  test(`the SPDY frame ${wire} is ${frame.type}`, () => {
    assert.equal(hex(encodeFrame(frame)), wire.replaceAll(" ", ""));
    assert.deepEqual([...new FrameReader().push(unhex(wire))], [frame]);
  });

test("SPDY frames come out the same however their bytes arrive", () => {
  const wire = concat(frames.map(([line]) => unhex(line)));
  for (const size of [1, 2, 3, 7, 8, 9, 30, 1000]) {
    const reader = new FrameReader();
    assert.deepEqual(pieces(wire, size).flatMap(piece => [...reader.push(piece)]), frames.map(([, frame]) => frame), `in pieces of ${size}`);
  }
});

for (const [name, wire] of [
  ["another version", "80020001 00 00000a 00000001 00000000 0000"], ["a SYN_STREAM without its fields", "80030001 00 000002 0000"], ["a frame longer than the limit", "00000001 00 ffffff"], ["a RST_STREAM cut short", "80030003 00 000004 00000001"],
] as const)
  test(`SPDY: ${name} is an error`, () => assert.throws(() => [...new FrameReader().push(unhex(wire))], SpdyError));

test("SPDY header blocks keep names in lower case and the first of several values", () => {
  const block = encodeHeaders({ streamType: "error", Port: "80", "__proto__": "x" });
  assert.deepEqual({ ...decodeHeaders(block) }, { streamtype: "error", port: "80" });
  assert.equal(hex(encodeHeaders({ a: "b" })), "00000001000000016100000001" + "62");
  assert.deepEqual({ ...decodeHeaders(unhex("00000001 00000001 61 00000003 62 00 63")) }, { a: "b" });
  assert.equal(decodeHeaders(unhex("00000001 00000009 5f5f70726f746f5f5f 00000001 78"))["__proto__"], "x");
});

for (const wire of ["", "000000", "00000001", "00000001 00000005 61", "ffffffff", "00000001 00000001 61 ffffffff"])
  test(`SPDY: the header block "${wire}" is an error`, () => assert.throws(() => decodeHeaders(unhex(wire)), SpdyError));

test("a stored block is zlib's form of its bytes", () => {
  assert.equal(hex(storeBlock(one, true)), "7801" + "000200fdff0102" + "000000ffff");
  assert.equal(hex(storeBlock(one, false)), "000200fdff0102" + "000000ffff");
});

test("SPDY: any bytes are frames or an error, nothing else", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), chunks => {
    const reader = new FrameReader();
    try {
      for (const chunk of chunks) for (const frame of reader.push(chunk)) if ("block" in frame) decodeHeaders(frame.block);
    } catch (error) {
      if (!(error instanceof SpdyError)) throw error;
    }
  }), { numRuns: 2_000 });
});

// ---- WebSocket ----

/** A client's frame: masked. */
function masked(first: number, payload: Uint8Array): Uint8Array {
  const mask = Uint8Array.of(0x11, 0x22, 0x33, 0x44);
  const head = payload.length < 126 ? [0x80 | payload.length] : payload.length < 65536 ? [0xfe, payload.length >> 8, payload.length & 255] : [0xff, 0, 0, 0, 0, payload.length >>> 24, payload.length >> 16 & 255, payload.length >> 8 & 255, payload.length & 255];
  return concat([Uint8Array.of(first, ...head), mask, payload.map((byte, i) => byte ^ (mask[i & 3] as number))]);
}
async function talk(chunks: readonly Uint8Array[]): Promise<{ messages: string[]; sent: string }> {
  const sent: Uint8Array[] = [];
  const socket = new WebSocketConnection((async function* () { yield* chunks; })(), { write: async chunk => void sent.push(chunk) });
  const messages: string[] = [];
  for await (const message of socket.messages()) messages.push(text(message));
  return { messages, sent: hex(concat(sent)) };
}

for (const [name, chunks, messages, sent] of [
  ["a message", [masked(0x82, bytes("hi"))], ["hi"], ""],
  ["an empty message", [masked(0x81, bytes(""))], [""], ""],
  ["a message in fragments with a ping between", [masked(0x02, bytes("a")), masked(0x89, bytes("p")), masked(0x00, bytes("b")), masked(0x80, bytes("c"))], ["abc"], "8a0170"],
  ["a close", [masked(0x82, bytes("x")), masked(0x88, Uint8Array.of(0x03, 0xe9)), masked(0x82, bytes("late"))], ["x"], "880203e9"],
  ["a close without a code", [masked(0x88, new Uint8Array(0))], [], "880203e8"],
  ["an unmasked frame", [unhex("820161")], [], "880203ea"],
  ["a reserved bit", [masked(0xc2, bytes("x"))], [], "880203ea"],
  ["an unknown opcode", [masked(0x83, bytes("x"))], [], "880203ea"],
  ["a continuation of nothing", [masked(0x80, bytes("x"))], [], "880203ea"],
  ["a message inside a message", [masked(0x02, bytes("x")), masked(0x82, bytes("y"))], [], "880203ea"],
  ["a ping in fragments", [masked(0x09, bytes("x"))], [], "880203ea"],
  ["a ping that is too long", [masked(0x89, new Uint8Array(126))], [], "880203ea"],
  ["a frame longer than the limit", [unhex("82ff 0000000100000000 00000000")], [], "880203f1"],
  ["a length beyond what numbers can say", [unhex("82ff ffffffffffffffff 00000000")], [], "880203f1"],
] as const)
  test(`WebSocket: ${name}`, async () => {
    for (const size of [1, 5, 100_000]) assert.deepEqual(await talk(pieces(concat(chunks), size)), { messages, sent }, `in pieces of ${size}`);
  });

for (const length of [0, 125, 126, 65_535, 65_536, 200_000])
  test(`WebSocket: a message of ${length} bytes goes both ways`, async () => {
    const payload = new Uint8Array(length).map((_, i) => i);
    assert.equal((await talk(pieces(masked(0x82, payload), 10_000))).messages[0], text(payload));
    const frame = encodeWebSocket("binary", payload);
    assert.equal(hex(frame.subarray(0, 10)).startsWith(length < 126 ? `82${length.toString(16).padStart(2, "0")}` : length < 65536 ? "827e" : "827f00000000"), true);
    assert.deepEqual(frame.subarray(frame.length - length), payload);
  });

test("WebSocket: any bytes are frames or a WebSocketError", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }), chunks => {
    const reader = new WebSocketReader();
    try {
      for (const chunk of chunks) for (const frame of reader.push(chunk)) assert.ok(frame.payload.length >= 0);
    } catch (error) {
      assert.equal((error as Error).constructor.name, "WebSocketError");
    }
  }), { numRuns: 2_000 });
});

// ---- smaller parts ----

test("base64 is what everybody else's is", () => {
  fc.assert(fc.property(fc.uint8Array(), content => {
    const encoded = encodeBase64(content);
    assert.equal(text(encoded), Buffer.from(content).toString("base64"));
    assert.deepEqual(decodeBase64(encoded), content);
  }));
  for (const bad of ["a", "ab=c", "====", "a===", "ab c", "abc\n", "ü"]) assert.equal(decodeBase64(bytes(bad)), undefined, bad);
});

test("a pipe makes its writer wait until its reader has caught up", async () => {
  const consumed: number[] = [];
  const pipe = new Pipe(3, count => consumed.push(count));
  const events: string[] = [];
  const writing = (async () => {
    for (const word of ["ab", "cd", "ef"]) { await pipe.write(bytes(word)); events.push(`wrote ${word}`); }
    pipe.end();
  })();
  await new Promise(resolve => setImmediate(resolve));
  assert.deepEqual(events, ["wrote ab"]);
  let all = "";
  for await (const chunk of pipe) all += text(chunk);
  await writing;
  assert.deepEqual([all, consumed], ["abcdef", [2, 2, 2]]);
});

test("a pipe whose reader has left takes everything and keeps nothing", async () => {
  let consumed = 0;
  const pipe = new Pipe(3, count => { consumed += count; });
  await pipe.write(bytes("ab"));
  const blocked = pipe.write(bytes("cd"));
  for await (const chunk of pipe) { assert.equal(text(chunk), "ab"); break; }
  await blocked;
  await pipe.write(bytes("efgh"));
  assert.equal(consumed, 8);
});

test("a pipe hands its failure to the reader after the bytes", async () => {
  const pipe = new Pipe(10);
  await pipe.write(bytes("ab"));
  pipe.end(new Error("gone"));
  const got: string[] = [];
  await assert.rejects(async () => { for await (const chunk of pipe) got.push(text(chunk)); }, /gone/);
  assert.deepEqual(got, ["ab"]);
});

test("terminal sizes are read out of any chunks, and nonsense is skipped", async () => {
  const input = '{"Width":80,"Height":24}\n{"Height":1,"Width":2}{"Width":-1,"Height":2}{"Width":"x"}}{"Width":99999,"Height":1}{"Width":3,"Height":4}';
  for (const size of [1, 10, 1000]) {
    const got: string[] = [];
    for await (const { width, height } of sizes((async function* () { yield* pieces(bytes(input), size); })())) got.push(`${width}x${height}`);
    assert.deepEqual(got, ["80x24", "2x1", "3x4"]);
  }
});

for (const [given, want] of [["80", 80], ["65535", 65535], ["0", 'port "0" must be > 0'], ["65536", 'unable to parse "65536" as a port'], ["-1", 'unable to parse "-1" as a port'], ["1e3", 'unable to parse "1e3" as a port'], [undefined, '"port" header is required']] as const)
  test(`the port ${given} is ${want}`, () => assert.equal(portOf(given), want));
