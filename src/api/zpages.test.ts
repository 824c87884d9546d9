import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, startHarness } from "../../test/transcripts/harness.ts";

test("what runs and how it was told to is text, or an object for who names its kind", async () => {
  const harness = await startHarness({ flags: { "secure-port": "6443", "bind-address": "127.0.0.1" } });
  await harness.clock.advance(3_723_000);
  const ask = async (path: string, accept?: string): Promise<readonly unknown[]> => {
    const answer = await harness.send("GET", path, accept === undefined ? {} : { headers: { accept } });
    const body = (await bodyOf(answer)) as unknown;
    return [answer.status, answer.headers["warning"], typeof body === "string" && body.startsWith("{") ? JSON.parse(body) : body];
  };
  assert.match(String((await ask("/statusz"))[2]), /^\napiserver statusz\nWarning: .*\n\nStarted.* Thu Jan {2}1 00:00:00 UTC 2026\nUp.* 1 hr 02 min 03 sec\nGo version.* node\nBinary version.* 1\.36\.0\nEmulation version.* 1\.36\nPaths.* \/flagz \/healthz \/livez \/metrics \/readyz \/statusz \/version\n$/);
  assert.match(String((await ask("/flagz", "text/plain"))[2]), /\nbind-address(: |:|=| )127\.0\.0\.1\nsecure-port(: |:|=| )6443\n$/);
  const named = (kind: string, version: string): string => `application/json;v=${version};g=config.k8s.io;as=${kind}`;
  const flags = { kind: "Flagz", apiVersion: "config.k8s.io/v1beta1", metadata: { name: "apiserver" }, flags: { "bind-address": "127.0.0.1", "secure-port": "6443" } };
  assert.deepEqual(await ask("/flagz", named("Flagz", "v1beta1")), [200, undefined, flags]);
  assert.deepEqual(await ask("/flagz", named("Flagz", "v1alpha1")), [200, ['299 - "This version of the flagz endpoint is deprecated. Please use a newer version."'], { ...flags, apiVersion: "config.k8s.io/v1alpha1" }]);
  assert.equal((await ask("/statusz", named("Statusz", "v1beta1")))[0], 200);
  for (const accept of ["application/json", named("Flagz", "v1"), named("Statusz", "v1beta1").replace("config", "meta"), "application/vnd.kubernetes.protobuf", "text/html"]) assert.equal((await ask("/statusz", accept))[0], 406, accept);
  await harness.close();
});
