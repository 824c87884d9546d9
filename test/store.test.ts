import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SqliteWorkerEngine } from "../src/host/sqlite-worker-engine.ts";
import { SqliteEngine } from "../src/host/sqlite.ts";
import { MemoryDisk, MemoryEngine } from "../src/store/memory.ts";
import { storeConformance } from "./store/conformance.ts";

storeConformance({
  name: "memory",
  place: async () => {
    const disk = new MemoryDisk();
    return { engine: () => new MemoryEngine({ disk }), remove: async () => {} };
  },
});

for (const [name, Engine] of [["sqlite", SqliteEngine], ["sqlite on its own thread", SqliteWorkerEngine]] as const)
  storeConformance({
    name,
    place: async () => {
      const directory = mkdtempSync(join(tmpdir(), "timonier-store-"));
      return { engine: () => new Engine(join(directory, "store", "timonier.db")), remove: async () => rmSync(directory, { recursive: true }) };
    },
  });
