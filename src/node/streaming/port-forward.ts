/** port-forward: TCP connections into a pod, over SPDY streams (kubectl) or WebSocket channels (raw clients). */
import type { ByteSink, ByteSource, Duplex } from "../api.ts";
import type { Clock } from "../../base/clock.ts";
import { messageOf } from "../../base/log.ts";
import { Channels, type ChannelProtocol } from "./channels.ts";
import { streamCreationMs, watch } from "./process.ts";
import { SpdySession, type Carrier, type Inflate, type SpdyStream } from "./spdy-session.ts";
import type { WebSocketConnection } from "./websocket.ts";

/** Connects to a port of the pod and copies until both directions are closed. */
export type Connect = (port: number, local: Duplex, signal: AbortSignal) => Promise<void>;
export type ForwardedPod = { readonly name: string; readonly uid: string };

type Pair = { error?: SpdyStream; data?: SpdyStream; started: boolean; cancel: () => void };

/** Serves as many connections as the client opens: each is an error stream and a data stream with one `requestid`. */
export async function servePortForward(carrier: Carrier, inflate: Inflate, pod: ForwardedPod, connect: Connect, clock: Clock): Promise<void> {
  const pairs = new Map<string, Pair>();
  const gone = new AbortController();
  const session = new SpdySession(carrier, inflate, stream => {
    const port = portOf(stream.headers["port"]);
    if (typeof port === "string") return port;
    const type = stream.headers["streamtype"];
    if (type !== "error" && type !== "data") return type === undefined ? '"streamType" header is required' : `invalid stream type "${type}"`;
    // Clients from before the header number their streams so that a pair's ids are two apart.
    const id = stream.headers["requestid"] ?? String(type === "error" ? stream.id : stream.id - 2);
    let pair = pairs.get(id);
    if (!pair) {
      const made: Pair = pair = { started: false, cancel: clock.after(streamCreationMs, () => {
        pairs.delete(id);
        for (const half of [made.error, made.data]) void half?.end();
      }) };
      pairs.set(id, made);
    }
    if (pair[type] !== undefined) return `error processing stream for request ${id}: ${type} stream already assigned`;
    pair[type] = stream;
    if (pair.error && pair.data && !pair.started) {
      pair.started = true;
      pair.cancel();
      pairs.delete(id);
      void one(pair.error, pair.data, port, pod, connect, gone.signal);
    }
    return undefined;
  });
  try {
    await session.run();
  } finally {
    gone.abort();
    for (const pair of pairs.values()) pair.cancel();
  }
}

async function one(error: SpdyStream, data: SpdyStream, port: number, pod: ForwardedPod, connect: Connect, signal: AbortSignal): Promise<void> {
  error.discard();
  try {
    await connect(port, { input: data.input, output: data.output, end: () => void data.end() }, signal);
  } catch (failure) {
    // A connection that the pod's program broke off is its own affair: an error here makes kubectl give up all forwarding.
    if (!signal.aborted && !brokeOff(failure)) await error.output.write(failureText(port, pod, failure));
  }
  data.discard();
  await data.end();
  await error.end();
}

/** The older protocol: one connection per asked port, two channels each, both starting with the port as two bytes, low one first. */
export async function serveForwardChannels(socket: WebSocketConnection, protocol: ChannelProtocol, ports: readonly number[], pod: ForwardedPod, connect: Connect): Promise<void> {
  const channels = new Channels(socket, protocol, ports.map((_, i) => 2 * i));
  const gone = new AbortController();
  void watch(channels.run(), gone);
  await Promise.all(ports.map(async (port, i) => {
    const [data, error] = [2 * i, 2 * i + 1];
    for (const number of [data, error]) await channels.send(number, Uint8Array.of(port & 0xff, port >> 8));
    const input: ByteSource & { discard(): void } = channels.input(data);
    const output: ByteSink = channels.output(data);
    try {
      // The protocol cannot say that one direction has ended.
      await connect(port, { input, output, end: () => undefined }, gone.signal);
    } catch (failure) {
      if (!gone.signal.aborted && !brokeOff(failure)) await channels.send(error, failureText(port, pod, failure));
    }
    input.discard();
  }));
  await socket.close();
}

/** A port number, or what is wrong with it. */
export function portOf(text: string | undefined): number | string {
  if (text === undefined || text === "") return '"port" header is required';
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65535) return `unable to parse "${text}" as a port`;
  return Number(text) < 1 ? `port "${text}" must be > 0` : Number(text);
}

function brokeOff(error: unknown): boolean {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) if (["ECONNRESET", "EPIPE"].includes(String((cause as { code?: unknown }).code))) return true;
  return false;
}

function failureText(port: number, pod: ForwardedPod, failure: unknown): Uint8Array {
  return new TextEncoder().encode(`error forwarding port ${port} to pod ${pod.name}, uid ${pod.uid}: ${messageOf(failure)}`);
}
