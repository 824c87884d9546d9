/** Every conformance test of upstream that needs no pod has one of ours, of the same name. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const listed = new URL("../../../shared/reference/conformance-by-area.md", import.meta.url).pathname;
const upstream = existsSync(listed) ? listed : "/work/shared/reference/conformance-by-area.md";
const folder = new URL(".", import.meta.url).pathname;
/** What drives kubectl is beside the other tests of real programs. */
const kubectl = new URL("../e2e/kubectl.test.ts", import.meta.url).pathname;
const bare = (name: string): string => name.replace(/\[(Conformance|Serial|Slow|NodeConformance)\]/g, "").replace(/\s+/g, " ").trim();

/** Names of upstream's tests marked as needing the API only, by the file's flags or their own. */
function wanted(): readonly string[] {
  let apiOnly = false;
  const names: string[] = [];
  for (const line of readFileSync(upstream, "utf8").split("## Changes")[0]!.split("\n")) {
    const file = /^\*\*.*\*\* \[(.*)\]/.exec(line);
    if (file !== null) apiOnly = /^api\b/.test(file[1]!);
    const [, name = "", about = ""] = /^- (\[sig-.*?) - (.*)$/.exec(line) ?? [];
    if (name !== "" && (apiOnly || about.includes("[api")) && !/\[pods/.test(about)) names.push(bare(name));
  }
  return names;
}

if (existsSync(upstream)) test("upstream's conformance tests without pods all have one here", () => {
  const written = new Set([kubectl, ...readdirSync(folder).filter(name => name.endsWith(".test.ts")).map(name => folder + name)].flatMap(path => [...readFileSync(path, "utf8").matchAll(/["`](\[sig-[^"\n]*?)(?: \[Conformance\])?(?:"|`,)/g)].map(match => bare(match[1]!))));
  const missing = wanted().filter(name => !written.has(name));
  assert.deepEqual(missing, []);
  console.log(`${wanted().length} of upstream's tests, ${written.size} written here`);
});
