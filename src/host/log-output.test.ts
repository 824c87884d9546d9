import assert from "node:assert/strict";
import { test } from "node:test";
import { fileLines } from "./log-output.ts";

const error = (code: string): Error => Object.assign(new Error(code), { code });

/** A file that takes so many bytes in all. */
function disk(room: number) {
  const file = { room, text: "" };
  const write = (_: number, text: string): number => {
    if (file.room === 0) throw error("ENOSPC");
    const part = text.slice(0, file.room);
    file.room -= part.length;
    file.text += part;
    return part.length;
  };
  return { file, write };
}

test("lines that find no room are lost and counted; the rest is whole", () => {
  const { file, write } = disk(15);
  const say = fileLines(1, write);
  for (const line of ["one\n", "two\n", "three\n", "four\n", "five\n"]) say(line);
  assert.equal(file.text, "one\ntwo\nthree\nf");
  file.room = 1_000;
  say("six\n");
  say("seven\n");
  assert.match(file.text, /^one\ntwo\nthree\nf\n\S+Z warn  2 lines of this log were lost: its disk was full\nsix\nseven\n$/);
});

test("a disk that fails loses lines, nothing else; a descriptor that is none is our own fault", () => {
  const say = fileLines(1, () => { throw error("EIO"); });
  say("one\n");
  assert.throws(() => fileLines(1, () => { throw error("EBADF"); })("one\n"), { code: "EBADF" });
});
