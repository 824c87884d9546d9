/** Who is at the other end of a TLS connection, worked out once when it is set up. */
import type { DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { Peer } from "../api/http.ts";
import { certificatesOf } from "./trust.ts";

/** Fingerprints (SHA-256, as Node prints them) of the authorities whose certificates count, per role. */
export type Authorities = { readonly client: ReadonlySet<string>; readonly frontProxy: ReadonlySet<string> };

/** Reads the authorities. They must not overlap: one CA for both roles would let every client claim to be anyone (rule M). */
export function authoritiesOf(clientCa: string, frontProxyCa: string | undefined): Authorities {
  const client = fingerprints(clientCa);
  const frontProxy = fingerprints(frontProxyCa ?? "");
  for (const fingerprint of frontProxy) if (client.has(fingerprint)) throw new Error("the client CA and the front-proxy CA must be different certificates");
  return { client, frontProxy };
}

/** Of the subject's attribute that is its user's uid (apiserver pkg/authentication/request/x509/x509.go). */
const uidOid = "1.3.6.1.4.1.57683.2";

export function peerOf(socket: TLSSocket, authorities: Authorities): Peer {
  const address = plainAddress(socket.remoteAddress);
  const leaf = socket.getPeerCertificate(true);
  if (leaf?.raw === undefined) return { address };
  // OpenSSL has checked dates, purpose, signatures and that the chain ends in one of our authorities.
  if (!socket.authorized) return { address, badCertificate: String(socket.authorizationError) };
  const root = rootOf(leaf);
  const ca = authorities.client.has(root) ? "client" : authorities.frontProxy.has(root) ? "front-proxy" : undefined;
  if (ca === undefined) return { address, badCertificate: "certificate signed by unknown authority" };
  const uids = listOf((leaf.subject as unknown as { readonly [oid: string]: string | undefined })[uidOid]);
  if (ca === "client" && (uids.length > 1 || uids[0] === "")) return { address, badCertificate: "a certificate has one uid that is not empty" };
  return {
    address,
    certificate: {
      ca,
      ...(uids[0] === undefined ? {} : { uid: uids[0] }),
      commonName: listOf(leaf.subject.CN).at(-1) ?? "",
      organizations: listOf(leaf.subject.O),
      fingerprint: leaf.fingerprint256.replaceAll(":", "").toLowerCase(),
      notAfterMs: Date.parse(leaf.valid_to),
    },
  };
}

/** An IPv4 address that arrived on an IPv6 socket is written as what it is. */
export function plainAddress(address: string | undefined): string {
  return address?.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address ?? "";
}

export function isLoopback(address: string): boolean {
  return address === "::1" || address.startsWith("127.");
}

/** Longer than any chain that OpenSSL verifies for us. */
const chainMax = 32;

function rootOf(leaf: DetailedPeerCertificate): string {
  let certificate = leaf;
  // The authority's own certificate names itself as issuer; a chain without it ends in undefined. Two that name each other would never end.
  for (let links = 0; links < chainMax && certificate.issuerCertificate !== undefined && certificate.issuerCertificate !== certificate; links++) certificate = certificate.issuerCertificate;
  return certificate.fingerprint256;
}

function fingerprints(bundle: string): Set<string> {
  return new Set(certificatesOf(bundle).map(certificate => certificate.fingerprint256));
}

// A name that occurs more than once in the subject comes as an array, which Node's types do not say.
function listOf(value: string | readonly string[] | undefined): readonly string[] {
  return value === undefined ? [] : typeof value === "string" ? [value] : value;
}
