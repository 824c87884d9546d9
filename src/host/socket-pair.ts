/** A connection of the kernel's joined with one that a client's stream carries. */
import { connect, type Socket } from "node:net";
import type { ByteSink, Duplex } from "../node/api.ts";

const connectMs = 2_000;

/** A connection to a port, or nothing where nobody answers. */
export function connected(host: string, port: number): Promise<Socket | undefined> {
  return new Promise(resolve => {
    const socket = connect({ host, port, allowHalfOpen: true });
    const fail = (): void => {
      socket.destroy();
      resolve(undefined);
    };
    socket.setTimeout(connectMs, fail);
    socket.once("error", fail);
    socket.once("connect", () => {
      socket.off("error", fail);
      socket.setTimeout(0);
      resolve(socket);
    });
  });
}

/** Both directions, each to its own end. */
export async function join(socket: Socket, local: Duplex, signal: AbortSignal): Promise<void> {
  const stop = (): void => void socket.destroy();
  signal.addEventListener("abort", stop, { once: true });
  let failure: Error | undefined;
  socket.on("error", error => { failure = error; });
  const inward = (async () => {
    for await (const chunk of local.input) {
      if (socket.destroyed) return;
      if (!socket.write(chunk)) await drained(socket);
    }
    socket.end();
  })();
  // The client may break off at any moment, and long before the pod does: nobody is left whom the pod could answer.
  inward.catch(() => socket.destroy());
  const outward = copy(socket, local.output).finally(() => local.end());
  try {
    await outward;
    // The pod has closed: what the client still sends has nowhere to go.
    socket.destroy();
  } catch (error) {
    if (!signal.aborted) throw failure ?? error;
  } finally {
    signal.removeEventListener("abort", stop);
    socket.destroy();
  }
}

/** Hands every chunk on in order, holding the source back while the sink is slow. A sink that is gone ends the copy, not the process. */
export async function copy(source: Socket, sink: ByteSink | undefined): Promise<void> {
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) await sink?.write(chunk);
  } catch (error) {
    // We have let go of it ourselves.
    if ((error as NodeJS.ErrnoException).code !== "ERR_STREAM_PREMATURE_CLOSE") throw error;
  }
}

/** Resolves when there is room again, or nobody who would make some. */
export function drained(socket: Socket): Promise<void> {
  return new Promise(resolve => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    socket.once("drain", done);
    socket.once("close", done);
  });
}
