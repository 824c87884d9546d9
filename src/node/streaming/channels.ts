/**
 * Several byte streams over one WebSocket: every message begins with its channel's number (apimachinery's wsstream). In the base64
 * variants messages are text, the number is a digit and the rest base64.
 */
import type { ByteSink, ByteSource } from "../api.ts";
import { decodeBase64, encodeBase64 } from "./base64.ts";
import { Pipe } from "./pipe.ts";
import type { WebSocketConnection } from "./websocket.ts";

/** What a subprotocol's name says about it. */
export type ChannelProtocol = { readonly base64: boolean; /** v5: a message on channel 255 ends another channel. */ readonly closes: boolean };

const closeChannel = 255;
// Beyond this an unread channel makes the whole connection wait, as upstream's unbuffered pipes do from the first byte.
const unreadBytesMax = 256 * 1024;

export class Channels {
  readonly #socket: WebSocketConnection;
  readonly #protocol: ChannelProtocol;
  readonly #readers = new Map<number, Pipe>();

  /** `readable`: the channels that the client writes to; messages for others are thrown away. */
  constructor(socket: WebSocketConnection, protocol: ChannelProtocol, readable: readonly number[]) {
    this.#socket = socket;
    this.#protocol = protocol;
    for (const channel of readable) this.#readers.set(channel, new Pipe(unreadBytesMax));
  }

  /** Hands out messages until the client is gone or has closed. Before that, channels end only if the protocol can say so. */
  async run(): Promise<void> {
    try {
      for await (const message of this.#socket.messages()) {
        const first = message[0];
        if (first === undefined) continue;
        const channel = this.#protocol.base64 ? first - 48 : first;
        const data = this.#protocol.base64 ? decodeBase64(message.subarray(1)) : message.subarray(1);
        if (channel === closeChannel && this.#protocol.closes && data?.[0] !== undefined) this.#readers.get(data[0])?.end();
        else if (data) await this.#readers.get(channel)?.write(data);
      }
    } finally {
      for (const reader of this.#readers.values()) reader.end();
    }
  }

  input(channel: number): ByteSource & { discard(): void } {
    const reader = this.#readers.get(channel);
    if (!reader) throw new Error(`channel ${channel} is not read`);
    return reader;
  }

  output(channel: number): ByteSink {
    return { write: chunk => this.send(channel, chunk) };
  }

  /** One message, also an empty one. */
  async send(channel: number, data: Uint8Array): Promise<void> {
    const body = this.#protocol.base64 ? encodeBase64(data) : data;
    const message = new Uint8Array(body.length + 1);
    message[0] = this.#protocol.base64 ? channel + 48 : channel;
    message.set(body, 1);
    await this.#socket.send(message, this.#protocol.base64 ? "text" : "binary");
  }
}
