import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CrashImages, strategies, type Operation, type Strategy } from "./images.ts";
import { problemWith, seeded } from "./workload.ts";

export type BadImage = { readonly point: number; readonly strategy: Strategy; readonly problem: string };

/** Opens `count` images of a recording, at points spread over it `from` there on, each strategy in turn; returns the bad ones. */
export function checkImages(operations: readonly Operation[], database: string, options: { readonly seed: number; readonly count: number; readonly from?: number }): BadImage[] {
  const { seed, count, from = 0 } = options;
  const random = seeded(seed);
  const points = Array.from({ length: count }, () => from + Math.floor(random() * (operations.length - from + 1))).sort((a, b) => a - b);
  const images = new CrashImages(operations);
  // Images need no disk: what is read back is what was written.
  const scratch = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "timonier-images-"));
  const bad: BadImage[] = [];
  try {
    points.forEach((point, i) => {
      const strategy = strategies[i % strategies.length]!;
      const image = images.imageAt(point, strategy, random);
      const directory = join(scratch, "image");
      rmSync(directory, { recursive: true, force: true });
      writeImage(directory, image.files);
      const problem = problemWith(join(directory, database), image.notes);
      if (problem !== undefined) bad.push({ point, strategy, problem });
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return bad;
}

function writeImage(directory: string, files: ReadonlyMap<string, Uint8Array>): void {
  mkdirSync(directory);
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes);
}
