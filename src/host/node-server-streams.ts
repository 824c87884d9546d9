/** exec, attach, port-forward and logs of the node agent, as answers that take their connection over. */
import { ApiError } from "../base/api-error.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { json, type HttpRequest } from "../api/http.ts";
import type { ByteSink } from "../node/api.ts";
import { encodeBase64 } from "../node/streaming/base64.ts";
import { serveChannels, serveSpdy, type ProcessOptions } from "../node/streaming/process.ts";
import { portOf, serveForwardChannels, servePortForward, type Connect, type ForwardedPod } from "../node/streaming/port-forward.ts";
import type { Carrier } from "../node/streaming/spdy-session.ts";
import { WebSocketConnection } from "../node/streaming/websocket.ts";
import type { HostResponse, Upgraded } from "./https-server-exchange.ts";
import { carrierOf, endGently } from "./socket-carrier.ts";
import { createHeaderInflater } from "./spdy.ts";
import { isWebSocket, webSocketHandshake } from "./websocket.ts";

/** Upstream's StreamingConnectionIdleTimeout. */
const idleMs = 4 * 3_600_000;
const lingerMs = 5_000;
// Of the channel protocols only the names differ until v4 (a Status at the end) and v5 (channels that can be closed).
const execProtocols = ["v5.channel.k8s.io", "v4.channel.k8s.io", "v4.base64.channel.k8s.io", "channel.k8s.io", "base64.channel.k8s.io", ""];
const spdyVersions = ["v4.channel.k8s.io", "v3.channel.k8s.io", "v2.channel.k8s.io", "channel.k8s.io"];
const forwardTunnel = "SPDY/3.1+portforward.k8s.io";
const forwardProtocols = [forwardTunnel, "v4.channel.k8s.io", "v4.base64.channel.k8s.io", ""];
const logProtocols = ["binary.k8s.io", "base64.binary.k8s.io", ""];

export type StreamOptions = { readonly clock: Clock; readonly log: Log };

/** Runs a process's streams over whatever the client asked for. */
export function processResponse(request: HttpRequest, process: ProcessOptions, options: StreamOptions): HostResponse {
  if (isWebSocket(request.headers))
    return webSocket(request, execProtocols, options, (socket, protocol) =>
      serveChannels(socket, { base64: protocol.includes("base64"), closes: protocol.startsWith("v5."), json: /^v[45]\./.test(protocol) }, process));
  return spdy(request, spdyVersions, options, (carrier, inflate, protocol) =>
    serveSpdy(carrier, inflate, protocol === "channel.k8s.io" ? 1 : Number(protocol[1]) as 2 | 3 | 4, process, options.clock));
}

/** `ports` is what the query names: only the older WebSocket protocol needs it. */
export function forwardResponse(request: HttpRequest, pod: ForwardedPod, ports: readonly string[], connect: Connect, options: StreamOptions): HostResponse {
  if (!isWebSocket(request.headers)) return spdy(request, ["portforward.k8s.io"], options, (carrier, inflate) => servePortForward(carrier, inflate, pod, connect, options.clock));
  return webSocket(request, forwardProtocols, options, async (socket, protocol) => {
    if (protocol !== forwardTunnel) return serveForwardChannels(socket, { base64: protocol.includes("base64"), closes: false }, portsOf(ports), pod, connect);
    const headers = createHeaderInflater();
    try {
      await servePortForward({ input: socket.messages(), output: { write: chunk => socket.send(chunk) } }, headers.inflate, pod, connect, options.clock);
    } finally {
      headers.close();
    }
  }, protocol => { if (protocol !== forwardTunnel) portsOf(ports); });
}

/** A log as WebSocket messages without channels (wsstream.Reader). */
export function logSocketResponse(request: HttpRequest, write: (out: ByteSink, signal: AbortSignal) => Promise<void>, options: StreamOptions): HostResponse {
  return webSocket(request, logProtocols, options, async (socket, protocol) => {
    const text = protocol.startsWith("base64");
    const gone = new AbortController();
    // Nothing is expected from the client but its going away.
    const reading = (async () => { for await (const _ of socket.messages()) continue; })().then(() => gone.abort(), error => gone.abort(error));
    await socket.send(new Uint8Array(0), text ? "text" : "binary");
    await write({ write: chunk => text ? socket.send(encodeBase64(chunk), "text") : socket.send(chunk) }, gone.signal);
    await socket.close();
    void reading;
  });
}

function webSocket(request: HttpRequest, supported: readonly string[], options: StreamOptions, serve: (socket: WebSocketConnection, protocol: string) => Promise<void>, check?: (protocol: string) => void): HostResponse {
  const handshake = webSocketHandshake(request.method, request.headers, supported);
  if (!handshake.ok) {
    const error = new ApiError(handshake.status === 403 ? "Forbidden" : "BadRequest", `unable to upgrade: ${handshake.message}`, undefined, handshake.status);
    return json(error.code, error.status(), handshake.headers);
  }
  check?.(handshake.protocol);
  return takeover(handshake.head, options, carrier => serve(new WebSocketConnection(carrier.input, carrier.output), handshake.protocol));
}

/** httpstream.Handshake: the client's versions stand in `X-Stream-Protocol-Version`, its favourite first. */
function spdy(request: HttpRequest, supported: readonly string[], options: StreamOptions, serve: (carrier: Carrier, inflate: ReturnType<typeof createHeaderInflater>["inflate"], protocol: string) => Promise<void>): HostResponse {
  if (!request.upgrade || String(request.headers["upgrade"] ?? "").toLowerCase() !== "spdy/3.1") throw new ApiError("BadRequest", "unable to upgrade: missing upgrade headers in request");
  const header = request.headers["x-stream-protocol-version"];
  if (header === undefined) throw new ApiError("BadRequest", "unable to upgrade: X-Stream-Protocol-Version is required");
  const offered = String(header).split(",").map(item => item.trim());
  const protocol = offered.find(item => supported.includes(item));
  if (protocol === undefined) {
    const error = new ApiError("Forbidden", `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(" ")}], server accepts [${supported.join(" ")}]`);
    return json(403, error.status(), { "x-accepted-stream-protocol-versions": [...supported] });
  }
  return takeover(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${protocol}\r\n\r\n`, options, async carrier => {
    const headers = createHeaderInflater();
    try {
      await serve(carrier, headers.inflate, protocol);
    } finally {
      headers.close();
    }
  });
}

function takeover(head: string, options: StreamOptions, serve: (carrier: Carrier) => Promise<void>): HostResponse {
  return { status: 101, headers: {}, content: { type: "takeover", run: async (connection: Upgraded) => {
    const { socket } = connection;
    (socket as typeof socket & { setTimeout?: (ms: number, callback: () => void) => void }).setTimeout?.(idleMs, () => socket.destroy());
    socket.write(head);
    try {
      await serve(carrierOf(connection));
    } catch (error) {
      // The client broke the protocol or its connection: it is over either way, and the process with it.
      options.log.debug("stream ended", { error: messageOf(error) });
    } finally {
      endGently(socket, lingerMs);
    }
  } } };
}

function portsOf(texts: readonly string[]): number[] {
  if (texts.length === 0) throw new ApiError("BadRequest", 'query parameter "port" is required');
  return texts.flatMap(text => text.split(",")).map(text => {
    const port = portOf(text);
    if (typeof port === "string") throw new ApiError("BadRequest", text === "" ? 'query parameter "port" cannot be empty' : port);
    return port;
  });
}
