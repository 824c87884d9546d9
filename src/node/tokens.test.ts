import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../test/sim/clock.ts";
import { timeOf } from "../base/time.ts";
import { tokenSource } from "./tokens.ts";

const pod = (uid: string) => ({ metadata: { name: "web", namespace: "default", uid }, spec: {}, status: {} }) as never;

function source(lifeMs: number) {
  const clock = new VirtualClock();
  const asked: string[] = [];
  const client = {
    createSubresource: async (_kind: unknown, namespace: string, name: string, _subresource: string, { spec }: { readonly spec: { readonly boundObjectRef: { readonly uid: string } } }) => {
      asked.push(`${namespace}/${name} for ${spec.boundObjectRef.uid}`);
      return { status: { token: `token ${asked.length}`, expirationTimestamp: timeOf(clock.now() + lifeMs) } };
    },
  };
  return { clock, asked, ...tokenSource(client as never, clock, { next: () => 0, uuid: () => "", bytes: () => new Uint8Array() }) };
}

test("a token is asked for once for each pod and audience, and again at four fifths of its life", async () => {
  const { clock, asked, token } = source(3_600_000);
  assert.equal(await token(pod("a"), undefined, 3_600), await token(pod("a"), undefined, 3_600));
  await token(pod("a"), "vault", 3_600);
  await token(pod("b"), undefined, 3_600);
  assert.deepEqual(asked, ["default/default for a", "default/default for a", "default/default for b"]);
  await clock.pass(2_880_001);
  assert.equal(await token(pod("a"), undefined, 3_600), "token 4");
});

test("what a pod had goes with it: nothing is kept of pods that are gone", async () => {
  const { asked, token, forget } = source(3_600_000);
  await token(pod("a"), undefined, 3_600);
  await token(pod("b"), undefined, 3_600);
  forget("a");
  await token(pod("b"), undefined, 3_600);
  assert.equal(asked.length, 2);
  await token(pod("a"), undefined, 3_600);
  assert.equal(asked.length, 3, "asked anew, as if it had never been there");
});
