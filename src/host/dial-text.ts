/** Go's words for why a connection was not made: users search for them. `place` is `address:port`. */
export function dialText(error: NodeJS.ErrnoException, place: string): string {
  const dial = `dial tcp ${place}`;
  switch (error.code) {
    case "ECONNREFUSED": return `${dial}: connect: connection refused`;
    case "EHOSTUNREACH": return `${dial}: connect: no route to host`;
    case "ENETUNREACH": return `${dial}: connect: network is unreachable`;
    case "ETIMEDOUT": return `${dial}: i/o timeout`;
    case "ENOTFOUND": return `dial tcp: lookup ${place.replace(/:[0-9]+$/, "")}: no such host`;
    case "ECONNRESET": return "EOF";
    case "EPROTO": return /wrong version number/.test(error.message) ? "http: server gave HTTP response to HTTPS client" : error.message;
    default: return error.message;
  }
}
