/**
 * Writes X.509 certificates: the small part of DER (X.690) and RFC 5280 that our own PKI needs, over node:crypto's keys and signatures.
 * Why not a library: docs/decisions/0004-own-certificate-writer.md.
 */
import { createHash, createPublicKey, randomBytes, sign, type KeyObject } from "node:crypto";
import { isIP, isIPv6 } from "node:net";
import { assert } from "../base/assert.ts";

export type CertificateRequest = {
  readonly commonName: string;
  readonly organizations?: readonly string[];
  /** The subject's key, public or private. */
  readonly key: KeyObject;
  readonly notBefore: number;
  readonly notAfter: number;
  /** A certificate authority, or what a leaf may be used for. */
  readonly usage: "ca" | readonly ("server" | "client")[];
  /** DNS names and IP addresses, mixed. */
  readonly names?: readonly string[];
  /** Copied from a signing request: the subject's DER in place of the names above, the value of subjectAltName. */
  readonly subject?: Buffer | undefined;
  readonly alternativeNames?: Buffer | undefined;
  /** An RSA key may also encrypt keys. */
  readonly keyEncipherment?: boolean;
};
/** Who signs: `certificate` is the issuer's DER, or `undefined` for a self-signed one. The key is P-256. */
export type Issuer = { readonly key: KeyObject; readonly certificate: Uint8Array | undefined };

const oid = {
  commonName: "2.5.4.3", organization: "2.5.4.10", ecdsaWithSha256: "1.2.840.10045.4.3.2",
  subjectKeyIdentifier: "2.5.29.14", keyUsage: "2.5.29.15", subjectAltName: "2.5.29.17", basicConstraints: "2.5.29.19",
  authorityKeyIdentifier: "2.5.29.35", extKeyUsage: "2.5.29.37", serverAuth: "1.3.6.1.5.5.7.3.1", clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;

/** Signs a certificate and returns its DER. */
export function issueCertificate(request: CertificateRequest, issuer: Issuer): Buffer {
  assert(request.notBefore < request.notAfter, "a certificate ends after it begins");
  assert(issuer.key.asymmetricKeyDetails?.namedCurve === "prime256v1", "certificates are signed with P-256 keys");
  const subject = request.subject ?? name(request.commonName, request.organizations ?? []);
  const spki = publicKeyOf(request.key);
  const algorithm = sequence(objectIdentifier(oid.ecdsaWithSha256));
  const certificate = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    issuer.certificate === undefined ? subject : subjectOf(issuer.certificate),
    sequence(time(request.notBefore), time(request.notAfter)),
    subject,
    spki,
    explicit(3, sequence(...extensions(request, spki, publicKeyOf(issuer.key)))),
  );
  return sequence(certificate, algorithm, bitString(sign("sha256", certificate, issuer.key)));
}

export function pem(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der).toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

function extensions(request: CertificateRequest, spki: Buffer, issuerSpki: Buffer): Buffer[] {
  const { usage, names = [], alternativeNames, keyEncipherment = false } = request;
  const isCa = usage === "ca";
  const alternatives = alternativeNames ?? (names.length === 0 ? undefined : sequence(...names.map(alternativeName)));
  return [
    // Bits 0 digitalSignature, 2 keyEncipherment, 5 keyCertSign, 6 cRLSign; the first octet counts the unused bits at the end.
    extension(oid.keyUsage, true, tlv(0x03, Buffer.from(isCa ? [1, 0b10000110] : keyEncipherment ? [5, 0b10100000] : [7, 0b10000000]))),
    ...(isCa ? [] : [extension(oid.extKeyUsage, false, sequence(...usage.map(use => objectIdentifier(use === "server" ? oid.serverAuth : oid.clientAuth))))]),
    extension(oid.basicConstraints, true, isCa ? sequence(tlv(0x01, Buffer.from([0xff]))) : sequence()),
    ...(isCa ? [extension(oid.subjectKeyIdentifier, false, tlv(0x04, keyIdentifier(spki)))] : []),
    extension(oid.authorityKeyIdentifier, false, sequence(tlv(0x80, keyIdentifier(issuerSpki)))),
    ...(alternatives === undefined ? [] : [extension(oid.subjectAltName, false, alternatives)]),
  ];
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return sequence(objectIdentifier(id), ...(critical ? [tlv(0x01, Buffer.from([0xff]))] : []), tlv(0x04, value));
}

