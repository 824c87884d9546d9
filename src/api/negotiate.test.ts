import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../base/api-error.ts";
import { allForms as all, customForms, negotiateInput, negotiateOutput, oneForm, parseAccept, plainForms } from "./negotiate.ts";

const none = new URLSearchParams("");
const pb = "application/vnd.kubernetes.protobuf";

// Accept → type, transform
const cases = [
  ["", "application/json"],
  ["*/*", "application/json"],
  ["application/yaml", "application/yaml"],
  [pb, pb],
  [`${pb},application/json`, pb],
  [`application/json;q=0.5,${pb}`, pb],
  ["application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "application/json Table v1"],
  [`${pb};as=Table;v=v1;g=meta.k8s.io,application/json`, "application/json"],
  [`${pb};as=PartialObjectMetadataList;v=v1;g=meta.k8s.io`, `${pb} PartialObjectMetadataList v1`],
  ["application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "application/json"],
  ["text/html,application/*", "application/json"],
] as const;

for (const [accept, expected] of cases)
  test(`Accept: ${accept} is answered with ${expected}`, () => {
    const { type, transform } = negotiateOutput({ accept }, none, all);
    assert.equal(transform === undefined ? type : `${type} ${transform.as} ${transform.version}`, expected);
  });

for (const accept of ["text/html", "application/cbor", "application/json;as=Pod;v=v1;g=meta.k8s.io", "application/json;stream=other"])
  test(`Accept: ${accept} cannot be answered`, () => {
    assert.throws(() => negotiateOutput({ accept }, none, all), error => isApiError(error, "NotAcceptable"));
  });

test("tables, metadata and protobuf are for those that have them", () => {
  const metadata = `${pb};as=PartialObjectMetadata;v=v1;g=meta.k8s.io`, table = "application/json;as=Table;v=v1;g=meta.k8s.io";
  const answered = (accept: string) => [all, customForms, plainForms, oneForm].map(rules => {
    try {
      return negotiateOutput({ accept }, none, rules).transform?.as ?? "object";
    } catch (error) {
      assert.ok(isApiError(error, "NotAcceptable"));
      return "refused";
    }
  });
  assert.deepEqual(answered(metadata), ["PartialObjectMetadata", "PartialObjectMetadata", "PartialObjectMetadata", "refused"]);
  assert.deepEqual(answered(table), ["Table", "Table", "refused", "refused"]);
  assert.deepEqual(answered(pb), ["object", "refused", "object", "object"]);
});

test("browsers and curl get indented answers unless they say otherwise", () => {
  assert.equal(negotiateOutput({ "user-agent": "curl/8" }, none, all).pretty, true);
  assert.equal(negotiateOutput({ "user-agent": "curl/8" }, new URLSearchParams("pretty=0"), all).pretty, false);
  assert.equal(negotiateOutput({ "user-agent": "kubectl/1" }, new URLSearchParams("pretty=true"), all).pretty, true);
});

test("a body without a type is JSON, an unknown one is refused", () => {
  assert.equal(negotiateInput({}, true), "application/json");
  assert.equal(negotiateInput({ "content-type": "application/YAML; charset=utf-8" }, true), "application/yaml");
  assert.throws(() => negotiateInput({ "content-type": pb }, false), error => isApiError(error, "UnsupportedMediaType"));
});

test("clauses are ordered by quality, named types before wildcards", () => {
  assert.deepEqual(parseAccept("*/*, a/b;q=0.1, c/d, e/*").map(({ type }) => type), ["c/d", "e/*", "*/*", "a/b"]);
});
