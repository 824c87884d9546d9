import { getServers } from "node:dns";
import { isIP } from "node:net";

/** Go's words for why a connection was not made: users search for them. `place` is `address:port`, or `name:port` of what was looked up. */
export function dialText(error: NodeJS.ErrnoException & { readonly address?: string; readonly port?: number }, place: string): string {
  const { address, port } = error;
  const dial = `dial tcp ${address === undefined || port === undefined ? place : `${isIP(address) === 6 ? `[${address}]` : address}:${port}`}`;
  switch (error.code) {
    case "ECONNREFUSED": return `${dial}: connect: connection refused`;
    case "EHOSTUNREACH": return `${dial}: connect: no route to host`;
    case "ENETUNREACH": return `${dial}: connect: network is unreachable`;
    case "ETIMEDOUT": return `${dial}: i/o timeout`;
    case "ENOTFOUND": return `dial tcp: lookup ${place.replace(/:[0-9]+$/, "")}${resolver()}: no such host`;
    case "ECONNRESET": return "EOF";
    // What is no TLS is mostly HTTP.
    case "EPROTO": return error.message.includes("wrong version number") ? "http: server gave HTTP response to HTTPS client" : error.message;
    default: return alertText(error.code) ?? error.message;
  }
}

/** The name server that is asked first. */
function resolver(): string {
  const [first] = getServers();
  return first === undefined ? "" : ` on ${isIP(first) === 0 ? first : isIP(first) === 6 ? `[${first}]:53` : `${first}:53`}`;
}

/** What the other side refused the handshake with (crypto/tls alert.go), from OpenSSL's name for it. */
function alertText(code: string | undefined): string | undefined {
  const alert = /^ERR_SSL_(?:SSLV3|TLSV1|TLSV13)_(?:ALERT_)?([A-Z_]+)$/.exec(code ?? "")?.[1];
  if (alert === undefined) return undefined;
  return `remote error: tls: ${{ PROTOCOL_VERSION: "protocol version not supported", UNKNOWN_CA: "unknown certificate authority", DECRYPT_ERROR: "error decrypting message" }[alert] ?? alert.toLowerCase().replaceAll("_", " ")}`;
}
