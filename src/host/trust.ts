/** Whom a TLS client of ours believes: whom Go's crypto/x509 does, and what it says of the others, in its words. */
import { X509Certificate } from "node:crypto";
import { Agent } from "node:https";
import { connect, DEFAULT_CIPHERS, rootCertificates, type ConnectionOptions, type TLSSocket } from "node:tls";
import { parseIp, renderIp } from "../base/ip.ts";

export type Trust = { readonly ca: string | string[]; readonly allowPartialTrustChain: true; readonly ciphers: string; readonly agent: Agent };

// RSA keys of 1,024 bits and more, no SHA-1: as Go's crypto/tls.
const ciphers = `${DEFAULT_CIPHERS}:@SECLEVEL=1`;

/**
 * The options that trust the PEM certificates in `ca` as Go's `x509.CertPool` does: every one of them, be it an authority, an intermediate or the very
 * certificate that the server shows (CloudNativePG's webhooks say that one as their `caBundle`). Without `ca`, the authorities that Node brings.
 * `agent`: one of `believing`, for connections that are kept; each is closed after its request unless it says otherwise.
 */
export function trusting(ca: string | undefined, agent: Agent = oneRequestEach): Trust {
  return { ca: ca ?? [...rootCertificates], allowPartialTrustChain: true, ciphers, agent };
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
  const expired = misdated(leaf) ?? wrongName(servername !== undefined && servername !== "" ? servername : host ?? "", leaf);
  if (expired !== undefined || socket.authorized) return expired;
  const roots = certificatesOf([ca].flat().join("\n"));
  // OpenSSL has checked the signatures, the dates and what the certificates are for; of several objections it names the last: after this one come purpose and dates.
  const code = String(socket.authorizationError);
  return code === "DEPTH_ZERO_SELF_SIGNED_CERT" && roots.some(root => isIssuer(root, leaf)) ? undefined : untrusted(code, leaf, roots);
}

const nameConstraints = Buffer.from("0603551d1e", "hex");

/** Whether `root` signed the leaf itself, and may. What OpenSSL alone can judge is not believed on this way. */
const isIssuer = (root: X509Certificate, leaf: X509Certificate): boolean =>
  root.ca && misdated(root) === undefined && !root.raw.includes(nameConstraints) && leaf.checkIssued(root) && leaf.verify(root.publicKey);

const namesMax = 100;

/** Why the certificate is not for this host (crypto/x509 VerifyHostname, HostnameError): alternative names alone count, and `*` for one whole label. */
function wrongName(host: string, leaf: X509Certificate): string | undefined {
  // What needs quotes in Node's text is no name of ours; a value cannot end one and begin another.
  const names = [...(leaf.subjectAltName ?? "").matchAll(/([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,"]*)(?:, |$)/gy)];
  const ip = parseIp(host);
  const valid = names.filter(([, kind]) => kind === (ip === undefined ? "DNS" : "IP Address")).map(([, , name = ""]) => (ip === undefined ? name : textOfIp(name)));
  if (ip === undefined ? valid.some(name => isNamed(name, host)) : valid.includes(renderIp(ip))) return undefined;
  if (leaf.subjectAltName === undefined && [leaf.toLegacyObject().subject.CN].flat().some(name => name !== undefined && isNamed(name, host))) return "certificate relies on legacy Common Name field, use SANs instead";
  if (ip !== undefined && valid.length === 0) return `cannot validate certificate for ${host} because it doesn't contain any IP SANs`;
  if (valid.length >= namesMax) return `certificate is valid for ${valid.length} ${ip === undefined ? "names" : "IP SANs"}, but none matched ${host}`;
  return valid.length === 0 ? `certificate is not valid for any names, but wanted to match ${host}` : `certificate is valid for ${valid.join(", ")}, not ${host}`;
}

function isNamed(pattern: string, host: string): boolean {
  const [wanted, asked] = [pattern.toLowerCase().split("."), host.toLowerCase().replace(/\.$/, "").split(".")];
  return wanted.length === asked.length && asked.every((label, at) => label !== "" && (label === wanted[at] || (at === 0 && wanted[at] === "*")));
}

const textOfIp = (text: string): string => { const ip = parseIp(text); return ip === undefined ? text : renderIp(ip); };

function untrusted(code: string, leaf: X509Certificate, roots: readonly X509Certificate[]): string {
  switch (code) {
    case "DEPTH_ZERO_SELF_SIGNED_CERT": case "SELF_SIGNED_CERT_IN_CHAIN": case "UNABLE_TO_GET_ISSUER_CERT": case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY": case "UNABLE_TO_VERIFY_LEAF_SIGNATURE": case "CERT_SIGNATURE_FAILURE":
      return `certificate signed by unknown authority${candidateText(leaf, roots)}`;
    case "CERT_HAS_EXPIRED": case "CERT_NOT_YET_VALID": return roots.map(misdated).find(text => text !== undefined) ?? code;
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

/** Go's objection to the dates. */
function misdated(certificate: X509Certificate): string | undefined {
  const now = Date.now();
  const bound = now > certificate.validToDate.getTime() ? { word: "after", date: certificate.validToDate } : now < certificate.validFromDate.getTime() ? { word: "before", date: certificate.validFromDate } : undefined;
  return bound && `certificate has expired or is not yet valid: current time ${seconds(new Date(now))} is ${bound.word} ${seconds(bound.date)}`;
}

const seconds = (date: Date): string => date.toISOString().replace(/\.\d+/, "");
