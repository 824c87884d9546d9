/** P03 by command: `node tools/disk-errors.ts [N]` makes the n-th fsync and the n-th pwrite fail with EIO, n = 1…N; exit code 1 if any of it becomes a lie or a loss. Needs strace. */
import { diskErrorProblems } from "../test/kill/disk-errors.ts";

const count = Number(process.argv[2] ?? "500");
const errors = Array.from({ length: count }, (_, i) => [{ call: "fsync", n: i + 1 } as const, { call: "pwrite64", n: i + 1 } as const]).flat();
const problems = await diskErrorProblems(errors);
for (const problem of problems) console.log(problem);
console.log(`${errors.length} disk errors, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
