import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../", import.meta.url).pathname;
const sources = globSync("src/**/*.ts", { cwd: root }).map(path => ({ path, text: readFileSync(root + path, "utf8") }));
const files = sources.filter(({ path }) => !path.endsWith(".test.ts"));
const core = files.filter(({ path }) => !/^src\/(host|main)\//.test(path));
const layers = new Map(
  readFileSync(root + "LAYERS", "utf8").split("\n").filter(line => line && !line.startsWith("#"))
    .map(line => line.split(/\s+/)).map(([folder = "", ...allowed]) => [folder, new Set([folder, ...allowed])]),
);

test("a folder imports only what LAYERS allows", () => {
  const broken = files.flatMap(({ path, text }) => {
    const folder = path.split("/")[1] ?? "";
    if (layers.get(folder)?.has("*")) return [];
    return [...text.matchAll(/(?:from|import\() ?"((?:\.\.\/)+)([a-z]+)\//g)]
      .filter(([, , target = ""]) => layers.has(target) && !layers.get(folder)?.has(target))
      .map(([, , target]) => `${path}: ${folder} may not import ${target}; meet it in the API's objects, or move the shared part to base`);
  });
  assert.deepEqual(broken, []);
});

test("only host and main import Node or a dependency", () => {
  const broken = core.flatMap(({ path, text }) => [...text.matchAll(/^(?:import|export)[^;]*?from "([^."][^"]*)"/gm)].map(([, module]) => `${path}: ${module}; take it as a parameter and implement it in host/`));
  assert.deepEqual(broken, []);
});

const banned = [
  [/\bDate\.now\(|new Date\(\)/, "take the time from a Clock"],
  [/Math\.random\(/, "take randomness as a parameter"],
  [/\bas any\b|@ts-ignore|@ts-expect-error/, "say what the type is"],
  [/\b(FIXME|XXX)\b|TODO(?!\(#\d+\))/, "finish before merging, or name the issue: TODO(#n)"],
  [/^export default/m, "export a name"],
  [/catch\s*(?:\([^)]*\))?\s*\{\s*\}/, "say why nothing needs to be done, or handle it"],
  [/\bget \w+\(\) \{/, "an object literal with a getter gets a hidden class of its own each time, which keeps what the getter sees until a full collection: make it a class, or, if it is made once, write the getter's type"],
  [/Object\.assign\(/, "user keys such as __proto__ get lost: use spread or base/json.ts"],
] as const;

for (const [pattern, instead] of banned)
  test(`no ${pattern.source}: ${instead}`, () => {
    const where = String(pattern).includes("Date") ? core : files;
    assert.deepEqual(where.filter(({ text }) => pattern.test(text)).map(({ path }) => path), []);
  });

test("no file in src is longer than 400 lines, tables of data apart", () => {
  const long = files.filter(({ path, text }) => !path.startsWith("src/kinds/") && text.split("\n").length > 401);
  assert.deepEqual(long.map(({ path, text }) => `${path}: ${text.split("\n").length} lines; split it by what its parts know`), []);
});
