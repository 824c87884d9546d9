import type { Duplex, Writable } from "node:stream";
import type { Carrier } from "../node/streaming/spdy-session.ts";
import type { Upgraded } from "./https-server-exchange.ts";

/** An upgraded socket as the pure protocols want it: bytes to iterate over, and writes that wait while the client takes nothing. */
export function carrierOf({ socket, head }: Upgraded): Carrier {
  return { input: bytesOf(socket, head), output: { write: writer(socket) } };
}

async function* bytesOf(socket: Duplex, head: Buffer): AsyncGenerator<Uint8Array, void, void> {
  if (head.length > 0) yield head;
  yield* socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
}

/** Resolves at once while there is room. After the socket has gone it drops what comes: whoever reads from it notices. */
export function writer(socket: Writable): (chunk: Uint8Array) => Promise<void> {
  let waiting: (() => void)[] = [];
  const wake = (): void => {
    const all = waiting;
    waiting = [];
    for (const one of all) one();
  };
  socket.on("drain", wake).on("close", wake);
  return chunk => {
    if (socket.destroyed || socket.writableEnded || socket.write(chunk)) return Promise.resolve();
    return new Promise(resolve => { waiting.push(resolve); });
  };
}

/** Ends the connection after everything written has gone out, and gives the client a moment to end its side. */
export function endGently(socket: Duplex, lingerMs: number): void {
  if (socket.destroyed) return;
  const timer = setTimeout(() => socket.destroy(), lingerMs);
  socket.once("close", () => clearTimeout(timer));
  socket.once("end", () => setImmediate(() => { if (socket.writableFinished) socket.destroy(); }));
  socket.end();
  socket.resume();
}
