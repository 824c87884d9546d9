import assert from "node:assert/strict";
import { test } from "node:test";
import type { Secret } from "../kinds/core/secret.ts";
import type { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import { planTokenSecret } from "./serviceaccount-token.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");
const account = { metadata: { namespace: "shop", name: "web", uid: "sa-1" } } as ServiceAccount;
const settings = { rootCA: "CA", secretToken: (of: { readonly name: string; readonly uid: string }, secret: string) => `${of.name} ${of.uid} ${secret}` };
const plan = (data: { readonly [key: string]: string } | undefined): unknown => {
  const planned = planTokenSecret({ metadata: { namespace: "shop", name: "s", annotations: { x: "y" } }, type: "kubernetes.io/service-account-token", ...(data && { data }) } as unknown as Secret, account, settings);
  return planned && [planned.data, planned.metadata.annotations];
};
const full = { "ca.crt": base64("CA"), namespace: base64("shop"), token: base64("web sa-1 s") };
const annotations = { x: "y", "kubernetes.io/service-account.name": "web", "kubernetes.io/service-account.uid": "sa-1" };

for (const [name, data, expected] of [
  ["an empty secret gets everything", undefined, [full, annotations]],
  ["what is there stays, but an old CA", { "ca.crt": base64("old"), namespace: base64("other"), token: base64("t"), more: "eA==" }, [{ "ca.crt": base64("CA"), namespace: base64("other"), token: base64("t"), more: "eA==" }, annotations]],
  ["a token taken away is made again", { ...full, token: "" }, [full, annotations]],
  ["a full secret is left alone", full, undefined],
] as const) test(name, () => assert.deepEqual(plan(data), expected));
