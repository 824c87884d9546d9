import { chmodSync, closeSync, existsSync, fsyncSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { crc32 } from "node:zlib";
import { assert } from "../base/assert.ts";
import { messageOf } from "../base/log.ts";
import { StoreFailed, StoreFull, type EngineRecord, type EngineWrite } from "../store/store.ts";
import { Reserve } from "./sqlite-reserve.ts";

// "timo": tells our files from any other SQLite database.
const applicationId = 0x74696d6f;
const schemaVersion = 1;
// Of a new file. Values of some thousand bytes fill such pages better than SQLite's own 4 KB, and fewer pages are fewer system calls
// (`npm run bench -- store` prints what a commit takes); larger ones would gain little more and make a lone small write larger.
const pageBytes = 16_384;
// The write-ahead log goes back into the main file after about a megabyte: a longer one makes single commits wait (performance.md, a2b).
const checkpointBytes = 1_000_000;

/** The file cannot be used; the message names it and says what to do. Nothing in it was changed. */
export class StoreFileError extends Error {
  override name = "StoreFileError";
}

/**
 * The revision log in one SQLite file, synchronously: `log(rev INTEGER PRIMARY KEY, key, value, crc)`, one row a revision, `value` NULL for a delete.
 * WAL with synchronous=FULL: a commit returns after its fsync. Exclusive locking: one process at a time, and no shared-memory file.
 *
 * `meta` has `oldest`, the compaction point, and `revision`, a floor under the newest revision for when its row is gone.
 */
export class SqliteLog {
  readonly path: string;
  readonly #db: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #remove: StatementSync;
  readonly #page: StatementSync;
  readonly #reserve: Reserve;
  #revision: number;
  #oldest: number;
  #bytesSinceCheckpoint = 0;
  readonly #pageBytes: number;
  // A new store has better things to do than to write its reserve: it follows with the first checkpoint.
  #reserveLater: boolean;

  constructor(path: string, options: { readonly reserveBytes?: number } = {}) {
    this.path = path;
    const fresh = !existsSync(path);
    try {
      this.#db = new DatabaseSync(path);
    } catch (error) {
      throw new StoreFileError(`cannot open the store ${path}: ${messageOf(error)}`, { cause: error });
    }
    try {
      if (fresh) chmodSync(path, 0o600);
      this.#prepareFile();
      this.#pageBytes = this.#number("PRAGMA page_size");
      syncDirectory(dirname(path));
      this.#insert = this.#db.prepare("INSERT INTO log (rev, key, value, crc) VALUES (?, ?, ?, ?)");
      this.#remove = this.#db.prepare("DELETE FROM log WHERE rev = ?");
      this.#page = this.#db.prepare("SELECT rev, key, value, crc FROM log WHERE rev > ? ORDER BY rev LIMIT ?");
      this.#oldest = this.#number("SELECT value FROM meta WHERE name = 'oldest'");
      this.#revision = Math.max(this.#number("SELECT value FROM meta WHERE name = 'revision'"), this.#number("SELECT coalesce(max(rev), 0) FROM log"));
      this.#reserve = new Reserve(`${path}-reserve`, options.reserveBytes);
      this.#reserveLater = fresh;
      if (!fresh) this.#hold();
    } catch (error) {
      this.#db.close();
      throw this.#fileError(error);
    }
    if (this.#oldest < 1 || this.#oldest > this.#revision) {
      this.#db.close();
      throw this.#damaged(`the history begins at ${this.#oldest} but ends at ${this.#revision}`);
    }
  }

  get revision(): number {
    return this.#revision;
  }
  get oldest(): number {
    return this.#oldest;
  }

  /** The next at most `limit` records after `revision`, checked. */
  read(revision: number, limit: number): EngineRecord[] {
    let rows;
    try {
      rows = this.#page.all(revision, limit);
    } catch (error) {
      throw this.#fileError(error);
    }
    return rows.map(row => {
      const record = { revision: Number(row.rev), key: String(row.key), value: row.value === null ? undefined : String(row.value) };
      if (row.crc !== checksum(record)) throw this.#damaged(`revision ${record.revision} does not match its checksum`);
      return record;
    });
  }

  /** Makes the writes durable in one transaction; `remove` are dead revisions that go in the same one. */
  commit(writes: readonly EngineWrite[], remove: readonly number[], options: { readonly frees: boolean }): EngineRecord[] {
    const records = writes.map(({ key, value }, i) => ({ revision: this.#revision + 1 + i, key, value }));
    if (writes.length > 0 && !options.frees && !this.#reserveLater && !this.#hold()) throw new StoreFull(`no space left for the store ${this.path}`);
    const work = () => {
      for (const record of records) this.#insert.run(record.revision, record.key, record.value ?? null, checksum(record));
      for (const revision of remove) this.#remove.run(revision);
    };
    try {
      this.#transaction(work);
    } catch (error) {
      if (error instanceof StoreFull && !options.frees) this.#reserve.refuse();
      if (!(error instanceof StoreFull && options.frees && this.#reserve.release())) throw error;
      this.#checkpointIfPossible();
      this.#transaction(work);
    }
    this.#revision += records.length;
    this.#bytesSinceCheckpoint += (1 + remove.length) * this.#pageBytes;
    for (const { key, value } of records) this.#bytesSinceCheckpoint += key.length + (value?.length ?? 0) + 20;
    return records;
  }

  /** Remembers that history before `oldest` is gone, and that revisions up to now were given out. */
  forget(oldest: number): void {
    this.#transaction(() => this.#db.exec(`UPDATE meta SET value = max(value, ${oldest}) WHERE name = 'oldest'; UPDATE meta SET value = ${this.#revision} WHERE name = 'revision'`));
    this.#oldest = Math.max(this.#oldest, oldest);
    this.#bytesSinceCheckpoint += this.#pageBytes;
  }

  /** The space held back has been used and could not be held again. */
  get short(): boolean {
    return !this.#reserveLater && !this.#reserve.held;
  }

  get wantsCheckpoint(): boolean {
    return this.#bytesSinceCheckpoint >= checkpointBytes;
  }

  /** Copies the write-ahead log into the main file. SQLite's automatic checkpoint would swallow a failed fsync; this one does not. */
  checkpoint(): void {
    this.#bytesSinceCheckpoint = 0;
    this.#checkpointIfPossible();
    this.holdSpace();
  }

  /** A fresh store holds space back for a full disk once starting is over. */
  holdSpace(): void {
    if (this.#reserveLater && this.#hold()) this.#reserveLater = false;
  }

  /** Writes a copy of what is committed to a new file. */
  copyTo(path: string): void {
    this.#guarded(() => this.#db.prepare("VACUUM INTO ?").run(path));
  }

  close(): void {
    if (this.#db.isOpen) this.#guarded(() => this.#db.close());
  }

  #prepareFile(): void {
    this.#db.exec(`PRAGMA page_size = ${pageBytes}; PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA cache_size = -1024`);
    this.#db.exec("BEGIN EXCLUSIVE; COMMIT");
    assert(this.#text("PRAGMA journal_mode") === "wal", "the store uses a write-ahead log");
    assert(this.#number("PRAGMA synchronous") === 2, "every commit of the store waits for its fsync");
    const id = this.#number("PRAGMA application_id");
    const version = this.#number("PRAGMA user_version");
    if (id === 0 && version === 0 && this.#number("SELECT count(*) FROM sqlite_schema") === 0) this.#create();
    else if (id !== applicationId) throw new StoreFileError(`${this.path} is an SQLite file, but not a timonier store: it was left as it is`);
    else if (version !== schemaVersion) throw new StoreFileError(`the store ${this.path} has format ${version}, this timonier reads format ${schemaVersion}: use the version of timonier that wrote it`);
  }

  #create(): void {
    this.#transaction(() => this.#db.exec(`
      CREATE TABLE log (rev INTEGER PRIMARY KEY, key TEXT NOT NULL, value TEXT, crc INTEGER NOT NULL) STRICT;
      CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;
      INSERT INTO meta VALUES ('oldest', 1), ('revision', 1);
      PRAGMA application_id = ${applicationId};
      PRAGMA user_version = ${schemaVersion};
    `));
  }

  #transaction(work: () => void): void {
    this.#guarded(() => {
      try {
        this.#db.exec("BEGIN IMMEDIATE");
        work();
        this.#db.exec("COMMIT");
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec("ROLLBACK");
        throw error;
      }
    });
  }

  /** No space is an answer; any other failure means that nobody knows what is on the disk. */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (isFull(error)) throw new StoreFull(`no space left for the store ${this.path}`, { cause: error });
      throw new StoreFailed(`cannot write the store ${this.path}: ${messageOf(error)}`, { cause: error });
    }
  }

  #hold(): boolean {
    return this.#reserve.hold(() => this.#number("PRAGMA freelist_count") * this.#pageBytes);
  }

  #checkpointIfPossible(): void {
    try {
      this.#guarded(() => this.#db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    } catch (error) {
      // Without space the write-ahead log stays as it is and keeps what was acknowledged.
      if (!(error instanceof StoreFull)) throw error;
    }
  }

  #number(sql: string): number {
    return Number(Object.values(this.#db.prepare(sql).get() ?? {})[0]);
  }
  #text(sql: string): string {
    return String(Object.values(this.#db.prepare(sql).get() ?? {})[0]);
  }

  #fileError(error: unknown): Error {
    const code = errcodeOf(error instanceof StoreFailed ? error.cause : error) & 0xff;
    if (code === 5) return new StoreFileError(`the store ${this.path} is in use by another server`, { cause: error });
    if (code === 11 || code === 26) return this.#damaged(messageOf(error));
    if (error instanceof Error && (error.name === "StoreFull" || error.name === "StoreFileError")) return error;
    return new StoreFileError(`cannot open the store ${this.path}: ${messageOf(error)}`, { cause: error });
  }

  #damaged(how: string): StoreFileError {
    return new StoreFileError(`the store ${this.path} is damaged (${how}): it was left as it is; move it away and restore a backup, or start with a new data directory`);
  }
}

function checksum({ revision, key, value }: EngineRecord): number {
  const head = crc32(`${revision} ${key}`);
  return value === undefined ? head : crc32(value, head);
}

function errcodeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error ? Number(error.errcode) : 0;
}
function isFull(error: unknown): boolean {
  return (errcodeOf(error) & 0xff) === 13;
}

/** A new file is only there after a power cut when its directory was flushed too. SQLite does so for its write-ahead log, but does not look whether it worked. */
function syncDirectory(path: string): void {
  const directory = openSync(path, "r");
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
