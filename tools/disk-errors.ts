/**
 * P03 by command: `node tools/disk-errors.ts [N] [STEP]` makes the n-th fsync and the n-th pwrite fail with EIO, n = 1, 1 + STEP … N; exit code 1 if any of it becomes a lie or
 * a loss. Needs strace. One error takes about a second on a quiet machine.
 */
import { diskErrorProblems } from "../test/kill/disk-errors.ts";

const [count, step] = [Number(process.argv[2] ?? "500"), Number(process.argv[3] ?? "1")];
const errors = Array.from({ length: Math.ceil(count / step) }, (_, i) => [{ call: "fsync", n: 1 + i * step } as const, { call: "pwrite64", n: 1 + i * step } as const]).flat();
let done = 0;
const problems = await diskErrorProblems(errors, found => {
  for (const problem of found) console.log(problem);
  if (++done % 20 === 0) console.log(`${done} of ${errors.length} disk errors`);
});
console.log(`${errors.length} disk errors, ${problems.length} problems`);
process.exitCode = problems.length > 0 ? 1 : 0;
