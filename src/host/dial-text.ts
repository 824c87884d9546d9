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
    case "DEPTH_ZERO_SELF_SIGNED_CERT": case "SELF_SIGNED_CERT_IN_CHAIN": case "UNABLE_TO_GET_ISSUER_CERT": case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": case "UNABLE_TO_VERIFY_LEAF_SIGNATURE": case "CERT_SIGNATURE_FAILURE":
      return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
    case "CERT_HAS_EXPIRED": case "CERT_NOT_YET_VALID": return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
    case "ERR_TLS_CERT_ALTNAME_INVALID": return `tls: failed to verify certificate: x509: ${altnameText(error)}`;
    default: return error.message;
  }
}

function altnameText(error: NodeJS.ErrnoException & { readonly host?: string; readonly cert?: { readonly subjectaltname?: string } }): string {
  const names = (error.cert?.subjectaltname ?? "").split(", ").map(each => each.replace(/^(DNS|IP Address):/, "")).filter(each => each !== "");
  return names.length === 0 ? `certificate is not valid for any names, but wanted to match ${error.host ?? ""}` : `certificate is valid for ${names.join(", ")}, not ${error.host ?? ""}`;
}
