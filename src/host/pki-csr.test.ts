import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { BadCertificateRequest, parseCertificateRequest } from "./pki-csr.ts";

/** A request made by openssl. */
function request(t: TestContext, subject: string, key: string[], ...more: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), "timonier-csr-"));
  t.after(() => rmSync(dir, { recursive: true }));
  execFileSync("openssl", ["req", "-new", "-nodes", "-newkey", ...key, "-keyout", join(dir, "key"), "-subj", subject, "-out", join(dir, "csr"), ...more], { stdio: "pipe" });
  return readFileSync(join(dir, "csr"), "utf8");
}
const p256 = ["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];

test("a request's names are read, whatever the key", t => {
  for (const key of [p256, ["rsa:2048"], ["ed25519"], ["ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"]]) {
    const { commonName, organizations, dnsNames, ipAddresses, emailAddresses, uris } = parseCertificateRequest(request(t, "/O=system:nodes/O=dev/CN=system:node:é", key, "-utf8", "-addext", "subjectAltName=DNS:a.example,IP:10.0.0.1,IP:fd00::1,email:x@y,URI:spiffe://a/b"));
    assert.deepEqual([commonName, organizations, dnsNames, ipAddresses, emailAddresses, uris], ["system:node:é", ["system:nodes", "dev"], ["a.example"], ["0a000001", "fd000000000000000000000000000001"], ["x@y"], ["spiffe://a/b"]]);
  }
  assert.deepEqual(parseCertificateRequest(request(t, "/CN=only", p256)).dnsNames, []);
});

test("every byte changed makes a request invalid, and nothing but BadCertificateRequest is thrown", t => {
  const pem = request(t, "/O=system:nodes/CN=system:node:a", p256, "-addext", "subjectAltName=DNS:a,IP:10.0.0.1");
  const der = Buffer.from(pem.replace(/-----.*-----/g, ""), "base64");
  const armour = (bytes: Buffer): string => `-----BEGIN CERTIFICATE REQUEST-----\n${bytes.toString("base64")}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.equal(parseCertificateRequest(armour(der)).commonName, "system:node:a");
  for (let i = 0; i < der.length; i++)
    for (const flip of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(der);
      changed[i] = changed[i]! ^ flip;
      assert.throws(() => parseCertificateRequest(armour(changed)), BadCertificateRequest, `byte ${i}`);
    }
  for (let length = 0; length < der.length; length++) assert.throws(() => parseCertificateRequest(armour(der.subarray(0, length))), BadCertificateRequest);
  assert.throws(() => parseCertificateRequest(armour(Buffer.concat([der, Buffer.from([0])]))), BadCertificateRequest);
});

test("what is no request is refused", () => {
  for (const text of ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "-----BEGIN CERTIFICATE REQUEST-----\n!\n-----END CERTIFICATE REQUEST-----", "-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----"])
    assert.throws(() => parseCertificateRequest(text), BadCertificateRequest);
});
