/** exec and attach: how a process's streams and its end travel over a connection, whichever protocol carries them. */
import type { ByteSink, ByteSource, ProcessStreams, TerminalSize } from "../api.ts";
import { ApiError } from "../../base/api-error.ts";
import type { Clock } from "../../base/clock.ts";
import type { Json } from "../../base/json.ts";
import { messageOf } from "../../base/log.ts";
import { Channels, type ChannelProtocol } from "./channels.ts";
import { SpdySession, type Carrier, type Inflate, type SpdyStream } from "./spdy-session.ts";
import type { WebSocketConnection } from "./websocket.ts";

/** Which streams the client asked for. */
export type Wanted = { readonly stdin: boolean; readonly stdout: boolean; readonly stderr: boolean; readonly tty: boolean };
/** Runs the process (or joins it) and says how it ended; attach has no exit code. */
export type Run = (streams: ProcessStreams, signal: AbortSignal) => Promise<{ readonly exitCode?: number }>;
export type ProcessOptions = {
  readonly wanted: Wanted;
  readonly run: Run;
  /** "error executing command in container" or "error attaching to container": what a failure is introduced with. */
  readonly failure: string;
  readonly command?: readonly string[];
};

/** Upstream's streamCreationTimeout. */
export const streamCreationMs = 30_000;
const channel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4 } as const;
const resizeCharsMax = 4096;

/** `json`: v4 and later write a Status when all is over; earlier ones only the text of a failure. */
type Connection = { readonly streams: ProcessStreams; readonly error: ByteSink; readonly json: boolean; readonly release: () => void };

/** Over WebSocket channels. Resolves when everything has been written; the caller then ends the connection. */
export async function serveChannels(socket: WebSocketConnection, protocol: ChannelProtocol & { readonly json: boolean }, options: ProcessOptions): Promise<void> {
  const { wanted } = options;
  const channels = new Channels(socket, protocol, [...(wanted.stdin ? [channel.stdin] : []), channel.resize]);
  const gone = new AbortController();
  void watch(channels.run(), gone);
  // It tells the client that the connection stands (wsstream writes to the lowest open channel).
  await channels.send(wanted.stdout ? channel.stdout : wanted.stderr ? channel.stderr : channel.error, new Uint8Array(0));
  const stdin = wanted.stdin ? channels.input(channel.stdin) : undefined;
  const resize = channels.input(channel.resize);
  if (!wanted.tty) resize.discard();
  await settle({
    streams: streamsOf(wanted, stdin, channels.output(channel.stdout), channels.output(channel.stderr), resize),
    error: channels.output(channel.error), json: protocol.json,
    release: () => { stdin?.discard(); resize.discard(); },
  }, options, gone.signal);
  await socket.close();
}

/** Over SPDY streams, each opened by the client with its `streamtype`. Resolves as above. */
export async function serveSpdy(carrier: Carrier, inflate: Inflate, version: 1 | 2 | 3 | 4, options: ProcessOptions, clock: Clock): Promise<void> {
  const { wanted } = options;
  const types = ["error", ...(wanted.stdin ? ["stdin"] : []), ...(wanted.stdout ? ["stdout"] : []), ...(wanted.stderr && !wanted.tty ? ["stderr"] : []), ...(wanted.tty && version >= 3 ? ["resize"] : [])];
  const opened = new Map<string, SpdyStream>();
  let allOpen = (): void => undefined;
  const complete = new Promise<void>(resolve => { allOpen = resolve; });
  const session = new SpdySession(carrier, inflate, stream => {
    const type = stream.headers["streamtype"] ?? "";
    if (!types.includes(type) || opened.has(type)) return `unexpected stream type: "${type}"`;
    opened.set(type, stream);
    if (opened.size === types.length) allOpen();
    return undefined;
  });
  const gone = new AbortController();
  void watch(session.run(), gone);
  const timer = new AbortController();
  const cancelled = new Promise<void>(resolve => gone.signal.addEventListener("abort", () => resolve()));
  await Promise.race([complete, cancelled, clock.sleep(streamCreationMs, timer.signal)]);
  timer.abort();
  const [error, stdin, stdout, stderr, resize] = ["error", "stdin", "stdout", "stderr", "resize"].map(type => opened.get(type));
  if (error && opened.size === types.length && !gone.signal.aborted) {
    error.discard();
    stdout?.discard();
    stderr?.discard();
    await settle({
      streams: streamsOf(wanted, stdin?.input, stdout?.output, stderr?.output, resize?.input),
      error: error.output, json: version >= 4,
      release: () => { stdin?.discard(); resize?.discard(); },
    }, options, gone.signal);
  }
  for (const stream of opened.values()) await stream.end();
  await session.goAway();
}

