/** Containers' log files on disk. They are opened by us, beneath our own folder; no part of the path comes from a user. */
import { constants, watch } from "node:fs";
import { open, stat } from "node:fs/promises";
import type { LogFiles } from "../node/logs.ts";

const changeWaitMs = 1_000;

export function logFiles(): LogFiles {
  return {
    open: async path => {
      try {
        const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
        const { ino, dev } = await file.stat();
        return {
          read: async (offset, length) => {
            const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset);
            return buffer.subarray(0, bytesRead);
          },
          size: async () => (await file.stat()).size,
          current: async () => stat(path).then(found => found.ino === ino && found.dev === dev, () => true), // between two names: nothing new yet
          close: () => file.close(),
        };
      } catch (error) {
        if (["ENOENT", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
        throw error;
      }
    },
    changed: (path, signal) => new Promise(resolve => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", end);
        watcher?.close();
        resolve();
      };
      const timer = setTimeout(end, changeWaitMs);
      if (signal.aborted) return end();
      signal.addEventListener("abort", end, { once: true });
      let watcher: ReturnType<typeof watch> | undefined;
      try {
        watcher = watch(path, end);
        watcher.on("error", end);
      } catch (error) {
        // Just rotated away, or no more watches to be had: the timer looks again.
        if (!["ENOENT", "ENOSPC", "EMFILE"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
      }
      return undefined;
    }),
  };
}
