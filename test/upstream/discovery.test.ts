/** Discovery beside upstream's: every stable resource with its kind, scope, verbs, short names, categories and singular name. Runs only where upstream's data is. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { startHarness } from "../transcripts/harness.ts";

type Resource = { readonly group: string; readonly version: string; readonly plural: string; readonly singular: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[]; readonly shortNames?: readonly string[]; readonly categories?: readonly string[] };
type Served = { readonly name: string; readonly singularName: string; readonly kind: string; readonly namespaced: boolean; readonly verbs: readonly string[]; readonly shortNames?: readonly string[]; readonly categories?: readonly string[] };

const facts = new URL("../../../shared/reference/api-facts.json", import.meta.url);
/** What differs, and why. */
const differences = new Map<string, string>([
]);

if (existsSync(facts)) {
  const { resources } = JSON.parse(readFileSync(facts, "utf8")) as { readonly resources: readonly Resource[] };
  const stable = resources.filter(({ version }) => /^v\d+$/.test(version));
  const harness = await startHarness();
  const byVersion = new Map<string, readonly Served[]>();
  for (const { group, version } of stable) {
    const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
    if (byVersion.has(path)) continue;
    const { status, content } = await harness.send("GET", path);
    byVersion.set(path, status === 200 && content.type === "text" ? (JSON.parse(content.text) as { readonly resources: readonly Served[] }).resources : []);
  }
  const sorted = (list: readonly string[] | undefined): readonly string[] => [...(list ?? [])].sort();
  for (const { group, version, plural, singular, kind, namespaced, verbs, shortNames, categories } of stable) test(`discovery of ${plural}.${version}.${group} is upstream's`, () => {
    const served = byVersion.get(group === "" ? `/api/${version}` : `/apis/${group}/${version}`)!.find(({ name }) => name === plural);
    const theirs = { kind, namespaced, singular, verbs: sorted(verbs), shortNames: sorted(shortNames), categories: sorted(categories) };
    const ours = served === undefined ? undefined : { kind: served.kind, namespaced: served.namespaced, singular: served.singularName, verbs: sorted(served.verbs), shortNames: sorted(served.shortNames), categories: sorted(served.categories) };
    if (differences.has(`${group}/${version}/${plural}`)) assert.notDeepEqual(ours, theirs, "a listed difference that is gone: take it off the list");
    else assert.deepEqual(ours, theirs);
  });
  test("no stable group has resources that upstream's has not", () => {
    const known = new Set(stable.map(({ group, version, plural }) => `${group === "" ? `/api/${version}` : `/apis/${group}/${version}`}/${plural}`));
    assert.deepEqual([...byVersion].flatMap(([path, list]) => list.filter(({ name }) => !name.includes("/")).map(({ name }) => `${path}/${name}`)).filter(name => !known.has(name)), []);
  });
  await harness.close();
}
