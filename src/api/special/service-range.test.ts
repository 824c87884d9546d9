import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, settle, startHarness } from "../../../test/transcripts/harness.ts";
import { publishServiceAddresses } from "./service-range.ts";

test("every address of a service has its object, whatever was there or becomes of it; the default range is there, and comes back", async () => {
  const harness = await startHarness();
  const call = async (method: string, path: string, body?: object): Promise<any> => JSON.parse(String(await bodyOf(await harness.send(method, path, body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }))));
  const addresses = "/apis/networking.k8s.io/v1/ipaddresses";
  const list = async (): Promise<readonly string[]> => (await call("GET", addresses)).items.map(({ metadata, spec }: any) => `${metadata.name} ${spec.parentRef.resource} ${spec.parentRef.name}`);
  const becomes = async (want: readonly string[]): Promise<void> => {
    for (let left = 1_000; left > 0; left--) {
      if (JSON.stringify(await list()) === JSON.stringify(want)) return;
      await settle();
    }
    assert.deepEqual(await list(), want);
  };
  await call("POST", "/api/v1/namespaces", { metadata: { name: "default" } });
  for (const [name, clusterIP] of [["a", "10.96.0.7"], ["b", "10.96.0.8"]] as const) assert.equal((await call("POST", "/api/v1/namespaces/default/services", { metadata: { name }, spec: { clusterIP, ports: [{ port: 80 }] } })).spec?.clusterIP, clusterIP);
  const address = (name: string, owner: string, ours: boolean): object => ({ metadata: { name, labels: ours ? { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" } : {} }, spec: { parentRef: { resource: owner.split("/")[0], namespace: "default", name: owner.split("/")[1] } } });
  // What an earlier server, or somebody else, may have left.
  for (const object of [address("10.96.0.8", "services/other", true), address("10.96.0.9", "services/gone", true), address("10.96.0.10", "things/kept", false)]) await call("POST", addresses, object);
  const stop = new AbortController();
  const running = publishServiceAddresses(harness.api.core, "10.96.0.0/16", stop.signal);
  await becomes(["10.96.0.10 things kept", "10.96.0.7 services a", "10.96.0.8 services b"]);
  assert.match((await call("POST", "/api/v1/namespaces/default/services", { metadata: { name: "c" }, spec: { clusterIP: "10.96.0.10", ports: [{ port: 80 }] } })).message, /provided IP is already allocated/);
  await call("DELETE", `${addresses}/10.96.0.7`);
  await becomes(["10.96.0.10 things kept", "10.96.0.7 services a", "10.96.0.8 services b"]);
  await call("DELETE", "/api/v1/namespaces/default/services/b");
  await becomes(["10.96.0.10 things kept", "10.96.0.7 services a"]);
  const range = "/apis/networking.k8s.io/v1/servicecidrs/kubernetes";
  const { metadata: { uid } } = await call("GET", range);
  await call("DELETE", range);
  for (let left = 1_000; left > 0 && ((await call("GET", range)).metadata?.uid ?? uid) === uid; left--) await settle();
  assert.notEqual((await call("GET", range)).metadata?.uid, uid);
  stop.abort();
  await running;
  await harness.close();
});
