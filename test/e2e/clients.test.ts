/**
 * Client libraries of other languages against one cluster with real containers: Debian's python3-kubernetes and npm's @kubernetes/client-node, and
 * client-go where `TIMONIER_GO_CLIENT=1` says that Go's module proxy may be asked.
 */
import assert from "node:assert/strict";
import { copyFileSync, cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { image, Scratch } from "./harness.ts";

const scratch = new Scratch();
const programs = new URL("clients/", import.meta.url).pathname;
before(async () => {
  await scratch.registry();
  Scratch.packages("python3-kubernetes");
  const result = scratch.timonier("up", "--name", "clients");
  assert.equal(result.code, 0, result.err + result.out);
  await scratch.until("the default service account", () => scratch.kubectl("get", "serviceaccount", "default").code === 0);
});
after(async () => {
  scratch.timonier("delete", "--name", "clients");
  await scratch.close();
});
/** Runs a client; it must end well and have said these lines. */
function says(lines: string, program: string, ...args: string[]): void {
  const { code, out, err } = scratch.run(program, args);
  assert.equal(code, 0, `${program}: ${out}${err}`);
  assert.equal(out.trim().replaceAll("\n", ", "), lines);
}

test("Python's client lists, watches, patches, execs and reads logs", () => {
  says("list, create, watch, patch, refusal, exec, logs, chunks, delete", "/usr/bin/python3", join(programs, "client.py"), image("hello:v1"));
});

test("JavaScript's client runs an informer, patches of four types, exec and logs", () => {
  const folder = join(scratch.folder, "javascript");
  mkdirSync(folder);
  copyFileSync(join(programs, "client.mjs"), join(folder, "client.mjs"));
  // The registry is somebody else's and may be slow for minutes: what has arrived by then stays in npm's cache.
  const install = () => scratch.run("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "@kubernetes/client-node@1.4.0"]);
  let installed = install();
  for (let tries = 1; installed.code !== 0 && tries < 4; tries++) installed = install();
  assert.equal(installed.code, 0, installed.err);
  says("list, create, informer, patch, exec, logs, refusal, delete", process.execPath, join(folder, "client.mjs"), image("hello:v1"));
});

test("client-go: protobuf, informers, apply, exec by WebSocket and SPDY, leader election", { skip: process.env["TIMONIER_GO_CLIENT"] ? false : "set TIMONIER_GO_CLIENT=1 to fetch client-go from Go's module proxy" }, () => {
  const folder = join(scratch.folder, "go");
  cpSync(join(programs, "go"), folder, { recursive: true });
  const built = scratch.run("go", ["build", "-C", folder, "-mod=mod", "-o", "client", "."]);
  assert.equal(built.code, 0, built.err);
  says("create, informer, patch, exec, leader election, delete", join(folder, "client"), image("hello:v1"));
});
