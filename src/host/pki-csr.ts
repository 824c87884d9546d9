/**
 * Reads certificate signing requests (PKCS #10, RFC 2986): bytes from strangers, so every length is checked against what holds it and only the
 * few forms that occur are understood. Node has no reader of its own; why not the library: docs/decisions/0002.
 */
import { createPublicKey, verify, type KeyObject } from "node:crypto";

/** What a signer needs to know. Names are as the request has them; nothing is trusted yet but that it was made by the key's holder. */
export type ParsedRequest = {
  readonly commonName: string;
  readonly organizations: readonly string[];
  readonly dnsNames: readonly string[];
  readonly ipAddresses: readonly string[];
  readonly emailAddresses: readonly string[];
  readonly uris: readonly string[];
  readonly key: KeyObject;
  /** DER of the subject, and of the subjectAltName extension's value, to be copied into the certificate. */
  readonly subject: Buffer;
  readonly alternativeNames: Buffer | undefined;
};

/** The request cannot be used; the message may be shown. */
export class BadCertificateRequest extends Error {
  override name = "BadCertificateRequest";
}

const requestBytesMax = 64 * 1024;
const hashes: ReadonlyMap<string, string | null> = new Map<string, string | null>([
  ["2a8648ce3d040302", "sha256"], ["2a8648ce3d040303", "sha384"], ["2a8648ce3d040304", "sha512"],
  ["2a864886f70d01010b", "sha256"], ["2a864886f70d01010c", "sha384"], ["2a864886f70d01010d", "sha512"], ["2b6570", null],
]);
const oid = { commonName: "550403", organization: "55040a", extensionRequest: "2a864886f70d01090e", subjectAltName: "551d11" } as const;
const tag = { boolean: 0x01, bitString: 0x03, octetString: 0x04, oid: 0x06, sequence: 0x30, set: 0x31, attributes: 0xa0 } as const;

/** Reads the one PEM block of a request and checks its signature. Throws `BadCertificateRequest`. */
export function parseCertificateRequest(pem: string): ParsedRequest {
  const block = /^\s*-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----\s([A-Za-z0-9+/=\s]+)-----END (?:NEW )?CERTIFICATE REQUEST-----\s*$/.exec(pem);
  if (block === null) throw new BadCertificateRequest("PEM block type must be CERTIFICATE REQUEST");
  const der = Buffer.from(block[1]!, "base64");
  if (der.length > requestBytesMax) throw new BadCertificateRequest("the certificate request is too large");
  const whole = new Der(der);
  const outer = whole.enter(tag.sequence);
  whole.end();
  const info = outer.element(tag.sequence);
  const algorithm = outer.enter(tag.sequence).element(tag.oid).content.toString("hex");
  const signature = outer.element(tag.bitString).content;
  outer.end();
  const parts = new Der(info.content);
  if (!parts.element(0x02).content.equals(Buffer.from([0]))) throw new BadCertificateRequest("unknown version of certificate request");
  const subject = parts.element(tag.sequence);
  const key = keyOf(parts.element(tag.sequence).whole);
  const attributes = parts.rest() ? parts.enter(tag.attributes) : undefined;
  parts.end();
  const hash = hashes.get(algorithm);
  if (hash === undefined || signature[0] !== 0 || !isSignedBy(key, hash, info.whole, signature.subarray(1))) throw new BadCertificateRequest("the certificate request's signature does not hold");
  const alternativeNames = attributes === undefined ? undefined : extensionOf(attributes, oid.subjectAltName);
  return { ...namesOf(subject.content), ...alternativesOf(alternativeNames), key, subject: subject.whole, alternativeNames };
}

function keyOf(spki: Buffer): KeyObject {
  try {
    return createPublicKey({ key: spki, format: "der", type: "spki" });
  } catch (error) {
    throw new BadCertificateRequest("the certificate request's public key cannot be read", { cause: error });
  }
}

function isSignedBy(key: KeyObject, hash: string | null, data: Buffer, signature: Buffer): boolean {
  try {
    return verify(hash, data, key, signature);
  } catch (error) {
    // A key of another kind than the algorithm's.
    throw new BadCertificateRequest("the certificate request's signature cannot be checked", { cause: error });
  }
}

