import assert from "node:assert/strict";
import { test } from "node:test";
import { copyLog, tailOffset, type LogFile, type LogFiles, type LogOptions } from "./logs.ts";

const line = (second: number, text: string, stream = "stdout", tag = "F"): string => `2026-11-20T12:00:${String(second).padStart(2, "0")}.5Z ${stream} ${tag} ${text}\n`;
const log = line(1, "one") + line(2, "two", "stderr") + line(3, "thr", "stdout", "P") + line(4, "ee") + line(5, "");
const all: LogOptions = { follow: false, timestamps: false, stream: "All" };

function memory(content: { text: string; generation?: number }): LogFiles {
  return {
    open: async () => {
      const { generation } = content;
      const bytes = (): Uint8Array => new TextEncoder().encode(content.text);
      return { read: async (offset, length) => bytes().slice(offset, offset + length), size: async () => bytes().length, current: async () => content.generation === generation, close: async () => undefined } satisfies LogFile;
    },
    changed: async () => undefined,
  };
}
async function read(text: string, options: Partial<LogOptions>): Promise<string> {
  let out = "";
  await copyLog("x", memory({ text }), { ...all, ...options }, { write: async chunk => { out += new TextDecoder().decode(chunk); } }, async () => false, new AbortController().signal);
  return out;
}

const cases: readonly (readonly [string, Partial<LogOptions>, string])[] = [
  ["everything", {}, "one\ntwo\nthree\n\n"], ["the last line", { tailLines: 1 }, "\n"], ["the last three lines as they stand in the file", { tailLines: 3 }, "three\n\n"], ["no line", { tailLines: 0 }, ""], ["more lines than there are", { tailLines: 99 }, "one\ntwo\nthree\n\n"],
  ["standard output", { stream: "Stdout" }, "one\nthree\n\n"], ["standard error", { stream: "Stderr" }, "two\n"], ["five bytes", { limitBytes: 5 }, "one\nt"],
  ["what came since", { since: Date.parse("2026-11-20T12:00:03Z") }, "three\n\n"],
  ["with times", { timestamps: true, tailLines: 3 }, "2026-11-20T12:00:03.500000000Z three\n2026-11-20T12:00:05.500000000Z \n"],
];
for (const [what, options, want] of cases)
  test(`a log shows ${what}`, async () => assert.equal(await read(log, options), want));

test("a torn last line and foreign lines are left out", async () => assert.equal(await read(`garbage\n${line(1, "one")}2026-11-20T12:00:02Z std`, {}), "one\n"));

test("the tail of a log larger than one block is found", async () => {
  const lines = Array.from({ length: 5_000 }, (_, i) => line(i % 60, `number ${i} ${"x".repeat(30)}`)).join("");
  const file = await memory({ text: lines }).open("x");
  assert.match(lines.slice(await tailOffset(file!, 3_000)), /^2026\S+ stdout F number 2000 /);
});

test("following reads what is added, and a rotated log from its new file, to the container's end", async () => {
  const content = { text: line(1, "one"), generation: 0 };
  const steps = [() => { content.text += line(2, "two"); }, () => { content.text = line(3, "three"); content.generation = 1; }, () => { content.text += line(4, "four"); }];
  let out = "";
  let looks = 0;
  await copyLog("x", memory(content), { ...all, follow: true }, { write: async chunk => { out += new TextDecoder().decode(chunk); } }, async () => {
    steps[looks++]?.();
    return looks <= steps.length;
  }, new AbortController().signal);
  assert.equal(out, "one\ntwo\nthree\nfour\n");
});
