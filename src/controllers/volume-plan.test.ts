import assert from "node:assert/strict";
import { test } from "node:test";
import type { PersistentVolume } from "../kinds/core/persistentvolume.ts";
import type { PersistentVolumeClaim } from "../kinds/core/persistentvolumeclaim.ts";
import { fateOf, findVolume } from "./volume-plan.ts";

// A volume is name:size[class][=claim it is reserved for][!uid][x if it does not have the access mode]; the claim is "c" with uid "u".
const cases = [
  // claim          volumes                          the one it gets
  ["5Gi",           "",                              ""],
  ["5Gi",           "a:4Gi b:10Gi d:6Gi",            "d"],
  ["5Gi",           "a:6Gifast b:9Gi",               "b"],
  ["5Gifast",       "a:6Gi b:9Gifast",               "b"],
  ["5Gi",           "a:6Gix b:9Gi",                  "b"],
  ["5Gi",           "a:6Gi b:9Gi=c",                 "b"],
  ["5Gi",           "a:6Gi=other b:9Gi",             "b"],
  ["5Gi",           "a:6Gi=c!other b:9Gi",           "b"],
  ["5Gi",           "a:1Gi=c b:9Gi",                 ""],
] as const;
for (const [claim, volumes, expected] of cases)
  test(`a claim of ${claim} with volumes [${volumes}]`, () => {
    const [, size, storageClassName] = /^(\d+Gi)(\w*)$/.exec(claim) ?? [];
    const wanted = { metadata: { name: "c", namespace: "d", uid: "u" }, spec: { accessModes: ["ReadWriteOnce"], volumeMode: "Filesystem", resources: { requests: { storage: size } }, storageClassName } } as unknown as PersistentVolumeClaim;
    assert.equal(findVolume(wanted, volumes.split(" ").filter(Boolean).map(volume))?.metadata.name ?? "", expected);
  });

test("a volume's phase follows its claim; only what we made is deleted with it", () => {
  const bound = { metadata: { name: "v", annotations: {} }, spec: { claimRef: { name: "c", uid: "u" }, persistentVolumeReclaimPolicy: "Delete" }, status: { phase: "Bound" } } as unknown as PersistentVolume;
  const made = { ...bound, metadata: { name: "v", annotations: { "pv.kubernetes.io/provisioned-by": "x" } } } as unknown as PersistentVolume;
  const claim = (uid: string): PersistentVolumeClaim => ({ metadata: { uid }, spec: { volumeName: "v" } }) as unknown as PersistentVolumeClaim;
  const free = { ...bound, spec: {} } as unknown as PersistentVolume;
  assert.deepEqual([fateOf(free, undefined), fateOf(bound, claim("u")), fateOf(bound, undefined), fateOf(made, undefined), fateOf(made, claim("other"))], ["Available", "Bound", "Released", "delete", "delete"]);
});

function volume(text: string): PersistentVolume {
  const [, name, storage, storageClassName = "", reserved, uid, other] = /^(\w):(\d+Gi)([a-wyz]*)(?:=(\w+?))?(?:!(\w+))?(x)?$/.exec(text) ?? [];
  return {
    metadata: { name }, status: { phase: "Available" },
    spec: { capacity: { storage }, storageClassName, volumeMode: "Filesystem", accessModes: [other === undefined ? "ReadWriteOnce" : "ReadOnlyMany"], ...(reserved === undefined ? {} : { claimRef: { name: reserved, namespace: "d", ...(uid === undefined ? {} : { uid }) } }) },
  } as unknown as PersistentVolume;
}
