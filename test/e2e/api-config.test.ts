/** The administrator's folder: people of an OpenID Connect issuer work with kubectl, a webhook has a word in what they may, and what they do is audited by policy, to a file and to a webhook. */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { Scratch } from "./harness.ts";

const scratch = new Scratch();
const folder = join(scratch.folder, "config");
const issuerScript = new URL("./issuer.ts", import.meta.url).pathname;
before(async () => {
  mkdirSync(folder);
  const issuer = scratch.start(process.execPath, [issuerScript, folder, "17949"]);
  await scratch.until("the issuer", () => issuer.out.includes("ready"));
  const up = scratch.timonier("up", "--runtime", "simulated", "--port", "17943", "--node-port", "17950", "--api-config", folder);
  assert.equal(up.code, 0, up.err + up.out);
});
after(async () => {
  const gone = scratch.timonier("delete");
  assert.equal(gone.code, 0, gone.err);
  await scratch.close();
});

/** kubectl with a token and nothing else. */
function as(token: string, ...args: string[]): { readonly code: number; readonly out: string; readonly err: string } {
  const plain = join(scratch.folder, "token-only");
  writeFileSync(plain, readFileSync(scratch.kubeconfig, "utf8").replace(/^\s*client-(certificate|key)-data:.*\n/gm, ""));
  return scratch.kubectl(`--kubeconfig=${plain}`, `--token=${token}`, ...args);
}

test("a token of the issuer is its bearer's, with the rights of its groups; another signature is nobody's", () => {
  const token = readFileSync(join(folder, "token"), "utf8");
  scratch.k("create clusterrolebinding devs --clusterrole=edit --group=oidc:devs");
  const made = as(token, "create", "configmap", "hers", "--from-literal=a=b");
  assert.equal(made.code, 0, made.err);
  assert.match(as(token, "get", "nodes").err, /User "oidc:jane@corp\.example" cannot list resource "nodes"/);
  assert.match(as(`${token.slice(0, -4)}AAAA`, "get", "configmaps").err, /Unauthorized/);
});

test("a webhook judges people's requests before roles do, and nobody else's", () => {
  const token = readFileSync(join(folder, "token"), "utf8");
  const listed = as(token, "get", "leases", "-A");
  assert.equal(listed.code, 0, listed.err);
  assert.equal(as(token, "get", "leases", "-A").code, 0);
  assert.match(as(token, "get", "events").err, /cannot list resource "events" in API group "" in the namespace "default": not even you/);
  assert.match(as(token, "auth", "can-i", "--list").err, /incomplete/);
  const asked = readFileSync(join(folder, "asked"), "utf8").trim().split("\n").map(line => JSON.parse(line));
  assert.deepEqual([...new Set(asked.map(({ user }) => user))], ["oidc:jane@corp.example"]);
  assert.equal(asked.filter(({ resourceAttributes: of }) => of?.resource === "leases" && of.verb === "list").length, 1, "an answer is remembered");
});

test("what she did is in the log and at the webhook, with bodies; what others did is not", async () => {
  const down = scratch.timonier("down");
  assert.equal(down.code, 0, down.err);
  const lines = readFileSync(join(scratch.dataDir, "timonier", "logs", "audit.log"), "utf8").trim().split("\n").map(line => JSON.parse(line));
  assert.deepEqual([...new Set(lines.map(({ user }) => user.username))], ["oidc:jane@corp.example"]);
  const create = lines.find(({ verb, objectRef }) => verb === "create" && objectRef?.resource === "configmaps");
  assert.deepEqual([create.level, create.stage, create.objectRef.name, create.requestObject.data, create.responseObject.data, create.annotations["authorization.k8s.io/decision"]], ["RequestResponse", "ResponseComplete", "hers", { a: "b" }, { a: "b" }, "allow"]);
  const sent = await scratch.until("the webhook's events", () => {
    const events = readFileSync(join(folder, "audited"), "utf8").trim().split("\n").flatMap(line => JSON.parse(line).items);
    return events.length >= lines.length && events;
  });
  assert.deepEqual(sent.map(({ auditID }: { auditID: string }) => auditID), lines.map(({ auditID }) => auditID));
});

test("a file that is not understood stops the start, and says where it is wrong", () => {
  const path = join(folder, "authentication.yaml");
  const text = readFileSync(path, "utf8");
  writeFileSync(path, text.replace("audiences:", "audience:"));
  const up = scratch.timonier("up");
  assert.equal(up.code, 1);
  assert.match(up.err, /authentication\.yaml: .*unknown field "jwt\[0\]\.issuer\.audience"/);
  writeFileSync(path, text);
});
