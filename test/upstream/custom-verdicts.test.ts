/**
 * What upstream's own code (apiextensions-apiserver 0.36.3, run as a Go program by `tools/crd-compare`) makes of objects of one definition that has every feature of schemas: what is
 * pruned, defaulted and refused, creates and updates, whose old objects may be such as could not be made any more. Ours must do the same with the same texts.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { customKind, judged, sorted, type Verdict } from "./custom.ts";

const file = (name: string): Buffer => readFileSync(new URL(name, import.meta.url));
const rows: readonly Verdict[] = JSON.parse(gunzipSync(file("custom-verdicts.json.gz")).toString());
const definition = JSON.parse(file("custom-definition.json").toString());

for (const [name, some] of [["creates", rows.filter(({ old }) => old === undefined)], ["updates", rows.filter(({ old }) => old !== undefined)]] as const)
  test(`upstream's verdicts on ${some.length} ${name} of custom resources are ours`, async () => {
    const node = await customKind(definition);
    for (const { object, old, ...expected } of some) assert.deepEqual(judged(node, object, old, old !== undefined), sorted(expected), JSON.stringify({ object, old }));
  });
