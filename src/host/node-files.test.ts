import assert from "node:assert/strict";
import { chmodSync, existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { nodeFiles, openBeneath, removeTree } from "./node-files.ts";

let folder = "";
beforeEach(() => { folder = mkdtempSync(join(tmpdir(), "timonier-files-")); });
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const payload = (files: { readonly [path: string]: string }, mode = 0o644) => new Map(Object.entries(files).map(([path, content]) => [path, { content: Buffer.from(content), mode }]));

test("a projected volume changes all at once, by one symlink, and drops what is gone", async () => {
  const files = nodeFiles();
  assert.equal(await files.publish(folder, payload({ a: "1", "deep/er/b": "2" }), undefined), true);
  assert.deepEqual([readFileSync(join(folder, "a"), "utf8"), readFileSync(join(folder, "deep/er/b"), "utf8")], ["1", "2"]);
  const first = readlinkSync(join(folder, "..data"));
  assert.ok(lstatSync(join(folder, "a")).isSymbolicLink());
  assert.equal(await files.publish(folder, payload({ a: "1", "deep/er/b": "2" }), undefined), false);
  assert.equal(readlinkSync(join(folder, "..data")), first);
  assert.equal(await files.publish(folder, payload({ a: "new" }, 0o400), undefined), true);
  assert.deepEqual([readFileSync(join(folder, "a"), "utf8"), existsSync(join(folder, "deep")), existsSync(join(folder, first)), statSync(join(folder, "a")).mode & 0o777], ["new", false, false, 0o400]);
  assert.equal(readdirSync(folder).length, 3);
});

for (const path of ["../out", "/abs", "a/../../b", "a//b"])
  test(`a projected file named ${path} is refused`, async () => assert.rejects(nodeFiles().publish(folder, payload({ [path]: "x" }), undefined), /not a relative path/));

test("the tail of a file is read, never through a link and never from a device", async () => {
  const files = nodeFiles();
  writeFileSync(join(folder, "log"), "0123456789");
  symlinkSync("log", join(folder, "link"));
  assert.equal(Buffer.from((await files.readTail(join(folder, "log"), 4))!).toString(), "6789");
  assert.deepEqual([await files.readTail(join(folder, "link"), 4), await files.readTail(join(folder, "none"), 4)], [undefined, undefined]);
  await assert.rejects(async () => files.readTail("/dev/zero", 4), /not a regular file/);
});

test("a volume is given to its group, each time or only where its folder is not the group's yet", async () => {
  const files = nodeFiles(), group = process.getgid!(), volume = join(folder, "volume"), data = join(volume, "data");
  mkdirSync(data, { recursive: true, mode: 0o700 });
  chmodSync(volume, 0o755);
  writeFileSync(join(data, "file"), "", { mode: 0o600 });
  const modes = (): readonly string[] => [volume, data, join(data, "file")].map(path => (statSync(path).mode & 0o7777).toString(8));
  await files.setGroup(volume, group, false, true);
  assert.deepEqual(modes(), ["2775", "2770", "660"]);
  // A database makes its folder its own again, and is not to find it changed by the next pod.
  chmodSync(data, 0o700);
  await files.setGroup(volume, group, false, true);
  assert.deepEqual(modes(), ["2775", "700", "660"]);
  await files.setGroup(volume, group, false);
  assert.deepEqual(modes(), ["2775", "2770", "660"]);
});

const hostPaths = [
  ["Directory", ".", undefined], ["Directory", "file", /file is not a directory/], ["File", "file", undefined], ["File", "none", /none is not a file/], ["DirectoryOrCreate", "made/deep", undefined], ["FileOrCreate", "newfile", undefined],
  ["FileOrCreate", "no/such/folder", /no such file or directory/], ["Socket", "file", /is not a socket file/], ["CharDevice", "/dev/null", undefined], ["BlockDevice", "/dev/null", /is not a block device/], ["", "whatever", undefined],
] as const;
for (const [type, path, problem] of hostPaths)
  test(`a hostPath ${path} of type "${type}" is ${problem ? "refused" : "taken"}`, async () => {
    writeFileSync(join(folder, "file"), "");
    const check = nodeFiles().checkHostPath(path.startsWith("/") ? path : join(folder, path), type);
    await (problem ? assert.rejects(check, problem) : check);
  });

const subPaths = [
  ["in/file", "inside"], ["link", "inside"], ["in/../in/file", "inside"], ["dirlink/file", "inside"], ["chain", "inside"], ["in/./file", "inside"],
  ["out", /leads out of its volume/], ["in/../../x", /leads out of its volume/], ["absolute", /leads out of its volume/], ["loop", /too many links/], ["sneaky/passwd", /leads out of its volume/],
] as const;
for (const [path, want] of subPaths)
  test(`the sub-path ${path} ${typeof want === "string" ? "is found" : "is refused"}`, async () => {
    const root = join(folder, "volume");
    mkdirSync(join(root, "in"), { recursive: true });
    writeFileSync(join(root, "in/file"), "inside");
    writeFileSync(join(folder, "x"), "outside");
    for (const [name, target] of [["link", "in/file"], ["dirlink", "in"], ["chain", "link"], ["out", "../x"], ["absolute", "/etc/passwd"], ["loop", "loop"], ["sneaky", "in/../../../etc"]] as const) symlinkSync(target, join(root, name));
    if (typeof want !== "string") return assert.rejects(openBeneath(root, path), want);
    const handle = await openBeneath(root, path);
    assert.equal(readFileSync(`/proc/self/fd/${handle.fd}`, "utf8"), want);
    await handle.close();
  });

test("a missing folder of a sub-path is made within the volume and with its mode, one that is there keeps its own", async () => {
  mkdirSync(join(folder, "kept"));
  chmodSync(join(folder, "kept"), 0o700);
  chmodSync(folder, 0o2777);
  await (await openBeneath(folder, "a/b/c")).close();
  await (await openBeneath(folder, "kept/new")).close();
  assert.ok(statSync(join(folder, "a/b/c")).isDirectory());
  assert.deepEqual(["a", "a/b", "a/b/c", "kept", "kept/new"].map(path => (statSync(join(folder, path)).mode & 0o7777).toString(8)), ["2777", "2777", "2777", "700", "2777"]);
});

test("a tree is removed whole, and what is not there is fine", async () => {
  mkdirSync(join(folder, "a/b"), { recursive: true });
  await removeTree(join(folder, "a"));
  await removeTree(join(folder, "a"));
  assert.ok(!existsSync(join(folder, "a")));
});
