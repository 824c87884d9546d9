import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { SqliteLog } from "./sqlite-log.ts";
import { SqliteEngine } from "./sqlite.ts";

async function inDirectory(body: (path: string) => Promise<void> | void): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "timonier-sqlite-"));
  try {
    await body(join(directory, "timonier.db"));
  } finally {
    rmSync(directory, { recursive: true });
  }
}
const write = (key: string, value: string | undefined) => ({ key, value, expected: 0 });
/** Some revisions in a file that is closed again. */
function fill(path: string): void {
  const log = new SqliteLog(path);
  for (let i = 0; i < 100; i++) log.commit([write(`/a/${i}`, `{"n":"${"x".repeat(500)}${i}"}`)], [], { frees: false });
  log.close();
}

test("a second server cannot open the store", () => inDirectory(path => {
  const log = new SqliteLog(path);
  assert.throws(() => new SqliteLog(path), { name: "StoreFileError", message: `the store ${path} is in use by another server` });
  log.commit([write("/a/x", "1")], [], { frees: false });
  log.close();
  new SqliteLog(path).close();
}));

test("the store is readable by its owner only", () => inDirectory(path => {
  const log = new SqliteLog(path);
  log.commit([write("/a/x", "1")], [], { frees: false });
  for (const file of [path, `${path}-wal`]) assert.equal(statSync(file).mode & 0o777, 0o600);
  log.close();
}));

test("a file that is no database, another program's database or a newer store is refused by name and left alone", () => inDirectory(path => {
  const refused = (how: RegExp) => {
    const before = readFileSync(path);
    assert.throws(() => new SqliteLog(path), error => error instanceof Error && error.name === "StoreFileError" && error.message.includes(path) && how.test(error.message));
    assert.deepEqual(readFileSync(path), before);
    rmSync(path);
  };
  writeFileSync(path, "not a database, but long enough to have a header ".repeat(100));
  refused(/is damaged \(file is not a database\)/);
  const other = new DatabaseSync(path);
  other.exec("PRAGMA journal_mode = WAL; CREATE TABLE theirs (x)");
  other.close();
  refused(/not a timonier store/);
  new SqliteLog(path).close();
  const newer = new DatabaseSync(path);
  newer.exec("PRAGMA user_version = 2");
  newer.close();
  refused(/has format 2, this timonier reads format 1/);
}));

test("a flipped byte in a value is found by its checksum, a damaged page by SQLite, and both name the file", () => inDirectory(path => {
  const pageBytes = 16_384;
  for (const damage of [(bytes: Buffer) => bytes.lastIndexOf("xxxx17\"}") - 100, (bytes: Buffer) => Math.floor(bytes.length / pageBytes / 2) * pageBytes]) {
    rmSync(path, { force: true });
    fill(path);
    const bytes = readFileSync(path);
    bytes[damage(bytes)] = 0x7a;
    writeFileSync(path, bytes);
    assert.throws(() => {
      const log = new SqliteLog(path);
      try {
        log.read(0, 1_000);
      } finally {
        log.close();
      }
    }, error => error instanceof Error && error.name === "StoreFileError" && error.message.startsWith(`the store ${path} is damaged (`));
  }
}));

test("dead revisions leave the file with later commits and with compaction, and the file stops growing", () => inDirectory(async path => {
  const engine = new SqliteEngine(path);
  await engine.open({ failed: assert.ifError, short: assert.fail });
  const value = "x".repeat(3_000);
  const sizes: number[] = [];
  let revision = 1;
  for (let round = 0; round < 6; round++) {
    const dead: number[] = [];
    for (let i = 0; i < 200; i++) {
      [revision] = (await engine.commit([write("/a/x", value)], { frees: false })) as [number];
      if (revision > 2) dead.push(revision - 1);
    }
    await engine.compact(revision, dead);
    sizes.push(statSync(path).size);
  }
  await engine.close();
  const log = new SqliteLog(path);
  assert.deepEqual(log.read(0, 10).map(record => record.revision), [revision]);
  assert.deepEqual([log.oldest, log.revision], [revision, revision]);
  log.close();
  assert.ok(sizes[5]! <= sizes[1]!, `sizes ${sizes.join(" ")}`);
}));
