import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { Clock } from "../base/clock.ts";
import { silent } from "../base/log.ts";
import { ClockNotSet } from "./pki-clock.ts";
import { addressBytes, issueCertificate } from "./pki-der.ts";
import { authorities, backdateMs, dayMs, openPki, renewAt, servingNames } from "./pki.ts";
import { privateKeyPem, readIdentity } from "./pki-identity.ts";

const start = Date.UTC(2026, 10, 20);

/** Time that passes only when told to: `pass` moves both clocks, `set` only the wall clock, as an administrator does. */
function handClock(now = start) {
  let wall = now;
  let monotonic = 0;
  const clock: Clock = { now: () => wall, monotonic: () => monotonic, sleep: async () => {}, after: () => () => {} };
  return { clock, pass(ms: number) { wall += ms; monotonic += ms; }, set(ms: number) { wall = ms; } };
}

function folder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), "timonier-pki-"));
  t.after(() => rmSync(dir, { recursive: true }));
  return dir;
}

test("four authorities are made once and reused across restarts", async t => {
  const dir = folder(t);
  const { clock } = handClock();
  const first = await openPki({ dir, clock, log: silent });
  const again = await openPki({ dir, clock, log: silent });
  for (const name of authorities) assert.equal(again.authority(name), first.authority(name));
  assert.equal(new Set(authorities.map(name => first.authority(name))).size, 4);
  assert.equal(again.identity("apiserver").certificate, first.identity("apiserver").certificate);
  for (const file of readdirSync(dir)) assert.equal(statSync(join(dir, file)).mode & 0o777, 0o600, file);
});

test("the leaves verify under their own authority and no other, strictly, for openssl", async t => {
  const dir = folder(t);
  const pki = await openPki({ dir, clock: handClock().clock, log: silent, names: ["box", "10.1.2.3", "fd00::1:2"] });
  await pki.ensureNode("box", ["10.1.2.3"]);
  const verify = (leaf: string, ca: string, purpose: string, ...more: string[]): boolean => {
    try {
      execFileSync("openssl", ["verify", "-x509_strict", "-attime", String(start / 1000), "-CAfile", `${dir}/${ca}-ca.pem`, "-purpose", purpose, ...more, `${dir}/${leaf}.pem`], { stdio: "pipe" });
      return true;
    } catch {
      return false; // openssl answers a refusal with its exit code
    }
  };
  const rightly: [string, string, string][] = [
    ["apiserver", "serving", "sslserver"], ["nodes/box/serving", "serving", "sslserver"], ["admin", "client", "sslclient"],
    ["nodes/box/client", "client", "sslclient"], ["apiserver-kubelet-client", "client", "sslclient"], ["front-proxy-client", "front-proxy", "sslclient"],
  ];
  for (const [leaf, ca, purpose] of rightly)
    for (const other of authorities) assert.equal(verify(leaf, other, purpose), other === ca, `${leaf} under ${other}`);
  assert.equal(verify("admin", "client", "sslserver"), false);
  assert.equal(verify("apiserver", "serving", "sslclient"), false);
  for (const name of [...servingNames, "box", "10.1.2.3", "fd00::1:2"])
    assert.equal(verify("apiserver", "serving", "sslserver", /^[\d.]+$|:/.test(name) ? "-verify_ip" : "-verify_hostname", name), true, name);
  assert.equal(verify("apiserver", "serving", "sslserver", "-verify_hostname", "kubernetes.evil"), false);
});

test("the admin is kubernetes-admin in system:masters, a node system:node:NAME in system:nodes", async t => {
  const pki = await openPki({ dir: folder(t), clock: handClock().clock, log: silent });
  const paths = await pki.ensureNode("box", []);
  assert.deepEqual({ ...pki.identity("admin").x509.toLegacyObject().subject }, { O: "system:masters", CN: "kubernetes-admin" });
  // Java's fabric8 client reads RSA keys in PKCS #1 only.
  assert.match(privateKeyPem(pki.identity("admin").key), /^-----BEGIN RSA PRIVATE KEY-----/);
  const client = await readIdentity(paths.client);
  assert.deepEqual({ ...client?.x509.toLegacyObject().subject }, { O: "system:nodes", CN: "system:node:box" });
  assert.equal(client?.trusted, pki.authority("serving"));
  assert.equal((await readIdentity(paths.serving))?.trusted, pki.authority("client"));
});

test("certificates begin an hour ago and last a year", async t => {
  const pki = await openPki({ dir: folder(t), clock: handClock().clock, log: silent });
  const { notBefore, notAfter } = pki.identity("apiserver");
  assert.deepEqual([notBefore, notAfter], [start - backdateMs, start + 365 * dayMs]);
});

test("P27: over five years in 30-day steps every leaf is renewed at two thirds of its life, without a restart", async t => {
  const dir = folder(t);
  const hand = handClock();
  const pki = await openPki({ dir, clock: hand.clock, log: silent });
  await pki.ensureNode("box", []);
  const names = ["apiserver", "admin", "front-proxy-client", "apiserver-kubelet-client", "nodes/box/client", "nodes/box/serving"];
  const swapped: string[] = [];
  pki.onRenewed("apiserver", identity => swapped.push(identity.certificate));
  for (let day = 0; day < 5 * 365; day += 30) {
    hand.pass(30 * dayMs);
    await pki.renew(hand.clock.now());
    for (const name of names) {
      const { notBefore, notAfter, x509 } = pki.identity(name);
      assert.ok(notBefore <= hand.clock.now() && hand.clock.now() < renewAt({ notBefore, notAfter }), `${name} on day ${day}`);
      assert.equal(new X509Certificate(readFileSync(pki.path(name), "utf8")).serialNumber, x509.serialNumber);
    }
  }
  assert.equal(swapped.length, 6);
  assert.equal(swapped.at(-1), pki.identity("apiserver").certificate);
});

