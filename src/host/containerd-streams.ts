/**
 * exec, attach and port-forward on containerd. exec goes through its task service and FIFOs, which gives exact ends of input and exit codes;
 * attach through its streaming server, because only CRI holds the main process' streams.
 */
import { randomUUID } from "node:crypto";
import { constants, closeSync, openSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { Socket } from "node:net";
import type { WebSocket } from "ws";
import { messageOf, type Log } from "../base/log.ts";
import type { RuntimeStreams } from "../node/agent-api.ts";
import type { ByteSource, Duplex, ProcessStreams, TerminalSize } from "../node/api.ts";
import type { SandboxState } from "../node/runtime.ts";
import { mustCommand } from "./command.ts";
import { ctrd } from "./cri-messages.ts";
import type { CriRuntime } from "./cri.ts";
import { connected, copy, drained, join } from "./socket-pair.ts";
import { grpcCode, isGrpcError } from "./grpc.ts";

const callMs = 30_000;
/** A command may run for long; the limit only ends a wait whose runtime has vanished. */
const execMs = 7 * 24 * 3_600_000;
/** Output that a background child still holds open is given up this long after the command itself has ended. */
const drainMs = 2_000;
/** A forwarded connection whose client has ended is closed when the pod says nothing for so long (the runtime's protocol cannot half-close). */
const quietMs = 1_000;
const processType = "types.containerd.io/opencontainers/runtime-spec/1/Process";
const { O_RDONLY, O_RDWR, O_NONBLOCK } = constants;
const encoder = new TextEncoder();

export class ContainerdStreams implements RuntimeStreams {
  readonly #runtime: CriRuntime;
  readonly #dir: string;
  readonly #log: Log;
  /** `dir` holds the FIFOs of commands that run. */
  constructor(runtime: CriRuntime, dir: string, log: Log) {
    this.#runtime = runtime;
    this.#dir = dir;
    this.#log = log;
  }

  async exec(containerId: string, command: readonly string[], tty: boolean, streams: ProcessStreams, signal: AbortSignal): Promise<{ readonly exitCode: number }> {
    const tasks = this.#runtime.containerd;
    const execId = `timonier-${randomUUID()}`;
    const folder = `${this.#dir}/${execId}`;
    const path = (name: string): string => `${folder}/${name}`;
    const names = ["stdout", ...(tty ? [] : ["stderr"]), ...(streams.stdin ? ["stdin"] : [])];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await mustCommand("mkfifo", ["-m", "0600", ...names.map(path)]);
    // Held open for writing until the process has its end: a reader would otherwise see the end of the file before it begins.
    const keepers = names.map(name => openSync(path(name), O_RDWR | O_NONBLOCK));
    const letGo = (): void => { for (const fd of keepers.splice(0)) closeSync(fd); };
    const outputs: Promise<void>[] = [];
    const sockets: Socket[] = [];
    try {
      const spec = { typeUrl: processType, value: encoder.encode(JSON.stringify(await this.#process(containerId, command, tty))) };
      await tasks.call(ctrd.taskExec, { containerId, execId, terminal: tty, spec, stdout: path("stdout"), stderr: tty ? "" : path("stderr"), stdin: streams.stdin ? path("stdin") : "" }, { timeoutMs: callMs });
      for (const name of ["stdout", "stderr"] as const) {
        if (!names.includes(name)) continue;
        const socket = new Socket({ fd: openSync(path(name), O_RDONLY | O_NONBLOCK), readable: true, writable: false });
        sockets.push(socket);
        const output = copy(socket, streams[name]);
        // Heard when the command has ended; until then a client that is gone is no reason to end anything.
        output.catch(() => undefined);
        outputs.push(output);
      }
      const input = streams.stdin ? new Socket({ fd: openSync(path("stdin"), O_RDWR | O_NONBLOCK), readable: false, writable: true }) : undefined;
      if (input) sockets.push(input);
      await tasks.call(ctrd.taskStart, { containerId, execId }, { timeoutMs: callMs });
      letGo();
      if (input && streams.stdin) void this.#feed(input, streams.stdin, () => tasks.call(ctrd.taskCloseIO, { containerId, execId, stdin: true }, { timeoutMs: callMs }));
      if (streams.resize) void this.#resize(streams.resize, size => tasks.call(ctrd.taskResizePty, { containerId, execId, ...size }, { timeoutMs: callMs }));
      const kill = (): void => void tasks.call(ctrd.taskKill, { containerId, execId, signal: 9 }, { timeoutMs: callMs }).catch((error: unknown) => this.#unlessGone(error));
      signal.addEventListener("abort", kill, { once: true });
      if (signal.aborted) kill();
      const { exitStatus = 0 } = await tasks.call(ctrd.taskWait, { containerId, execId }, { timeoutMs: execMs });
      signal.removeEventListener("abort", kill);
      await Promise.race([Promise.all(outputs), new Promise(done => setTimeout(done, drainMs).unref())]);
      return { exitCode: exitStatus };
    } finally {
      letGo();
      for (const socket of sockets) socket.destroy();
      await tasks.call(ctrd.taskDeleteProcess, { containerId, execId }, { timeoutMs: callMs }).catch((error: unknown) => this.#unlessGone(error));
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** The container's own process, with other arguments: same user, environment, capabilities and folder. */
  async #process(containerId: string, args: readonly string[], tty: boolean): Promise<unknown> {
    const { container } = await this.#runtime.containerd.call(ctrd.containerGet, { id: containerId }, { timeoutMs: callMs });
    const spec = JSON.parse(Buffer.from(container?.spec?.value ?? new Uint8Array()).toString("utf8")) as { readonly process: { readonly env?: readonly string[] } };
    const env = (spec.process.env ?? []).filter(line => !tty || !line.startsWith("TERM="));
    return { ...spec.process, args, terminal: tty, env: tty ? [...env, "TERM=xterm"] : env };
  }

  async #feed(socket: Socket, input: ByteSource, close: () => Promise<unknown>): Promise<void> {
    try {
      for await (const chunk of input) {
        if (socket.destroyed) return;
        if (!socket.write(chunk)) await drained(socket);
      }
      if (!socket.destroyed) await new Promise<void>(done => socket.end(done));
      socket.destroy();
      await close();
    } catch (error) {
      this.#unlessGone(error);
    }
  }
  async #resize(sizes: AsyncIterable<TerminalSize>, resize: (size: TerminalSize) => Promise<unknown>): Promise<void> {
    try {
      for await (const size of sizes) await resize(size);
    } catch (error) {
      this.#unlessGone(error);
    }
  }
  /** A process that has just ended cannot be told anything more: no news. */
  #unlessGone(error: unknown): void {
    if (!isGrpcError(error, grpcCode.notFound)) this.#log.debug("a stream of a command ended early", { error: messageOf(error) });
  }

  async attach(containerId: string, tty: boolean, streams: ProcessStreams, signal: AbortSignal): Promise<void> {
    const url = await this.#runtime.attachUrl(containerId, { stdin: streams.stdin !== undefined, stdout: streams.stdout !== undefined, stderr: streams.stderr !== undefined && !tty, tty });
    const socket = await webSocket(url, "v4.channel.k8s.io");
    const send = (channel: number, data: Uint8Array): Promise<void> => new Promise((resolve, reject) => socket.send(Buffer.concat([Buffer.from([channel]), data]), error => (error ? reject(error) : resolve())));
    const stop = (): void => socket.terminate();
    signal.addEventListener("abort", stop, { once: true });
    if (streams.stdin) void forEachQuietly(streams.stdin, chunk => send(0, chunk));
    if (streams.resize) void forEachQuietly(streams.resize, ({ width, height }) => send(4, encoder.encode(JSON.stringify({ Width: width, Height: height }))));
    await received(socket, (channel, data) => (channel === 1 ? streams.stdout : channel === 2 ? streams.stderr : undefined)?.write(data));
    signal.removeEventListener("abort", stop);
  }

  async portForward(sandbox: SandboxState, port: number, local: Duplex, signal: AbortSignal): Promise<void> {
    const address = sandbox.hostNetwork ? "127.0.0.1" : sandbox.ips[0];
    // Most servers listen on all of the pod's addresses. One that listens on its loopback only is reached through the runtime.
    const direct = address === undefined ? undefined : await connected(address, port);
    if (direct) return join(direct, local, signal);
    if (sandbox.hostNetwork) throw new Error(`dial tcp4 127.0.0.1:${port}: connect: connection refused`);
    await this.#forwardThroughRuntime(sandbox.id, port, local, signal);
  }

  async #forwardThroughRuntime(sandboxId: string, port: number, local: Duplex, signal: AbortSignal): Promise<void> {
    const socket = await webSocket(await this.#runtime.portForwardUrl(sandboxId, port), "v4.channel.k8s.io");
    const stop = (): void => socket.terminate();
    signal.addEventListener("abort", stop, { once: true });
    const opened = new Set<number>();
    let failure = "";
    let lastHeard = performance.now();
    void forEachQuietly(local.input, chunk => new Promise<void>((resolve, reject) => socket.send(Buffer.concat([Buffer.from([0]), chunk]), error => (error ? reject(error) : resolve())))).then(() => {
      const timer = setInterval(() => { if (performance.now() - lastHeard > quietMs) socket.close(); }, quietMs / 2);
      socket.once("close", () => clearInterval(timer));
    });
    await received(socket, async (channel, data) => {
      lastHeard = performance.now();
      // The first message of each channel is the port, which we know.
      if (!opened.has(channel)) return void opened.add(channel);
      if (channel === 1) failure += Buffer.from(data).toString("utf8");
      else await local.output.write(data);
    });
    signal.removeEventListener("abort", stop);
    local.end();
    if (failure !== "") throw new Error(failure);
  }
}

async function forEachQuietly<T>(source: AsyncIterable<T>, each: (item: T) => Promise<void>): Promise<void> {
  try {
    for await (const item of source) await each(item);
  } catch {
    // The other side has closed: its own end says so to whoever waits.
  }
}

async function webSocket(url: string, protocol: string): Promise<WebSocket> {
  const { WebSocket: Client } = await import("ws");
  return new Promise((resolve, reject) => {
    const socket = new Client(url.replace(/^http/, "ws"), [protocol], { followRedirects: false, perMessageDeflate: false });
    socket.binaryType = "nodebuffer";
    // What arrived together with the handshake would be read before anybody listens: hold it until then.
    socket.once("open", () => { socket.pause(); resolve(socket); });
    socket.once("error", reject);
  });
}

/** Messages in order, one handled before the next is read; resolves when the socket has closed. */
function received(socket: WebSocket, handle: (channel: number, data: Uint8Array) => Promise<void> | undefined): Promise<void> {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  socket.on("message", (message: Buffer) => {
    if (message.length < 1) return;
    if (++waiting > 16) socket.pause();
    last = last.then(() => handle(message[0]!, message.subarray(1))).then(() => {
      if (--waiting <= 16) socket.resume();
    });
  });
  socket.resume();
  return new Promise((resolve, reject) => {
    socket.once("close", () => last.then(resolve, reject));
    socket.once("error", () => socket.terminate());
  });
}
