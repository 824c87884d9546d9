/** Many open watches over HTTP/2 without an HTTP/2 library: it reads frames and counts lines, so that what is measured is the server and not its client. */
import { connect, type TLSSocket } from "node:tls";
import type { Credentials } from "./cluster.ts";

const newline = 10;
const frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
const headBytes = 9;
const windowMax = 2 ** 31 - 1;

/** `count` watches of `path` over `connections`; `onLines` hears how many events came. Resolves when all are answered. */
export async function openWatches({ server, ca, cert, key }: Credentials, path: string, connections: number, count: number, onLines: (lines: number) => void): Promise<{ close(): void }> {
  const url = new URL(server);
  const sockets = await Promise.all(Array.from({ length: connections }, (_, i) => new Promise<TLSSocket>((resolve, reject) => {
    const streams = Math.floor(count / connections) + (i < count % connections ? 1 : 0);
    const socket = connect({ host: url.hostname, port: Number(url.port), ca, cert, key, ALPNProtocols: ["h2"] }, () => {
      socket.setNoDelay(true);
      const hello = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameOf(frame.settings, 0, 0, settingsOf(4, windowMax)), frameOf(8, 0, 0, uint32(windowMax - 65_535))];
      for (let stream = 0; stream < streams; stream++) hello.push(frameOf(frame.headers, 0x5, 2 * stream + 1, requestOf(path, url.host)));
      socket.write(Buffer.concat(hello));
    });
    let answered = 0;
    const reader = new Frames((type, flags, payload) => {
      if (type === frame.data) onLines(linesIn(payload));
      else if (type === frame.headers && ++answered === streams) resolve(socket);
      else if (type === frame.settings && (flags & 1) === 0) socket.write(frameOf(frame.settings, 1, 0, Buffer.alloc(0)));
      else if (type === frame.ping && (flags & 1) === 0) socket.write(frameOf(frame.ping, 1, 0, payload));
      else if (type === frame.reset || type === frame.goaway) socket.destroy(new Error("the server ended a watch"));
    });
    socket.on("data", (bytes: Buffer) => reader.push(bytes));
    socket.on("error", reject);
  })));
  return { close: () => { for (const socket of sockets) socket.destroy(); } };
}

function linesIn(bytes: Buffer): number {
  let lines = 0;
  for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) lines++;
  return lines;
}

/** Cuts a stream of bytes into frames. Data is handed on in the parts that it comes in: nobody here needs it whole. */
class Frames {
  readonly #onFrame: (type: number, flags: number, payload: Buffer) => void;
  #head: Buffer = Buffer.alloc(0);
  #left = 0;
  #type = 0;
  #flags = 0;
  #kept: Buffer[] = [];
  constructor(onFrame: (type: number, flags: number, payload: Buffer) => void) {
    this.#onFrame = onFrame;
  }
  push(chunk: Buffer): void {
    let bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    this.#head = Buffer.alloc(0);
    for (;;) {
      if (this.#left > 0) {
        const part = bytes.subarray(0, this.#left);
        bytes = bytes.subarray(part.length);
        this.#left -= part.length;
        if (this.#type === frame.data) this.#onFrame(frame.data, 0, part);
        else this.#kept.push(part);
        if (this.#left > 0) return;
        if (this.#type !== frame.data) this.#onFrame(this.#type, this.#flags, Buffer.concat(this.#kept.splice(0)));
      }
      if (bytes.length < headBytes) {
        this.#head = bytes;
        return;
      }
      [this.#left, this.#type, this.#flags] = [bytes.readUIntBE(0, 3), bytes[3]!, bytes[4]!];
      bytes = bytes.subarray(headBytes);
      if (this.#left === 0) this.#onFrame(this.#type, this.#flags, Buffer.alloc(0));
    }
  }
}

function frameOf(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(headBytes);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}
function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
function settingsOf(name: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([0, name]), uint32(value)]);
}
/** A GET in HPACK: `:method GET` and `:scheme https` of the static table, path and authority as literals that nobody remembers. */
function requestOf(path: string, authority: string): Buffer {
  return Buffer.concat([Buffer.from([0x82, 0x87]), literal(4, path), literal(1, authority)]);
}
function literal(name: number, value: string): Buffer {
  const text = Buffer.from(value);
  if (text.length >= 127) throw new Error("only short values are written here");
  return Buffer.concat([Buffer.from([name, text.length]), text]);
}
