/** P02 by command: `node tools/crash-images.ts [IMAGES] [SEED]` records stores with strace and opens power-cut images of them. Prints one line a recording; exit code 1 if any image is bad. */
import { checkImages } from "../test/crash/check-images.ts";
import { recordWithStrace } from "../test/crash/strace.ts";

const [images = "20000", firstSeed = "1"] = process.argv.slice(2);
const perRecording = 1_000;
let bad = 0;
for (let seed = Number(firstSeed), left = Number(images); left > 0; seed++, left -= perRecording) {
  const operations = recordWithStrace({ seed, commits: 150 });
  const count = Math.min(perRecording, left);
  const problems = checkImages(operations, "timonier.db", { seed, count });
  bad += problems.length;
  console.log(`seed ${seed}: ${operations.length} operations, ${operations.filter(each => each.type === "sync").length} syncs, ${count} images, ${problems.length} bad`);
  for (const problem of problems) console.log(`  before operation ${problem.point}, unsynced ${problem.strategy}: ${problem.problem}`);
}
process.exitCode = bad > 0 ? 1 : 0;
