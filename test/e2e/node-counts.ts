/** How many nodes the cluster of a file of this ring has: one, unless it is named here. A file of several counts is run once for each (`tools/test.ts`; `--nodes 3` runs it for one alone). */
import { basename } from "node:path";

const everySize = [1, 3];
const counts: { readonly [file: string]: readonly number[] } = {
  "address.test.ts": everySize,
  "course.test.ts": everySize,
  "ingress.test.ts": everySize,
  "network-names.test.ts": everySize,
  "network-services.test.ts": everySize,
  "node-policy.test.ts": everySize,
  "nodes.test.ts": [3],
  "nodes-links.test.ts": [3],
};

export const nodeCountsOf = (file: string): readonly number[] => counts[basename(file)] ?? [1];

const named = process.env["NODES"];
/** How many this process's cluster has. */
export const nodeCount = named === undefined ? nodeCountsOf(process.argv[1] ?? "")[0]! : Number(named);
