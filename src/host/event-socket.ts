/** A watch over a WebSocket, as Java's fabric8 client and browsers ask for it: each event is a message (WatchServer.HandleWS). */
import type { HttpRequest, Sink } from "../api/http.ts";
import { encodeWebSocket, WebSocketConnection } from "../node/streaming/websocket.ts";
import type { Exchange, Upgraded } from "./https-server-exchange.ts";
import type { StreamSink } from "./https-server-outlet.ts";
import { carrierOf } from "./socket-carrier.ts";
import { bearerProtocol, webSocketHandshake, type Handshake } from "./websocket.ts";

// Protobuf events stand behind their length in four bytes, which a message does not need.
const lengthBytes = 4;

/** The one subprotocol that the client names is its own affair. Quirk: without `Origin` it is refused (golang.org/x/net/websocket checkOrigin). */
export function eventHandshake({ method, headers }: HttpRequest): Handshake {
  const offered = String(headers["sec-websocket-protocol"] ?? "").split(",").map(item => item.trim()).filter(item => item !== "" && !item.startsWith(bearerProtocol));
  const refuse = (status: number, message: string): Handshake => ({ ok: false, status, message, headers: {} });
  if (offered.length > 1) return refuse(400, "bad protocol");
  if (!URL.canParse(String(headers["origin"] ?? ""))) return refuse(403, "null origin");
  const { "sec-websocket-protocol": _, ...others } = headers;
  return webSocketHandshake(method, offered.length === 0 ? others : { ...others, "sec-websocket-protocol": offered[0]! }, ["", ...offered]);
}

/** Each event that is written goes out as a message; dropped is what waits to go out. */
class EventMessages implements Sink {
  readonly #sink: StreamSink;
  constructor(sink: StreamSink) {
    this.#sink = sink;
  }
  write(chunk: string | Uint8Array): void {
    if (typeof chunk !== "string") return this.#sink.write(encodeWebSocket("binary", chunk.subarray(lengthBytes)));
    for (let at = 0, end = 0; at < chunk.length; at = end) {
      end = chunk.indexOf("\n", at) + 1 || chunk.length;
      this.#sink.write(encodeWebSocket("text", Buffer.from(chunk.slice(at, end))));
    }
  }
  drop(): void {
    this.#sink.drop();
  }
  get buffered(): number {
    return this.#sink.buffered;
  }
}

/** What is written to `events` goes out as messages; the client's going away aborts the exchange. `close` says that no more will come. */
export function eventSocket(exchange: Exchange, upgraded: Upgraded, sink: StreamSink): { readonly events: Sink; close(): Promise<void> } {
  const connection = new WebSocketConnection(carrierOf(upgraded).input, { write: async frame => sink.write(frame) });
  const reading = async (): Promise<void> => { for await (const _ of connection.messages()) continue; };
  void reading().then(() => exchange.abort(), () => exchange.abort());
  return { events: new EventMessages(sink), close: () => connection.close() };
}
