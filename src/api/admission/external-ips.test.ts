import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { bodyOf, startHarness, type Harness } from "../../../test/transcripts/harness.ts";
import { denyServiceExternalIPs } from "./external-ips.ts";

const open: Harness[] = [];
let denying: Harness;
let allowing: Harness;
before(async () => {
  denying = await startHarness({ admission: [denyServiceExternalIPs] });
  allowing = await startHarness();
  open.push(denying, allowing);
  for (const harness of open) await send(harness, "POST", "/api/v1/namespaces", { metadata: { name: "default" } });
});
after(async () => {
  for (const harness of open) await harness.close();
});

async function send(harness: Harness, method: string, path: string, body: object): Promise<any> {
  const answer = await harness.send(method, path, { headers: { "content-type": method === "PATCH" ? "application/merge-patch+json" : "application/json" }, body: JSON.stringify(body) });
  return JSON.parse(String(await bodyOf(answer)));
}
const services = "/api/v1/namespaces/default/services";
const service = (externalIPs?: readonly string[]): object => ({ metadata: { name: "web" }, spec: { ports: [{ port: 80 }], ...(externalIPs === undefined ? {} : { externalIPs }) } });

test("a service with external addresses is refused in upstream's words", async () => {
  const { code, message } = await send(denying, "POST", services, service(["192.0.2.1"]));
  assert.deepEqual([code, message], [403, 'services "web" is forbidden: Use of external IPs is denied by admission control']);
});

test("a service without them passes, and cannot be given any later", async () => {
  assert.equal((await send(denying, "POST", services, service())).metadata.name, "web");
  assert.equal((await send(denying, "PATCH", `${services}/web`, { spec: { externalIPs: ["192.0.2.1"] } })).code, 403);
  assert.equal((await send(denying, "PATCH", `${services}/web`, { spec: { selector: { app: "web" } } })).spec.selector.app, "web");
});

test("where they are allowed they are kept", async () => assert.deepEqual((await send(allowing, "POST", services, service(["192.0.2.1"]))).spec.externalIPs, ["192.0.2.1"]));
