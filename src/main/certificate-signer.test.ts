import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { silent } from "../base/log.ts";
import { removeAt } from "../controllers/certificate-signing.ts";
import { openPki } from "../host/pki.ts";
import { certificateSigner } from "./certificate-signer.ts";

const start = Date.UTC(2026, 10, 20);
const clock: Clock = { now: () => start, monotonic: () => 0, sleep: async () => {}, after: () => () => {} };

test("a request is signed with its own names and key, for as long as asked, and verifies", async t => {
  const dir = mkdtempSync(join(tmpdir(), "timonier-signer-"));
  t.after(() => rmSync(dir, { recursive: true }));
  const pki = await openPki({ dir, clock, log: silent });
  const signer = certificateSigner(pki);
  for (const [key, names, usages, authority, purpose] of [
    [["rsa:2048"], "DNS:box,IP:10.0.0.1", ["digital signature", "key encipherment", "server auth"], "serving", "sslserver"],
    [["ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"], undefined, ["digital signature", "client auth"], "client", "sslclient"],
  ] as const) {
    execFileSync("openssl", ["req", "-new", "-nodes", "-newkey", ...key, "-keyout", join(dir, "key"), "-subj", "/O=system:nodes/CN=system:node:box", "-out", join(dir, "csr"), ...(names ? ["-addext", `subjectAltName=${names}`] : [])], { stdio: "pipe" });
    const request = readFileSync(join(dir, "csr")).toString("base64");
    const certificate = signer.sign({ request, usages, seconds: 3600, authority });
    const x509 = new X509Certificate(Buffer.from(certificate, "base64"));
    assert.deepEqual([x509.subject, x509.subjectAltName, x509.ca], ["O=system:nodes\nCN=system:node:box", names?.replace("IP:", "IP Address:").replace(",", ", "), false]);
    assert.equal(signer.notAfter(certificate), start + 3_600_000);
    assert.ok(x509.checkPrivateKey((await import("node:crypto")).createPrivateKey(readFileSync(join(dir, "key")))));
    writeFileSync(join(dir, "signed.pem"), Buffer.from(certificate, "base64"));
    execFileSync("openssl", ["verify", "-x509_strict", "-attime", String(start / 1000), "-CAfile", join(dir, `${authority}-ca.pem`), "-purpose", purpose, join(dir, "signed.pem")], { stdio: "pipe" });
    assert.equal(signer.notAfter(signer.sign({ request, usages, seconds: 99 * 365 * 86_400, authority })), start + 365 * 86_400_000 - 300_000, "a year at most, with the time before");
  }
});

test("requests go an hour after their answer, a day after being asked, or with their certificate", () => {
  const at = (status: object): number => (removeAt({ metadata: { creationTimestamp: "2026-11-20T00:00:00Z" }, status } as unknown as Parameters<typeof removeAt>[0], { notAfter: () => start + 5 }) - start) / 3_600_000;
  const conditions = (type: string) => ({ conditions: [{ type, status: "True", lastUpdateTime: "2026-11-20T02:00:00Z" }] });
  assert.deepEqual([at({}), at(conditions("Approved")), at(conditions("Denied")), at(conditions("Failed")), at(conditions("Other"))], [24, 3, 3, 3, 24]);
  assert.ok(at({ certificate: "x" }) < 0.001);
});