test("a cluster that was down for two years starts with new leaves and the old authorities", async t => {
  const dir = folder(t);
  const first = await openPki({ dir, clock: handClock().clock, log: silent });
  const later = await openPki({ dir, clock: handClock(start + 730 * dayMs).clock, log: silent });
  assert.equal(later.authority("client"), first.authority("client"));
  assert.equal(later.identity("admin").notAfter, start + (730 + 365) * dayMs);
});

test("a new address of the machine gives the API server a new certificate, the same addresses do not", async t => {
  const pki = await openPki({ dir: folder(t), clock: handClock().clock, log: silent, names: ["10.0.0.1", "fe80::1"] });
  const before = pki.identity("apiserver").certificate;
  await pki.setServingNames(["fe80::1", "10.0.0.1"]);
  assert.equal(pki.identity("apiserver").certificate, before);
  await pki.setServingNames(["10.0.0.2"]);
  assert.match(pki.identity("apiserver").x509.subjectAltName ?? "", /10\.0\.0\.2/);
  assert.doesNotMatch(pki.identity("apiserver").x509.subjectAltName ?? "", /10\.0\.0\.1\b/);
});

test("P26: no certificate is minted while the clock is behind the last known time, at start or after a step", async t => {
  const dir = folder(t);
  await openPki({ dir, clock: handClock().clock, log: silent });
  for (const now of [0, start - 10 * dayMs, start - 2 * backdateMs]) {
    const pki = await openPki({ dir, clock: handClock(now).clock, log: silent });
    await assert.rejects(pki.ensureNode("box", []), ClockNotSet);
    assert.ok(pki.identity("apiserver").notAfter > start);
  }
  await assert.rejects(openPki({ dir: folder(t), clock: handClock(0).clock, log: silent }), /clock not set: it says 1970-01-01/);
});

test("P26: a step is believed once it has stood, and a step back replaces certificates from the future", async t => {
  const dir = folder(t);
  const hand = handClock();
  const pki = await openPki({ dir, clock: hand.clock, log: silent });
  hand.set(start + 400 * dayMs);
  await assert.rejects(pki.renew(hand.clock.now()), ClockNotSet);
  hand.pass(61_000);
  await assert.rejects(pki.renew(hand.clock.now()), ClockNotSet);
  hand.pass(600_000);
  assert.equal((await pki.renew(hand.clock.now())).length, 4);
  hand.set(start + dayMs);
  await assert.rejects(pki.renew(hand.clock.now()), ClockNotSet);
  hand.pass(61_000);
  assert.equal((await pki.renew(hand.clock.now())).length, 4);
  assert.ok(pki.identity("admin").notBefore < hand.clock.now());
});

test("two authorities with the same key are refused", async t => {
  const dir = folder(t);
  await openPki({ dir, clock: handClock().clock, log: silent });
  writeFileSync(join(dir, "front-proxy-ca.pem"), readFileSync(join(dir, "client-ca.pem")));
  await assert.rejects(openPki({ dir, clock: handClock().clock, log: silent }), /must differ/);
});

test("a damaged leaf is made again, a damaged authority never", async t => {
  const dir = folder(t);
  await openPki({ dir, clock: handClock().clock, log: silent });
  writeFileSync(join(dir, "admin.pem"), "");
  const pki = await openPki({ dir, clock: handClock().clock, log: silent });
  assert.deepEqual(await readIdentity(pki.path("admin")), pki.identity("admin"));
  writeFileSync(join(dir, "client-ca.pem"), "");
  await assert.rejects(openPki({ dir, clock: handClock().clock, log: silent }), /client-ca\.pem does not hold/);
});

test("dates from 2050 on are written as GeneralizedTime", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = issueCertificate({ commonName: "late", usage: "ca", key: privateKey, notBefore: Date.UTC(2049, 11, 31), notAfter: Date.UTC(2050, 0, 2) }, { key: privateKey, certificate: undefined });
  const x509 = new X509Certificate(der);
  assert.equal(x509.validFromDate.getTime(), Date.UTC(2049, 11, 31));
  assert.equal(x509.validToDate.getTime(), Date.UTC(2050, 0, 2));
  assert.ok(x509.verify(x509.publicKey));
});

test("addresses are written in network order", () => {
  for (const [address, hex] of [
    ["10.96.0.1", "0a600001"], ["::1", "0".repeat(31) + "1"], ["::", "0".repeat(32)], ["fd00::1:2", "fd000000000000000000000000010002"],
    ["::ffff:10.0.0.1", "00000000000000000000ffff0a000001"], ["1:2:3:4:5:6:7:8", "00010002000300040005000600070008"], ["fe80::", "fe80" + "0".repeat(28)],
  ] as const) assert.equal(addressBytes(address).toString("hex"), hex, address);
});
