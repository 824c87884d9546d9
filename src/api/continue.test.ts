import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBase64Url } from "../base/base64.ts";
import { isApiError } from "../base/api-error.ts";
import { decodeContinue, encodeContinue } from "./continue.ts";

const prefix = "/registry/core/pods/";

test("a token says where to go on and at which revision, as upstream writes it", () => {
  const token = encodeContinue(`${prefix}default/web`, prefix, 42);
  assert.equal(token, "eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6NDIsInN0YXJ0IjoiZGVmYXVsdC93ZWJcdTAwMDAifQ");
  assert.deepEqual(decodeContinue(token, prefix), { after: `${prefix}default/web`, revision: 42 });
});

test("a token that cannot be read says why, as Go does", () => {
  const why = (token: string): string => { try { decodeContinue(token, prefix); return ""; } catch (error) { return (error as Error).message.replace("invalid continue token: continue key is not valid", ""); } };
  assert.deepEqual(["ab%c", "abcde", "abc"].map(why), [": illegal base64 data at input byte 2", ": illegal base64 data at input byte 4", ": invalid character 'i' looking for beginning of value"]);
});

const encode = (value: unknown): string => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
const v = "meta.k8s.io/v1";
for (const token of ["", "%%%", "eyJ", encode(null), encode([]), encode({ v: "v2", rv: 1, start: "a" }), encode({ v, rv: 0, start: "a" }), encode({ v, rv: 1, start: "" }), encode({ v, rv: 1.5, start: "a" }), encode({ v, rv: 1, start: "../../secrets/x" }), encode({ v, rv: 1, start: "a//b" })])
  test(`the token ${token.slice(0, 20)}… is refused`, () => {
    assert.throws(() => decodeContinue(token, prefix), error => isApiError(error, "BadRequest"));
  });
