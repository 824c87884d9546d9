import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { cleanFileMappings } from "./resident.ts";

type Pages = { readonly rss?: number; readonly anonymous?: number; readonly dirty?: number; readonly swap?: number };
const mapping = (perms: string, path: string, { rss = 40, anonymous = 0, dirty = 0, swap = 0 }: Pages = {}): string =>
  [`7f0000000000-7f0000010000 ${perms} 00001000 08:01 4711                       ${path}`, "Size:                 64 kB", `Rss:                  ${rss} kB`, "Pss:                  40 kB", "Shared_Clean:          0 kB", "Shared_Dirty:          0 kB", `Private_Clean:        40 kB`, `Private_Dirty:         ${dirty} kB`, "Referenced:           40 kB", `Anonymous:             ${anonymous} kB`, `Swap:                  ${swap} kB`, "VmFlags: rd ex mr mw me", ""].join("\n");

for (const [what, text, dropped] of [
  ["code", mapping("r-xp", "/usr/bin/node"), true],
  ["constants", mapping("r--p", "/usr/bin/node"), true],
  ["a file whose name has spaces", mapping("r-xp", "/opt/my programs/node (deleted)"), true],
  ["data that may be written", mapping("rw-p", "/usr/bin/node"), false],
  ["relocated constants, whose pages are the process's own", mapping("r--p", "/usr/bin/node", { anonymous: 24, dirty: 24 }), false],
  ["relocated constants that were swapped out", mapping("r--p", "/usr/bin/node", { swap: 24 }), false],
  ["code that was installed a moment ago and is not on disk yet", mapping("r-xp", "/usr/bin/node", { dirty: 40 }), true],
  ["a shared mapping, which others see", mapping("r--s", "/data/store.db-shm"), false],
  ["nothing resident", mapping("r-xp", "/usr/bin/node", { rss: 0 }), false],
  ["memory without a file", mapping("r-xp", ""), false],
  ["the kernel's own page", mapping("r-xp", "[vdso]"), false],
  ["an entry without figures", "7f0000000000-7f0000010000 r-xp 00001000 08:01 4711                       /usr/bin/node\n", false],
] as const)
  test(`${what} ${dropped ? "can be dropped" : "is left alone"}`, () => {
    assert.deepEqual(cleanFileMappings(mapping("rw-p", "[heap]") + text + mapping("rw-p", "[stack]")), dropped ? [{ start: 0x7f0000000000n, length: 0x10000n }] : []);
  });

test("a process that gives back has fewer pages of its program, and goes on", () => {
  const script = `
    const { releaseResident } = await import(${JSON.stringify(new URL("resident.ts", import.meta.url).href)});
    const { readFileSync } = await import("node:fs");
    const pages = () => Number(/RssFile:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]);
    const before = pages();
    releaseResident();
    console.log(JSON.stringify([before, pages(), JSON.parse("[1,2,3]").map(x => x * 2), new Intl.NumberFormat("de").format(1234.5)]));`;
  const [before, after, doubled, number] = JSON.parse(execFileSync(process.execPath, ["--disable-warning=ExperimentalWarning", "--input-type=module", "-e", script], { encoding: "utf8" })) as [number, number, number[], string];
  assert.ok(after < before / 2, `${before} kB before, ${after} kB after`);
  assert.deepEqual([doubled, number], [[2, 4, 6], "1.234,5"]);
});
