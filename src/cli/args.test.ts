import assert from "node:assert/strict";
import { test } from "node:test";
import { parseArguments, UsageError, type Flag } from "./args.ts";

const flags: readonly Flag[] = [
  { name: "name", type: "string", env: "T_NAME", default: "timonier", doc: "a name" },
  { name: "nodes", type: "number", doc: "a number" },
  { name: "no-install", type: "boolean", doc: "a switch" },
];

// given                                    environment          values
const cases: [string, { [name: string]: string }, object, string][] = [
  ["", {}, { name: "timonier" }, ""],
  ["--name a --nodes=3", {}, { name: "a", nodes: 3 }, ""],
  ["--no-install x y", {}, { name: "timonier", "no-install": true }, "x y"],
  ["--no-install=false", {}, { name: "timonier", "no-install": false }, ""],
  ["", { T_NAME: "b" }, { name: "b" }, ""],
  ["--name c", { T_NAME: "b" }, { name: "c" }, ""],
  ["-- --nodes 3", {}, { name: "timonier" }, "--nodes 3"],
];
for (const [given, env, values, rest] of cases)
  test(`arguments "${given}" with ${JSON.stringify(env)} are read`, () => {
    const parsed = parseArguments(flags, given.split(" ").filter(Boolean), env);
    assert.deepEqual([parsed.values, parsed.rest.join(" ")], [values, rest]);
  });

for (const [given, message] of [
  ["--nope", "unknown flag --nope: expected one of --name, --nodes, --no-install"],
  ["--nodes many", "--nodes: \"many\" is not a whole number"],
  ["--name", "--name needs a value: a name"],
  ["--no-install=maybe", "--no-install: \"maybe\" is neither true nor false"],
] as const)
  test(`arguments "${given}" are refused by name`, () => {
    assert.throws(() => parseArguments(flags, given.split(" "), {}), (error: Error) => error instanceof UsageError && error.message === message);
  });
