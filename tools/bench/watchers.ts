/** Many open watches over HTTP/2 without an HTTP/2 library: it reads frames and counts lines, so that what is measured is the server and not its client. */
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { Credentials } from "./cluster.ts";

const newline = 10;
const frame = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goaway: 7 } as const;
const headBytes = 9;
const empty = Buffer.alloc(0);
const readBuffer = Buffer.alloc(64 * 1024);
const windowMax = 2 ** 31 - 1;

/** `count` watches of `path` over `connections`; `onLines` hears how many events came. Resolves when all are answered. */
export async function openWatches({ server, ca, cert, key }: Credentials, path: string, connections: number, count: number, onLines: (lines: number) => void): Promise<{ /** Reads no more. */ pause(): void; close(): void }> {
  const url = new URL(server);
  const sockets = await Promise.all(Array.from({ length: connections }, (_, i) => new Promise<TLSSocket>((resolve, reject) => {
    const streams = Math.floor(count / connections) + (i < count % connections ? 1 : 0);
    let answered = 0;
    const reader = new Frames(onLines, (type, flags, payload) => {
      if (type === frame.headers && ++answered === streams) resolve(socket);
      else if (type === frame.settings && (flags & 1) === 0) socket.write(frameOf(frame.settings, 1, 0, empty));
      else if (type === frame.ping && (flags & 1) === 0) socket.write(frameOf(frame.ping, 1, 0, payload));
      else if (type === frame.reset || type === frame.goaway) socket.destroy(new Error("the server ended a watch"));
    });
    // One buffer for all that comes: what is measured should be the server.
    const onread = { buffer: readBuffer, callback: (count: number, buffer: Uint8Array) => { reader.push((buffer as Buffer).subarray(0, count)); return true; } };
    const socket = connect({ host: url.hostname, port: Number(url.port), ca, cert, key, ALPNProtocols: ["h2"], onread } as ConnectionOptions, () => {
      socket.setNoDelay(true);
      const hello = [Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), frameOf(frame.settings, 0, 0, settingsOf(4, windowMax)), frameOf(8, 0, 0, uint32(windowMax - 65_535))];
      for (let stream = 0; stream < streams; stream++) hello.push(frameOf(frame.headers, 0x5, 2 * stream + 1, requestOf(path, url.host)));
      socket.write(Buffer.concat(hello));
    });
    socket.on("error", reject);
  })));
  return { pause: () => { for (const socket of sockets) socket.pause(); }, close: () => { for (const socket of sockets) socket.destroy(); } };
}

/** Cuts a stream of bytes into frames. Of data only the lines are counted: nobody here needs its bytes, and a view of every frame would cost more than the count. */
class Frames {
  readonly #onLines: (lines: number) => void;
  readonly #onFrame: (type: number, flags: number, payload: Buffer) => void;
  #head: Buffer = empty;
  #left = 0;
  #type = 0;
  #flags = 0;
  #kept: Buffer[] = [];
  constructor(onLines: (lines: number) => void, onFrame: (type: number, flags: number, payload: Buffer) => void) {
    this.#onLines = onLines;
    this.#onFrame = onFrame;
  }
  /** `chunk` is the caller's again afterwards. */
  push(chunk: Buffer): void {
    const bytes = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    let at = 0, lines = 0, line = bytes.indexOf(newline);
    for (;;) {
      if (this.#left > 0) {
        const end = Math.min(at + this.#left, bytes.length);
        if (this.#type === frame.data) {
          while (line !== -1 && line < at) line = bytes.indexOf(newline, at);
          for (; line !== -1 && line < end; line = bytes.indexOf(newline, line + 1)) lines++;
        } else this.#kept.push(Buffer.from(bytes.subarray(at, end)));
        this.#left -= end - at;
        at = end;
        if (this.#left > 0) break;
        if (this.#type !== frame.data) this.#onFrame(this.#type, this.#flags, Buffer.concat(this.#kept.splice(0)));
      }
      if (bytes.length - at < headBytes) break;
      this.#left = (bytes[at]! << 16) | (bytes[at + 1]! << 8) | bytes[at + 2]!;
      this.#type = bytes[at + 3]!;
      this.#flags = bytes[at + 4]!;
      at += headBytes;
      if (this.#left === 0) this.#onFrame(this.#type, this.#flags, Buffer.alloc(0));
    }
    this.#head = at === bytes.length ? empty : Buffer.from(bytes.subarray(at));
    if (lines > 0) this.#onLines(lines);
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
