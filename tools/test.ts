/** Runs one ring of tests in this process's Node: `unit` (default), `sim`, `e2e`; `--seeds N`, `--nodes N` and files may follow. Prints `N passed, N failed` last. */
import { once } from "node:events";
import { globSync } from "node:fs";
import { relative, resolve } from "node:path";
import { run } from "node:test";
import { spec } from "node:test/reporters";
import { pathToFileURL } from "node:url";
import { nodeCountsOf } from "../test/e2e/node-counts.ts";

const rings: { readonly [name: string]: readonly string[] } = {
  unit: ["src/**/*.test.ts", "test/*.test.ts", "test/upstream/*.test.ts", "test/api-conformance/*.test.ts"],
  sim: ["test/sim/*.test.ts"],
  e2e: ["test/e2e/*.test.ts"],
};
const [ring = "unit", ...rest] = process.argv.slice(2);
// `npm run sim -- --seeds 1000`: how many seeds each property of the simulator is tried with.
const seeds = rest.indexOf("--seeds");
if (seeds >= 0) [, process.env["SEEDS"]] = rest.splice(seeds, 2);
// `npm run e2e -- --nodes 3`: only what is tried on so many nodes; files named beside it are, in any case.
const onlyNodes = rest.indexOf("--nodes");
const nodes = onlyNodes >= 0 ? Number(rest.splice(onlyNodes, 2)[1]) : undefined;
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

/** A file, and how many nodes its cluster has; the other rings have no clusters. */
type Round = { readonly file: string; readonly nodes: number };
const countsOf = (file: string): readonly number[] => (ring !== "e2e" ? [1] : nodes === undefined ? nodeCountsOf(file) : named.includes(file) || nodeCountsOf(file).includes(nodes) ? [nodes] : []);
const first = await runRounds(files.flatMap(file => countsOf(file).map(count => ({ file, nodes: count }))));
let { passed, failed } = first;
if (ring === "e2e" && first.broken.length > 0 && first.broken.length <= againMax && !first.broken.some(({ file }) => neverAgain.test(file))) {
  const which = first.broken.map(({ file, nodes: count }) => `${file} on ${count} node${count > 1 ? "s" : ""}`).join(", ");
  console.log(`\nOnce more: ${which}\n`);
  const second = await runRounds(first.broken);
  if (second.failed === 0 && second.passed > 0) console.log(`FLAKY: ${failed} failed above and passed when their files were run again: ${which}`);
  passed += second.passed;
  ({ failed } = second);
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 || passed === 0 ? 1 : 0);

type Verdict = { readonly passed: number; readonly failed: number; readonly broken: readonly Round[] };
/** The smallest clusters first. */
async function runRounds(rounds: readonly Round[]): Promise<Verdict> {
  let all: Verdict = { passed: 0, failed: 0, broken: [] };
  for (const count of [...new Set(rounds.map(round => round.nodes))].sort((a, b) => a - b)) {
    if (count > 1) console.log(`\nOn ${count} nodes:\n`);
    const one = await runFiles(rounds.filter(round => round.nodes === count).map(({ file }) => file), count);
    all = { passed: all.passed + one.passed, failed: all.failed + one.failed, broken: [...all.broken, ...one.broken] };
  }
  return all;
}

async function runFiles(paths: readonly string[], count: number): Promise<Verdict> {
  let done = 0, wrong = 0;
  const broken = new Set<string>();
  // Files of the e2e ring have clusters: a process each, so that one file's are gone before the next one's come.
  const stream = run({ files: [...paths], concurrency: 1, ...(ring === "e2e" ? { env: { ...process.env, NODES: String(count) } } : { isolation: "none" }), ...(ring === "unit" ? { timeout: unitMsMax } : {}) });
  stream.on("test:pass", event => { if (event.details.type !== "suite") done++; });
  stream.on("test:fail", event => {
    if (event.details.type !== "suite") wrong++;
    broken.add(relative(process.cwd(), event.file ?? event.name));
  });
  const shown = stream.compose(new spec());
  shown.pipe(process.stdout, { end: false });
  await once(shown, "end");
  // Quirk: in one process, Node's runner says nothing of a file that throws after its first test. What has been loaded is not loaded again; its error is kept.
  if (ring !== "e2e") for (const path of paths) {
    await import(pathToFileURL(path).href).catch((error: unknown) => {
      if (broken.has(relative(process.cwd(), resolve(path)))) return;
      console.log(`✖ ${path}:`, error);
      wrong++;
    });
  }
  return { passed: done, failed: wrong, broken: [...broken].map(file => ({ file, nodes: count })) };
}
