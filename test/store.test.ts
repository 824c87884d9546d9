import { MemoryDisk, MemoryEngine } from "../src/store/memory.ts";
import { storeConformance } from "./store/conformance.ts";

storeConformance({
  name: "memory",
  place: async () => {
    const disk = new MemoryDisk();
    return { engine: () => new MemoryEngine({ disk }), remove: async () => {} };
  },
});
