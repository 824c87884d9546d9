import { readFileSync } from "node:fs";

/** A new one for each start of the kernel. */
export function bootId(): string {
  return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
}
