/** The HTTP half of a WebSocket: its handshake, and the refusal of one. */
import { createHash } from "node:crypto";
import type { Headers } from "../api/http.ts";

/** A subprotocol that begins so is a browser's way to send a bearer token. */
export const bearerProtocol = "base64url.bearer.authorization.k8s.io.";

/** Whether a request wants a WebSocket (wsstream.IsWebSocketRequest). */
export function isWebSocket(headers: Headers): boolean {
  return String(headers["upgrade"] ?? "").toLowerCase() === "websocket" && String(headers["connection"] ?? "").toLowerCase().split(",").some(item => item.trim() === "upgrade");
}

export type Handshake = { readonly ok: true; readonly protocol: string; readonly head: string } | { readonly ok: false; readonly status: number; readonly message: string; readonly headers: { readonly [name: string]: string } };

/** Chooses the first of the client's subprotocols that is in `supported`; "" there allows clients that name none. */
export function webSocketHandshake(method: string, headers: Headers, supported: readonly string[]): Handshake {
  const refuse = (status: number, message: string, more: { readonly [name: string]: string } = {}): Handshake => ({ ok: false, status, message, headers: more });
  const key = String(headers["sec-websocket-key"] ?? "");
  if (method !== "GET") return refuse(405, "bad method");
  if (!/^[A-Za-z0-9+/]{22}==$/.test(key)) return refuse(400, "mismatch challenge/response");
  if (headers["sec-websocket-version"] !== "13") return refuse(400, "missing or bad WebSocket Version", { "sec-websocket-version": "13" });
  const offered = headers["sec-websocket-protocol"] === undefined ? [""] : String(headers["sec-websocket-protocol"]).split(",").map(item => item.trim());
  const protocol = offered.find(item => supported.includes(item));
  if (protocol === undefined) return refuse(403, `requested protocol(s) are not supported: [${offered.join(" ")}]; supports [${supported.join(" ")}]`);
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return {
    ok: true, protocol,
    head: `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n${protocol === "" ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
  };
}
