import assert from "node:assert/strict";
import { test } from "node:test";
import { fakeMachine } from "../../test/fake-machine.ts";
import { bringPackages } from "./packages.ts";
import { Progress } from "./progress.ts";

const all = ["containerd", "runc", "/usr/lib/cni/ptp", "nft", "iptables", "ip", "conntrack", "nsenter"];

test("nothing is installed when everything is there", async () => {
  const { machine, did } = fakeMachine({ programs: all });
  await bringPackages(machine, new Progress(machine), false);
  assert.deepEqual(did, []);
});

test("what is missing is said, then installed", async () => {
  const { machine, did, said } = fakeMachine({ programs: [...all.filter(name => name !== "containerd" && name !== "nft"), "apt-get"] });
  await bringPackages(machine, new Progress(machine), false);
  assert.deepEqual([said[0], did], ["Installing from the distribution: containerd nftables\n", ["apt-get install -y --no-install-recommends containerd nftables"]]);
});

test("--no-install refuses and says what to run", async () => {
  const { machine, did } = fakeMachine({ programs: ["apt-get", ...all.slice(1)] });
  await assert.rejects(bringPackages(machine, new Progress(machine), true), /missing packages: containerd, and --no-install was given: run "apt-get install containerd" first/);
  assert.deepEqual(did, []);
});

test("without a network the failure names the last line of apt and the way out", async () => {
  const { machine } = fakeMachine({ programs: ["apt-get", ...all.slice(1)], answers: { "apt-get install": { code: 100, stderr: "x\nE: Unable to locate package containerd\n" } } });
  await assert.rejects(bringPackages(machine, new Progress(machine), false), /"apt-get install containerd" failed \(E: Unable to locate package containerd\): check the network, install them by hand, or use --runtime simulated/);
});