function alternativeName(name: string): Buffer {
  return isIP(name) === 0 ? tlv(0x82, Buffer.from(name, "ascii")) : tlv(0x87, addressBytes(name));
}

/** The address's 4 or 16 bytes in network order. */
export function addressBytes(address: string): Buffer {
  if (!isIPv6(address)) return Buffer.from(address.split(".").map(Number));
  const [head = "", tail] = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, a, b, c, d) =>
    `${((+a << 8) | +b).toString(16)}:${((+c << 8) | +d).toString(16)}`).split("::");
  const words = (text: string): string[] => (text === "" ? [] : text.split(":"));
  const before = words(head);
  const after = tail === undefined ? [] : words(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => "0");
  return Buffer.from([...before, ...zeros, ...after].flatMap(word => { const n = Number.parseInt(word, 16); return [n >> 8, n & 0xff]; }));
}

/** One RDN per attribute; organizations first, as Go's pkix.Name writes them. */
function name(commonName: string, organizations: readonly string[]): Buffer {
  const attribute = (id: string, value: string): Buffer => tlv(0x31, sequence(objectIdentifier(id), tlv(0x0c, Buffer.from(value, "utf8"))));
  return sequence(...organizations.map(value => attribute(oid.organization, value)), attribute(oid.commonName, commonName));
}

function keyIdentifier(spki: Buffer): Buffer {
  // SHA-1 over the key's bits, RFC 5280 4.2.1.2 (1): an identifier, not a protection.
  const bits = child(spki, 1);
  return createHash("sha1").update(bits.subarray(1)).digest();
}

/** The bytes of the subject's Name in a certificate. */
function subjectOf(certificate: Uint8Array): Buffer {
  const fields = Buffer.from(child(Buffer.from(certificate), 0));
  let offset = 0;
  // version [0], serial, signature, issuer, validity, then subject
  for (let i = 0; i < 5; i++) offset = element(fields, offset).end;
  const subject = element(fields, offset);
  return fields.subarray(offset, subject.end);
}

/** The content of the n-th element inside a constructed one. */
function child(der: Buffer, index: number): Buffer {
  const outer = element(der, 0);
  let offset = outer.start;
  for (let i = 0; i < index; i++) offset = element(der, offset).end;
  const found = element(der, offset);
  return der.subarray(found.start, found.end);
}

function element(der: Buffer, offset: number): { start: number; end: number } {
  const first = der.readUInt8(offset + 1);
  const count = first < 0x80 ? 0 : first & 0x7f;
  const length = count === 0 ? first : der.readUIntBE(offset + 2, count);
  const start = offset + 2 + count;
  assert(start + length <= der.length, "a DER element lies inside its parent");
  return { start, end: start + length };
}

function publicKeyOf(key: KeyObject): Buffer {
  return (key.type === "private" ? createPublicKey(key) : key).export({ type: "spki", format: "der" });
}

/** 127 random bits: positive, and far below RFC 5280's limit of 20 octets. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x7f) | 0x40;
  return bytes;
}

function time(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, "");
  // RFC 5280 4.1.2.5: UTCTime through 2049, GeneralizedTime from 2050 on.
  return Number(digits.slice(0, 4)) < 2050 ? tlv(0x17, Buffer.from(digits.slice(2))) : tlv(0x18, Buffer.from(digits));
}

function objectIdentifier(id: string): Buffer {
  const [first = 0, second = 0, ...rest] = id.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const groups = [part & 0x7f];
    for (let left = part >>> 7; left > 0; left >>>= 7) groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Buffer.from(bytes));
}

const integer = (bytes: Buffer): Buffer => tlv(0x02, bytes);
const bitString = (bytes: Buffer): Buffer => tlv(0x03, Buffer.concat([Buffer.from([0]), bytes]));
const sequence = (...parts: readonly Buffer[]): Buffer => tlv(0x30, Buffer.concat(parts));
const explicit = (tag: number, content: Buffer): Buffer => tlv(0xa0 | tag, content);

function tlv(tag: number, content: Buffer): Buffer {
  const length: number[] = [];
  for (let left = content.length; left > 0; left >>>= 8) length.unshift(left & 0xff);
  const header = content.length < 0x80 ? [tag, content.length] : [tag, 0x80 | length.length, ...length];
  return Buffer.concat([Buffer.from(header), content]);
}
