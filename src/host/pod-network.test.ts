import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { restoreForwarding } from "./pod-network.ts";

test("the switches of the machine stay while another cluster is there; the last one puts them back", () => {
  const folder = mkdtempSync(join(tmpdir(), "timonier-forwarding-"));
  const note = join(folder, "forwarding.json");
  try {
    for (const cluster of ["a/containerd", "b/containerd", "simulated"]) mkdirSync(join(folder, cluster), { recursive: true });
    // A switch that exists on no machine: nothing of this one is touched.
    writeFileSync(note, JSON.stringify({ "/proc/sys/net/ipv6/conf/nothing/accept_ra": "1" }));
    restoreForwarding(note, join(folder, "a"));
    assert.match(readFileSync(note, "utf8"), /accept_ra/);
    rmSync(join(folder, "a"), { recursive: true });
    restoreForwarding(note, join(folder, "b"));
    assert.equal(existsSync(note), false);
    restoreForwarding(note, join(folder, "b"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