/** RDNSequence: a sequence of sets of (type, value). */
function namesOf(subject: Buffer): { commonName: string; organizations: string[] } {
  const found: { commonName: string; organizations: string[] } = { commonName: "", organizations: [] };
  const names = new Der(subject);
  while (names.rest()) {
    const set = names.enter(tag.set);
    while (set.rest()) {
      const pair = set.enter(tag.sequence);
      const type = pair.element(tag.oid).content.toString("hex");
      const value = pair.element().content.toString("utf8");
      pair.end();
      if (type === oid.commonName) found.commonName = value;
      if (type === oid.organization) found.organizations.push(value);
    }
  }
  return found;
}

/** The value of an extension that the request asks for. */
function extensionOf(attributes: Der, wanted: string): Buffer | undefined {
  let found: Buffer | undefined;
  while (attributes.rest()) {
    const attribute = attributes.enter(tag.sequence);
    if (attribute.element(tag.oid).content.toString("hex") !== oid.extensionRequest) continue;
    const extensions = attribute.enter(tag.set).enter(tag.sequence);
    while (extensions.rest()) {
      const extension = extensions.enter(tag.sequence);
      const type = extension.element(tag.oid).content.toString("hex");
      let value = extension.element();
      if (value.tag === tag.boolean) value = extension.element();
      if (value.tag !== tag.octetString) throw new BadCertificateRequest("an extension has no value");
      extension.end();
      if (type !== wanted) continue;
      if (found !== undefined) throw new BadCertificateRequest("an extension is given twice");
      found = value.content;
    }
  }
  return found;
}

function alternativesOf(value: Buffer | undefined): Pick<ParsedRequest, "dnsNames" | "ipAddresses" | "emailAddresses" | "uris"> {
  const [dnsNames, ipAddresses, emailAddresses, uris]: [string[], string[], string[], string[]] = [[], [], [], []];
  const names = value === undefined ? undefined : new Der(value).enter(tag.sequence);
  while (names?.rest()) {
    const { tag: type, content } = names.element();
    if (type === 0x81) emailAddresses.push(content.toString("latin1"));
    else if (type === 0x82) dnsNames.push(content.toString("latin1"));
    else if (type === 0x86) uris.push(content.toString("latin1"));
    else if (type === 0x87 && (content.length === 4 || content.length === 16)) ipAddresses.push(content.toString("hex"));
    else throw new BadCertificateRequest("an alternative name is of a kind that is not signed");
  }
  return { dnsNames, ipAddresses, emailAddresses, uris };
}

/** Reads elements one after another out of a buffer that holds nothing else. */
class Der {
  readonly #bytes: Buffer;
  #at = 0;
  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }
  rest(): boolean {
    return this.#at < this.#bytes.length;
  }
  /** The next element, of this tag if one is given. */
  element(wanted?: number): { readonly tag: number; readonly content: Buffer; readonly whole: Buffer } {
    const start = this.#at;
    const type = this.#byte();
    if (wanted !== undefined && type !== wanted) throw new BadCertificateRequest("the certificate request is malformed");
    const first = this.#byte();
    let length = first;
    if (first >= 0x80) {
      // Definite lengths only, in their shortest form.
      const count = first & 0x7f;
      if (count === 0 || count > 3) throw new BadCertificateRequest("the certificate request is malformed");
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + this.#byte();
      if (length < 0x80 || length < 256 ** (count - 1)) throw new BadCertificateRequest("the certificate request is malformed");
    }
    const from = this.#at;
    this.#at += length;
    if (this.#at > this.#bytes.length) throw new BadCertificateRequest("the certificate request is cut off");
    return { tag: type, content: this.#bytes.subarray(from, this.#at), whole: this.#bytes.subarray(start, this.#at) };
  }
  enter(wanted: number): Der {
    return new Der(this.element(wanted).content);
  }
  end(): void {
    if (this.rest()) throw new BadCertificateRequest("the certificate request holds more than it should");
  }
  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new BadCertificateRequest("the certificate request is cut off");
    return byte;
  }
}
