import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { detachedSignature } from "../host/jwt.ts";
import type { Secret } from "../kinds/core/secret.ts";
import { planSignatures, timeLeft } from "./bootstrap-tokens.ts";

const now = Date.UTC(2026, 0, 1);
/** `abcdef`, `abcdef named xyz`, `abcdef without token-secret`, `abcdef until 2026-01-02T00:00:00Z` */
function token(text: string): Secret {
  const [id = "", ...words] = text.split(" ");
  const after = (word: string): string | undefined => (words.includes(word) ? words[words.indexOf(word) + 1] : undefined);
  const fields = { "token-id": id, "token-secret": "0123456789abcdef", "usage-bootstrap-signing": after("signing") ?? "true", ...(after("until") === undefined ? {} : { expiration: after("until")! }) };
  const data = Object.fromEntries(Object.entries(fields).filter(([name]) => name !== after("without")).map(([name, value]) => [name, Buffer.from(value).toString("base64")]));
  return { apiVersion: "v1", kind: "Secret", type: "bootstrap.kubernetes.io/token", metadata: { name: `bootstrap-token-${after("named") ?? id}`, namespace: "kube-system" }, data } as unknown as Secret;
}
const sign = (content: string, id: string): string => `${id}:${content}`;

const table: readonly (readonly [string, readonly string[], { readonly [key: string]: string }, { readonly [key: string]: string } | undefined])[] = [
  ["good tokens sign", ["abcdef", "ghijkl until 2026-01-02T00:00:00Z"], { kubeconfig: "K" }, { kubeconfig: "K", "jws-kubeconfig-abcdef": "abcdef:K", "jws-kubeconfig-ghijkl": "ghijkl:K" }],
  ["what is signed is left alone", ["abcdef"], { kubeconfig: "K", "jws-kubeconfig-abcdef": "abcdef:K", other: "x" }, undefined],
  ["another text is signed anew", ["abcdef"], { kubeconfig: "L", "jws-kubeconfig-abcdef": "abcdef:K" }, { kubeconfig: "L", "jws-kubeconfig-abcdef": "abcdef:L" }],
  ["signatures without a token go", [], { kubeconfig: "K", "jws-kubeconfig-abcdef": "abcdef:K", other: "x" }, { kubeconfig: "K", other: "x" }],
  ["others do not sign", ["abcdef signing false", "abcdeg named abcdeh", "abcdei without token-secret", "abcdej without token-id", "abcdek until 2025-12-31T23:59:59Z", "abcdel until soon", "ABCDEF"], { kubeconfig: "K" }, undefined],
  ["nothing to sign", ["abcdef"], { other: "x" }, undefined],
];
for (const [name, tokens, data, expected] of table) test(name, () => assert.deepEqual(planSignatures(data, tokens.map(token), now, sign), expected));

test("a token expires at its time, at once if that is none, and otherwise never", () => {
  assert.deepEqual(["abcdef", "abcdef until 2026-01-01T00:00:01Z", "abcdef until 2026-01-01T00:00:00Z", "abcdef until x"].map(text => timeLeft(token(text), now)), [undefined, 1_000, 0, 0]);
});

test("a signature is a JSON web signature without its content", () => {
  const [header = "", content, signature] = detachedSignature("K", "abcdef", "0123456789abcdef").split(".");
  assert.deepEqual([Buffer.from(header, "base64url").toString(), content], ['{"alg":"HS256","kid":"abcdef"}', ""]);
  assert.equal(signature, createHmac("sha256", "0123456789abcdef").update(`${header}.${Buffer.from("K").toString("base64url")}`).digest("base64url"));
});
