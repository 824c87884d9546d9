import type { Arguments, Flag } from "./args.ts";
import type { Machine, Parts } from "./machine.ts";

/** One command. `run` gives the exit code; a `UsageError` becomes one line on stderr and exit code 1. */
export type Command = {
  readonly name: string;
  readonly doc: string;
  /** What follows the command's name, and what it means; for help. */
  readonly usage?: string;
  readonly flags: readonly Flag[];
  /** Not listed by help: started by us, not by people. */
  readonly hidden?: boolean;
  /** Everything after the command's name belongs to another program. */
  readonly passThrough?: boolean;
  readonly run: (args: Arguments, machine: Machine, parts: Parts) => Promise<number>;
};
