/** The workload as a process of its own, for strace: DIRECTORY SEED COMMITS. */
import { mkdirSync, writeSync } from "node:fs";
import { join } from "node:path";
import { runWorkload } from "./workload.ts";

const [directory = "", seed = "", commits = ""] = process.argv.slice(2);
mkdirSync(directory, { recursive: true });
runWorkload(join(directory, "timonier.db"), { seed: Number(seed), commits: Number(commits) }, { note: text => { writeSync(1, `${text}\n`); } });
