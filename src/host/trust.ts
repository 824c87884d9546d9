/** Whom a TLS client of ours believes: whom Go's crypto/x509 does, and what it says of the others, in its words. */
import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { checkServerIdentity, connect, rootCertificates, type ConnectionOptions, type TLSSocket } from "node:tls";

export type Trust = { readonly ca: string | string[]; readonly allowPartialTrustChain: true; readonly agent: Agent };

/**
 * The options that trust the PEM certificates in `ca` as Go's `x509.CertPool` does: every one of them, be it an authority, an intermediate or the very
 * certificate that the server shows (CloudNativePG's webhooks say that one as their `caBundle`). Without `ca`, the authorities that Node brings.
 * `agent`: one of `believing`, for connections that are kept; each is closed after its request unless it says otherwise.
 */
export function trusting(ca: string | undefined, agent: Agent = oneRequestEach): Trust {
  return { ca: ca ?? [...rootCertificates], allowPartialTrustChain: true, agent };
}

/** The agent, deciding itself whom its connections believe: OpenSSL takes a leaf for self-signed that has its authority's name (all of Knative's and Tekton's webhooks). */
export function believing(agent: Agent): Agent {
  agent.createConnection = options => {
    const asked = options as ConnectionOptions;
    if (asked.rejectUnauthorized === false) return connect(asked);
    const socket = connect({ ...asked, rejectUnauthorized: false, checkServerIdentity: () => undefined });
    // The first listener, within the handshake's last call, where Node itself would refuse: nothing of the request has been sent yet.
    socket.once("secureConnect", () => {
      const objection = objectionTo(socket, asked);
      if (objection !== undefined) socket.destroy(new Error(`tls: failed to verify certificate: x509: ${objection}`));
    });
    return socket;
  };
  return agent;
}

// No session is resumed: each connection is judged by the certificates that it shows.
const oneRequestEach = believing(new Agent({ maxCachedSessions: 0 }));

/** The PEM certificates of a bundle, one by one. */
export function certificatesOf(bundle: string): readonly X509Certificate[] {
  return (bundle.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(block => new X509Certificate(block));
}

function objectionTo(socket: TLSSocket, { ca, servername, host }: ConnectionOptions): string | undefined {
  const leaf = socket.getPeerX509Certificate();
  if (leaf === undefined) return "no certificate was shown";
  const roots = (): readonly X509Certificate[] => certificatesOf([ca].flat().join("\n"));
  // OpenSSL has checked the signatures, the dates and what the certificates are for; of several objections it names the last: after this one come dates and purpose.
  const code = socket.authorized ? undefined : String(socket.authorizationError);
  if (code !== undefined && !(code === "DEPTH_ZERO_SELF_SIGNED_CERT" && roots().some(root => isIssuer(root, leaf)))) return untrusted(code, leaf, roots());
  return wrongName(servername !== undefined && servername !== "" ? servername : host ?? "", socket, leaf);
}

const nameConstraints = Buffer.from("0603551d1e", "hex");

/** Whether `root` signed the leaf itself, and may. What OpenSSL alone can judge is not believed on this way. */
const isIssuer = (root: X509Certificate, leaf: X509Certificate): boolean =>
  root.ca && misdated(root) === undefined && !root.raw.includes(nameConstraints) && leaf.checkIssued(root) && leaf.verify(root.publicKey);

function wrongName(host: string, socket: TLSSocket, leaf: X509Certificate): string | undefined {
  const wrong = checkServerIdentity(host, socket.getPeerCertificate());
  const names = (leaf.subjectAltName ?? "").split(", ").map(each => each.replace(/^(DNS|IP Address):/, "")).filter(each => each !== "");
  if (names.length === 0) return wrong === undefined ? "certificate relies on legacy Common Name field, use SANs instead" : `certificate is not valid for any names, but wanted to match ${host}`;
  return wrong === undefined ? undefined : `certificate is valid for ${names.join(", ")}, not ${host}`;
}

function untrusted(code: string, leaf: X509Certificate, roots: readonly X509Certificate[]): string {
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT": case "SELF_SIGNED_CERT_IN_CHAIN": case "UNABLE_TO_GET_ISSUER_CERT": case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": case "UNABLE_TO_VERIFY_LEAF_SIGNATURE": case "CERT_SIGNATURE_FAILURE":
      return `certificate signed by unknown authority${candidateText(leaf, roots)}`;
    case "CERT_HAS_EXPIRED": case "CERT_NOT_YET_VALID": return `certificate has expired or is not yet valid${[leaf, ...roots].map(misdated).find(text => text !== undefined) ?? ""}`;
    case "INVALID_PURPOSE": return "certificate specifies an incompatible key usage";
    default: return code;
  }
}

/** A root that has the name of the last issuer, but did not sign: mostly an authority that was made anew (crypto/x509 UnknownAuthorityError). */
function candidateText(leaf: X509Certificate, roots: readonly X509Certificate[]): string {
  let last = leaf;
  while (last.issuerCertificate !== undefined && last.issuerCertificate.fingerprint256 !== last.fingerprint256) last = last.issuerCertificate;
  const candidate = roots.find(root => root.subject === last.issuer && !(root.ca && last.verify(root.publicKey)));
  if (candidate === undefined) return "";
  const why = !candidate.ca ? "x509: invalid signature: parent certificate cannot sign this kind of certificate"
    : candidate.publicKey.asymmetricKeyType === "rsa" ? "crypto/rsa: verification error"
    : `x509: ${candidate.publicKey.asymmetricKeyType === "ed25519" ? "Ed25519" : "ECDSA"} verification failure`;
  const { CN, O } = candidate.toLegacyObject().subject;
  const name = [CN].flat().at(-1) ?? [O].flat()[0] ?? `serial:${BigInt(`0x${candidate.serialNumber}`)}`;
  return ` (possibly because of ${JSON.stringify(why)} while trying to verify candidate authority certificate ${JSON.stringify(name)})`;
}

function misdated(certificate: X509Certificate): string | undefined {
  const now = Date.now();
  const bound = now > certificate.validToDate.getTime() ? { word: "after", date: certificate.validToDate } : now < certificate.validFromDate.getTime() ? { word: "before", date: certificate.validFromDate } : undefined;
  return bound && `: current time ${seconds(new Date(now))} is ${bound.word} ${seconds(bound.date)}`;
}

const seconds = (date: Date): string => date.toISOString().replace(/\.\d+/, "");
