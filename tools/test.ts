/** Runs one ring of tests in this process's Node: `unit` (default), `sim`, `e2e`; `--seeds N` and files may follow. Prints `N passed, N failed` last. */
import { once } from "node:events";
import { globSync } from "node:fs";
import { relative } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";

const rings: { readonly [name: string]: readonly string[] } = {
  unit: ["src/**/*.test.ts", "test/*.test.ts", "test/upstream/*.test.ts", "test/api-conformance/*.test.ts"],
  sim: ["test/sim/*.test.ts"],
  e2e: ["test/e2e/*.test.ts"],
};
const [ring = "unit", ...rest] = process.argv.slice(2);
// `npm run sim -- --seeds 1000`: how many seeds each property of the simulator is tried with.
const seeds = rest.indexOf("--seeds");
if (seeds >= 0) [, process.env["SEEDS"]] = rest.splice(seeds, 2);
const named = rest;
const patterns = rings[ring];
if (!patterns) throw new Error(`no ring "${ring}": expected one of ${Object.keys(rings).join(", ")}`);
const files = (named.length > 0 ? named : globSync(patterns as string[])).sort();

// A unit test that waits for what never comes must not wait for ever; the other rings have limits of their own.
const unitMsMax = 300_000;
/** Files of the e2e ring that may fail once: they share two processors with everything else on the machine, and a wait that is right may be too short. */
const againMax = 3;
/** Not those that prove that nothing is lost: one loss in two runs is a loss. */
const neverAgain = /kill-loop|crash-images|disk-errors|disk-full|watch-resumes/;

const first = await runFiles(files);
let { passed, failed } = first;
if (ring === "e2e" && first.broken.length > 0 && first.broken.length <= againMax && !first.broken.some(file => neverAgain.test(file))) {
  console.log(`\nOnce more: ${first.broken.join(", ")}\n`);
  const second = await runFiles(first.broken);
  if (second.failed === 0 && second.passed > 0) console.log(`FLAKY: ${failed} failed above and passed when their files were run again: ${first.broken.join(", ")}`);
  passed += second.passed;
  ({ failed } = second);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

async function runFiles(paths: readonly string[]): Promise<{ readonly passed: number; readonly failed: number; readonly broken: readonly string[] }> {
  let done = 0, wrong = 0;
  const broken = new Set<string>();
  // Files of the e2e ring have clusters: a process each, so that one file's are gone before the next one's come.
  const stream = run({ files: [...paths], concurrency: 1, ...(ring === "e2e" ? {} : { isolation: "none" }), ...(ring === "unit" ? { timeout: unitMsMax } : {}) });
  stream.on("test:pass", event => { if (event.details.type !== "suite") done++; });
  stream.on("test:fail", event => {
    if (event.details.type !== "suite") wrong++;
    broken.add(relative(process.cwd(), event.file ?? event.name));
  });
  const shown = stream.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await once(shown, "end");
  return { passed: done, failed: wrong, broken: [...broken] };
}
