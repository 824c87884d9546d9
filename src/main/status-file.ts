/** Tells `timonier up` how the start goes: JSON lines in `<run folder>/<daemon>.status` (`cli/starting.ts` reads them). */
import { appendFileSync, mkdirSync } from "node:fs";
import type { StatusLine } from "../cli/starting.ts";

export type StartReport = {
  /** A step is done; `ms` since the one before. */
  step(name: string): void;
  note(text: string): void;
  ready(): void;
  failed(message: string): void;
};

export function startReport(daemon: string, runFolder: string): StartReport {
  mkdirSync(runFolder, { recursive: true, mode: 0o700 });
  let last = performance.now();
  const write = (line: StatusLine): void => appendFileSync(`${runFolder}/${daemon}.status`, `${JSON.stringify(line)}\n`, { mode: 0o600 });
  return {
    step: name => {
      const now = performance.now();
      write({ step: name, ms: Math.round(now - last) });
      last = now;
    },
    note: text => write({ note: text }),
    ready: () => write({ ready: true }),
    failed: message => write({ failed: message }),
  };
}
