import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkImages } from "./crash/check-images.ts";
import { SnapshotRecorder } from "./crash/snapshots.ts";
import { runWorkload } from "./crash/workload.ts";
import { CrashImages, type Operation } from "./crash/images.ts";

function record(seed: number, commits: number): { readonly operations: readonly Operation[]; readonly made: number } {
  const directory = mkdtempSync(join(tmpdir(), "timonier-crash-"));
  try {
    const recorder = new SnapshotRecorder(directory, ["timonier.db", "timonier.db-wal"]);
    runWorkload(join(directory, "timonier.db"), { seed, commits }, recorder);
    return recorder;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test("no power cut loses an acknowledged write or leaves a store that cannot be opened (P02, 1,000 images)", () => {
  const { operations, made } = record(1, 150);
  assert.ok(operations.length > 1_000);
  assert.deepEqual(checkImages(operations, "timonier.db", { seed: 1, count: 1_000, from: made }), []);
});

test("the checker finds a store that acknowledges before its sync", () => {
  // The mutant: every sync of the write-ahead log comes one acknowledgement late.
  const { operations } = record(2, 60);
  const late: Operation[] = [];
  let held: Operation[] = [];
  for (const operation of operations) {
    if (operation.type === "sync") held.push(operation);
    else {
      late.push(operation);
      if (operation.type === "note" && operation.text.startsWith("begin ")) {
        late.push(...held.filter(sync => sync.type === "sync" && late.some(each => each.type === "create" && each.file === sync.file)));
        held = [];
      }
    }
  }
  const bad = checkImages(late, "timonier.db", { seed: 2, count: 100 });
  assert.ok(bad.some(({ problem }) => problem.startsWith("lost")), `found ${bad.length}`);
});

const write = (offset: number, text: string): Operation => ({ type: "write", file: "f", offset, bytes: Buffer.from(text) });
const images = [
  // strategy, operations before the cut, content
  [ "lost",  [write(0, "ab"), { type: "sync", file: "f" }, write(1, "x")],                          "ab" ],
  [ "kept",  [write(0, "ab"), { type: "sync", file: "f" }, write(1, "x")],                          "ax" ],
  [ "kept",  [write(0, "abc"), { type: "truncate", file: "f", size: 1 }, write(2, "z")],            "a\0z" ],
  [ "lost",  [write(0, "ab"), { type: "sync", file: "f" }, { type: "unlink", file: "f" }],          "ab" ],
  [ "kept",  [write(0, "ab"), { type: "sync", file: "f" }, { type: "unlink", file: "f" }],          undefined ],
] as const;
for (const [strategy, operations, content] of images)
  test(`an image with what is unsynced ${strategy} after ${operations.map(each => each.type).join(", ")} is ${JSON.stringify(content)}`, () => {
    const all: Operation[] = [{ type: "create", file: "f" }, { type: "sync-directory" }, ...operations];
    const image = new CrashImages(all).imageAt(all.length, strategy, () => 0.5);
    assert.equal(image.files.has("f") ? Buffer.from(image.files.get("f")!).toString() : undefined, content);
  });