/** Whatever ends the client's side, properly or not, ends the process: nobody sees it any more. */
export async function watch(reading: Promise<void>, gone: AbortController): Promise<void> {
  try {
    await reading;
  } catch (error) {
    gone.abort(error);
  }
  gone.abort();
}

async function settle(connection: Connection, options: ProcessOptions, gone: AbortSignal): Promise<void> {
  let status: Json;
  let failed = "";
  try {
    const { exitCode = 0 } = await options.run(connection.streams, gone);
    if (exitCode === 0) status = { metadata: {}, status: "Success" };
    else {
      failed = `command terminated with non-zero exit code: error executing command [${(options.command ?? []).join(" ")}], exit code ${exitCode}`;
      status = { metadata: {}, status: "Failure", message: failed, reason: "NonZeroExitCode", details: { causes: [{ reason: "ExitCode", message: String(exitCode) }] } };
    }
  } catch (error) {
    failed = `Internal error occurred: ${options.failure}: ${messageOf(error)}`;
    status = new ApiError("InternalError", failed, { causes: [{ message: `${options.failure}: ${messageOf(error)}` }] }).status();
  }
  connection.release();
  if (gone.aborted) return;
  if (connection.json) await connection.error.write(new TextEncoder().encode(JSON.stringify(status)));
  else if (failed !== "") await connection.error.write(new TextEncoder().encode(failed));
}

function streamsOf(wanted: Wanted, stdin: ByteSource | undefined, stdout: ByteSink | undefined, stderr: ByteSink | undefined, resize: ByteSource | undefined): ProcessStreams {
  return {
    ...(wanted.stdin && stdin ? { stdin: quiet(stdin) } : {}),
    ...(wanted.stdout && stdout ? { stdout } : {}),
    ...(wanted.stderr && !wanted.tty && stderr ? { stderr } : {}),
    ...(wanted.tty && resize ? { resize: sizes(quiet(resize)) } : {}),
  };
}

/** A client that vanished has ended its input like any other; that it is gone says the signal. */
async function* quiet(source: ByteSource): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* source;
  } catch {
    // Told by the abort signal, which the process ends on.
  }
}

/** Terminal sizes out of a stream of JSON objects `{"Width":80,"Height":24}`; anything else is skipped. */
export async function* sizes(source: ByteSource): AsyncGenerator<TerminalSize, void, void> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of source) {
    text = (text + decoder.decode(chunk, { stream: true })).slice(-resizeCharsMax);
    for (let end = text.indexOf("}"); end >= 0; end = text.indexOf("}")) {
      const size = /"Width":\s*(\d{1,5})\b.*"Height":\s*(\d{1,5})\b|"Height":\s*(\d{1,5})\b.*"Width":\s*(\d{1,5})\b/s.exec(text.slice(0, end));
      text = text.slice(end + 1);
      const [width, height] = [Number(size?.[1] ?? size?.[4]), Number(size?.[2] ?? size?.[3])];
      if (width > 0 && height > 0 && width <= 65535 && height <= 65535) yield { width, height };
    }
  }
}
