/**
 * Gives memory back to the kernel that the process holds for no use: what `malloc` keeps of freed blocks, and pages of the program's own files, which lie in
 * the page cache all the same and are mapped again (a minor fault) when they are needed. Everything here is advice: nothing of the process changes.
 */
import { dlopen } from "node:ffi";
import { readFileSync } from "node:fs";

const dontNeed = 4n; // MADV_DONTNEED of madvise(2)

export type Range = { readonly start: bigint; readonly length: bigint };

/**
 * Of a /proc/PID/smaps the mappings that can be dropped without a loss: private ones of files, read-only, resident, and no page of which was ever written
 * (relocated data is read-only too, but its pages are the process's own and dropping them would bring back the file's). A page that was written is anonymous from
 * then on, or swapped out; one that counts as dirty besides is the file's, just installed and not on disk yet.
 */
export function cleanFileMappings(smaps: string): readonly Range[] {
  return smaps.split(/^(?=[0-9a-f]+-[0-9a-f]+ )/m).flatMap(text => {
    const [, start, end] = /^([0-9a-f]+)-([0-9a-f]+) r-[-x]p \S+ \S+ \S+ +\//.exec(text) ?? [];
    const kB = (field: string): number => Number(new RegExp(`^${field}: +(\\d+) kB$`, "m").exec(text)?.[1] ?? NaN);
    if (start === undefined || end === undefined || !(kB("Rss") > 0) || kB("Anonymous") !== 0 || kB("Swap") !== 0) return [];
    return [{ start: BigInt(`0x${start}`), length: BigInt(`0x${end}`) - BigInt(`0x${start}`) }];
  });
}

/** Throws where the C library has no such functions. Takes some 3 ms, and what is used of the program a millisecond more when it is next used. */
export function releaseResident(): void {
  const { functions } = libc ??= dlopen(null, { malloc_trim: { arguments: ["u64"], return: "i32" }, madvise: { arguments: ["u64", "u64", "u64"], return: "i32" } });
  functions.malloc_trim(0n);
  for (const { start, length } of cleanFileMappings(readFileSync("/proc/self/smaps", "utf8"))) functions.madvise(start, length, dontNeed);
}

let libc: { readonly functions: { readonly malloc_trim: (pad: bigint) => number; readonly madvise: (start: bigint, length: bigint, advice: bigint) => number } } | undefined;
