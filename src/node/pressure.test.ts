import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../test/sim/clock.ts";
import { silent } from "../base/log.ts";
import { ImageCollection } from "./image-collection.ts";
import { evictionMessage, evictionOrder, limitsStorage, observationsOf, storageLimitPassed, thresholdsMet, type Candidate } from "./pressure.ts";

const mi = 2 ** 20;
/** `web 50 90 p5`: asks for 50 Mi, uses 90 Mi, priority 5. */
function candidate(text: string): Candidate {
  const [name = "", asked = "0", used = "0", priority = "p0"] = text.split(" ");
  return {
    pod: { metadata: { name }, spec: { priority: Number(priority.slice(1)), containers: [{ name: "c", resources: { requests: { memory: `${asked}Mi`, "ephemeral-storage": `${asked}Mi` } } }] }, status: {} } as never,
    stats: { memory: { workingSetBytes: Number(used) * mi }, "ephemeral-storage": { usedBytes: Number(used) * mi, inodesUsed: Number(used) }, containers: [{ name: "c", memory: { workingSetBytes: Number(used) * mi }, rootfs: { usedBytes: Number(used) * mi }, logs: { usedBytes: 0 } }] },
  };
}
const order = (resource: "memory" | "ephemeral-storage" | "inodes", ...texts: readonly string[]): string => evictionOrder(texts.map(candidate), resource).map(({ pod }) => pod.metadata.name).join(" ");

test("first who uses more than it asked for, then the least important, then who is furthest above", () => {
  assert.equal(order("memory", "a 100 50", "b 10 20", "c 0 5"), "b c a");
  assert.equal(order("memory", "a 0 500 p10", "b 0 5", "c 0 50"), "c b a");
  assert.equal(order("ephemeral-storage", "a 90 80", "b 10 80", "c 70 80"), "b c a");
  assert.equal(order("inodes", "a 0 5", "b 0 50"), "b a");
});

const summary = (memory: number, disk: number, inodes: number, images = disk): never => ({
  node: { memory: { availableBytes: memory * mi, workingSetBytes: 900 * mi }, fs: { availableBytes: disk, capacityBytes: 100, inodesFree: inodes, inodes: 100 }, runtime: { imageFs: { availableBytes: images, capacityBytes: 100, inodesFree: inodes, inodes: 100 } } },
}) as never;
for (const [what, given, wanted] of [
  ["nothing is short", summary(100, 5, 5), ""],
  ["memory comes before disk", summary(99, 4, 50), "memory.available imagefs.available nodefs.available"],
  ["images have a disk of their own", summary(500, 14, 50, 4), "imagefs.available"],
  ["inodes run out too", summary(500, 50, 4), "imagefs.inodesFree nodefs.inodesFree"],
  ["a file system without inodes has none to run out of", { node: { fs: { availableBytes: 50, capacityBytes: 100, inodesFree: 0, inodes: 0 } } }, ""],
] as const)
  test(`thresholds: ${what}`, () => assert.equal(thresholdsMet(observationsOf(given as never)).map(({ signal }) => signal).join(" "), wanted));

test("the message names amounts and who is to blame, as upstream's does", () => {
  const [met] = thresholdsMet(observationsOf(summary(50, 50, 50)));
  assert.equal(evictionMessage(candidate("web 10 90"), met!), "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. Container c was using 90Mi, request is 10Mi, has larger consumption of memory. ");
  assert.equal(evictionMessage(candidate("web 100 90"), met!), "The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ");
});

test("limits of a pod's own on the disk: volume, pod, container", () => {
  const judged = (spec: object, stats: object): string | undefined => storageLimitPassed({ pod: { metadata: {}, spec: { containers: [], ...spec }, status: {} } as never, stats: stats as never })?.message;
  const volume = { containers: [], volumes: [{ name: "v", emptyDir: { sizeLimit: "1Mi" } }] };
  assert.equal(judged(volume, { volume: [{ name: "v", usedBytes: mi + 1 }] }), 'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ');
  assert.equal(judged(volume, { volume: [{ name: "v", usedBytes: mi }] }), undefined);
  const limited = { containers: [{ name: "c", resources: { limits: { "ephemeral-storage": "1Mi" } } }, { name: "d", resources: { limits: { "ephemeral-storage": "1Mi" } } }] };
  assert.equal(judged(limited, { "ephemeral-storage": { usedBytes: 2 * mi + 1 } }), "Pod ephemeral local storage usage exceeds the total limit of containers 2Mi. ");
  assert.equal(judged(limited, { "ephemeral-storage": { usedBytes: 2 * mi }, containers: [{ name: "c", rootfs: { usedBytes: mi }, logs: { usedBytes: 1 } }] }), 'Container c exceeded its local ephemeral storage limit "1Mi". ');
  assert.equal(limitsStorage({ spec: { containers: [{ name: "c" }], volumes: [{ name: "v", emptyDir: {} }] } } as never), false);
});

test("images that nobody uses go when their disk is nearly full, longest unused first, never young or pinned ones", async () => {
  const clock = new VirtualClock();
  let images = ["old", "used", "pause", "other"].map(name => ({ id: `sha256:${name}`, tags: [`registry/${name}:1`], digests: [], size: 30, pinned: false }));
  let [available, inUse] = [50, ["registry/used:1", "registry/old:1"]];
  const told: string[] = [];
  const collection = new ImageCollection({
    clock, log: silent, pinned: ["registry/pause:1"], tellNode: (reason, message) => void told.push(`${reason}: ${message.slice(0, 40)}`), disk: async () => ({ available, capacity: 1000, used: 0, inodes: 0, inodesFree: 0 }),
    runtime: { images: async () => images, removeImage: async id => { images = images.filter(image => image.id !== id); } },
    pods: () => [{ pod: { status: {}, spec: { containers: [] } } as never, state: { sandboxes: [], containers: inUse.map(image => ({ image, imageRef: "" })) } as never }],
  });
  const left = (): string => images.map(({ id }) => id.slice(7)).join(" ");
  await collection.collect();
  assert.equal(left(), "old used pause other", "seen for the first time: too young");
  await clock.pass(130_000);
  inUse = ["registry/used:1"];
  available = 500;
  await collection.collect();
  assert.equal(left(), "old used pause other", "there is room");
  available = 140;
  await collection.collect();
  assert.equal(left(), "used pause", "60 wanted, two of 30 each");
  assert.deepEqual(told, ["FreeDiskSpaceFailed: Insufficient free disk space on the node"], "only of the first time, when nothing could go");
});
