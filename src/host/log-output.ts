/** Where a process's log lines go: its standard output, which for a daemon is a file. A line that finds no room is lost; the process is not. */
import { fstatSync, writeSync } from "node:fs";

const noRoom: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT", "EFBIG", "EIO"]);

/** Writes lines to a file's descriptor. After lines that were lost, the next that finds room is preceded by one that says how many. */
export function fileLines(fd: number, write: (fd: number, text: string) => number = (to, text) => writeSync(to, text)): (line: string) => void {
  let lost = 0;
  /** What of a line did not fit: without it the next one would begin in its middle. */
  let cut = false;
  return line => {
    const text = lost === 0 ? line : `${cut ? "\n" : ""}${new Date().toISOString()} warn  ${lost} lines of this log were lost: its disk was full\n${line}`;
    try {
      const written = write(fd, text);
      // A disk that becomes full takes a part.
      if (written === Buffer.byteLength(text)) [lost, cut] = [0, false];
      else [lost, cut] = [lost + 1, true];
    } catch (error) {
      if (!noRoom.has((error as NodeJS.ErrnoException).code ?? "")) throw error;
      lost++;
    }
  };
}

/** Lines to standard output: a file, or a terminal or pipe whose reader may have gone. */
export function standardOutput(): (line: string) => void {
  if (fstatSync(1).isFile()) return fileLines(1);
  return line => void process.stdout.write(line);
}
