/** Runs one ring of tests in this process's Node: `unit` (default), `sim`, `e2e`; `--seeds N` and files may follow. Prints `N passed, N failed` last. */
import { globSync } from "node:fs";
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

let passed = 0;
let failed = 0;
// A unit test that waits for what never comes must not wait for ever; the other rings have limits of their own.
const unitMsMax = 300_000;
const stream = run({ files, isolation: "none", concurrency: 1, ...(ring === "unit" ? { timeout: unitMsMax } : {}) });
stream.on("test:pass", event => { if (event.details.type !== "suite") passed++; });
stream.on("test:fail", event => { if (event.details.type !== "suite") failed++; process.exitCode = 1; });
stream.compose(new spec()).pipe(process.stdout);
stream.on("end", () => setImmediate(() => {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed > 0 || passed === 0 ? 1 : 0);
}));
