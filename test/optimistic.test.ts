/** P06: many clients count in one object by reading, adding one, and writing back what they have read. `COUNT=100000` by command. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "./transcripts/harness.ts";

const clients = 64;
const successes = Number(process.env["COUNT"] ?? 40);

test(`${clients} clients count to ${successes} in one object: every success counts, every loser hears 409 (P06)`, async () => {
  const harness = await startHarness();
  const json = { "content-type": "application/json" };
  const path = "/api/v1/namespaces/default/configmaps";
  await harness.send("POST", "/api/v1/namespaces", { headers: json, body: '{"metadata":{"name":"default"}}' });
  await harness.send("POST", path, { headers: json, body: '{"metadata":{"name":"counter"},"data":{"n":"0"}}' });
  const statuses = new Map<number, number>();
  let won = 0;
  let begun = 0;
  const count = async (client: number): Promise<void> => {
    while (won < successes) {
      const read = JSON.parse(String(await bodyOf(await harness.send("GET", `${path}/counter`)))) as { data: { n: string }; metadata: object };
      if (won >= successes) return;
      const data = { n: String(Number(read.data.n) + 1), by: `${client}-${++begun}` };
      // Every way that names the version which was read: an update, and each kind of patch.
      const { resourceVersion } = read.metadata as { resourceVersion: string };
      const [method, type, body] = ([
        ["PUT", "application/json", { ...read, data }], ["PATCH", "application/merge-patch+json", { metadata: { resourceVersion }, data }], ["PATCH", "application/strategic-merge-patch+json", { metadata: { resourceVersion }, data }],
        ["PATCH", "application/json-patch+json", [{ op: "replace", path: "/metadata/resourceVersion", value: resourceVersion }, { op: "replace", path: "/data", value: data }]],
      ] as const)[client % 4]!;
      const { status } = await harness.send(method, `${path}/counter`, { headers: { "content-type": type }, body: JSON.stringify(body) });
      statuses.set(status, (statuses.get(status) ?? 0) + 1);
      if (status === 200) won++;
    }
  };
  await Promise.all(Array.from({ length: clients }, (_, client) => count(client)));
  const { data } = JSON.parse(String(await bodyOf(await harness.send("GET", `${path}/counter`)))) as { data: { n: string } };
  await harness.close();
  assert.equal(Number(data.n), won);
  assert.deepEqual([...statuses.keys()].sort(), [200, 409]);
  assert.ok((statuses.get(409) ?? 0) > successes / 2, `void: only ${statuses.get(409) ?? 0} losers`);
});
