/**
 * timonier on a machine that is not like this one: Debian 12 with systemd, cgroup v2 alone and Debian's own kernel, in QEMU without acceleration (some
 * fifteen times slower: for right and wrong, never for speed). `node tools/debian-vm.ts [folder]` makes it, runs tools/debian-vm/*.sh in it, each on a
 * machine whose power was cut at the end of the one before, and shows what they print. Needs root, and Debian's qemu-system-x86, mmdebstrap, cpio and busybox-static.
 */
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { pushTestImages } from "./images/hello.ts";
import { pushNetImage } from "./images/net.ts";
import { startRegistry } from "./images/registry.ts";

const checkout = new URL("..", import.meta.url).pathname;
const scripts = new URL("debian-vm", import.meta.url).pathname;
const packages = ["systemd", "systemd-sysv", "udev", "kmod", "iproute2", "procps", "ca-certificates", "linux-image-cloud-amd64", "containerd", "runc", "containernetworking-plugins", "nftables", "conntrack", "curl", "libatomic1", "kubernetes-client"];
/** A boot with all of a script's work took eleven minutes beside other loads. */
const bootMs = 40 * 60_000;
const done = "=== DONE";

const run = (command: string, ...args: string[]): string => execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const shell = (script: string): string => run("sh", "-ec", script);

/** Starts systemd on the first disk: Debian's kernel has its driver as modules. */
const init = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc; /bin/busybox mount -t sysfs sys /sys; /bin/busybox mount -t devtmpfs dev /dev
while read module; do /bin/busybox insmod /modules/$module; done < /modules/order
while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.1; done
/bin/busybox mount -t ext4 /dev/vda /root
/bin/busybox umount /proc /sys; /bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /lib/systemd/systemd
`;
const service = `[Unit]\nAfter=basic.target\n[Service]\nExecStart=/opt/run.sh\n[Install]\nWantedBy=multi-user.target\n`;
/** The next script at each start; the registry of the machine outside is mirrored. */
const runner = `#!/bin/bash
exec > /dev/ttyS0 2>&1
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb
modprobe virtio_net; sleep 1
device=$(ls /sys/class/net | grep -v lo | head -1)
ip link set lo up; ip link set "$device" up; ip addr add 10.0.2.15/24 dev "$device"; ip route add default via 10.0.2.2
next=$(ls /opt/scripts/*.sh | head -1)
cd /opt/timonier
mv "$next" /opt/scripts/now; sync
. /opt/scripts/now
echo "${done}"; sleep 1000
`;

function makeRoot(root: string): string {
  run("mmdebstrap", "--quiet", "--variant=minbase", `--include=${packages.join(",")}`, "bookworm", root, "http://deb.debian.org/debian");
  mkdirSync(join(root, "opt/timonier"), { recursive: true });
  mkdirSync(join(root, "opt/scripts"));
  shell(`cd '${checkout}'; git archive HEAD | tar x -C '${root}/opt/timonier'; tar c --exclude=.cache node_modules | tar x -C '${root}/opt/timonier'`);
  for (const name of readdirSync(scripts)) copyFileSync(join(scripts, name), join(root, "opt/scripts", name));
  writeFileSync(join(root, "opt/registries.yaml"), `mirrors:\n  "127.0.0.1:5000":\n    endpoint: ["http://10.0.2.2:5000"]\n`);
  writeFileSync(join(root, "opt/run.sh"), runner, { mode: 0o755 });
  const units = join(root, "etc/systemd/system");
  writeFileSync(join(units, "run.service"), service);
  mkdirSync(join(units, "multi-user.target.wants"), { recursive: true });
  symlinkSync("../run.service", join(units, "multi-user.target.wants/run.service"));
  // A login prompt would take the console away; the distribution's own containerd is not asked for anything.
  for (const name of ["serial-getty@ttyS0.service", "containerd.service"]) {
    rmSync(join(units, name), { force: true });
    symlinkSync("/dev/null", join(units, name));
  }
  return readdirSync(join(root, "lib/modules"))[0]!;
}

function makeInitrd(folder: string, root: string, kernel: string): void {
  const initrd = join(folder, "initrd");
  for (const name of ["bin", "dev", "proc", "sys", "root", "modules"]) mkdirSync(join(initrd, name), { recursive: true });
  copyFileSync("/bin/busybox", join(initrd, "bin/busybox"));
  chmodSync(join(initrd, "bin/busybox"), 0o755);
  const modules = ["virtio_pci", "virtio_blk"].flatMap(name => run("chroot", root, "modprobe", "-S", kernel, "--show-depends", name).trim().split("\n").map(line => line.split(" ")[1]!));
  for (const path of new Set(modules)) copyFileSync(join(root, path), join(initrd, "modules", basename(path)));
  writeFileSync(join(initrd, "modules/order"), `${[...new Set(modules)].map(path => basename(path)).join("\n")}\n`);
  writeFileSync(join(initrd, "init"), init, { mode: 0o755 });
  shell(`cd '${initrd}'; find . | cpio -o -H newc --quiet | gzip > ../initrd.gz`);
}

/** Starts the machine and cuts its power when the script is done. False: it did not get there. */
function boot(folder: string, kernel: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const machine = spawn("qemu-system-x86_64", [
      "-accel", "tcg,thread=multi", "-smp", "2", "-m", "3072", "-cpu", "max", "-nographic", "-no-reboot", "-kernel", join(folder, "root/boot", `vmlinuz-${kernel}`), "-initrd", join(folder, "initrd.gz"),
      "-append", "console=ttyS0 root=/dev/vda rw quiet systemd.show_status=0 panic=1", "-drive", `file=${join(folder, "disk.img")},format=raw,if=virtio`, "-netdev", "user,id=n", "-device", "virtio-net-pci,netdev=n",
    ], { stdio: ["ignore", "pipe", "inherit"] });
    let said = "";
    const limit = setTimeout(() => machine.kill("SIGKILL"), bootMs);
    machine.stdout.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      said = (said + chunk.toString()).slice(-200);
      if (said.includes(done)) machine.kill("SIGKILL");
    });
    machine.once("error", reject);
    machine.once("close", () => {
      clearTimeout(limit);
      resolve(said.includes(done));
    });
  });
}

const given = process.argv[2];
const folder = given ?? mkdtempSync(join(tmpdir(), "timonier-debian-vm-"));
mkdirSync(folder, { recursive: true });
const registry = await startRegistry(join(folder, "registry"));
try {
  await pushTestImages(registry.address, join(folder, "debs"));
  await pushNetImage(registry.address, join(folder, "debs"));
  const kernel = makeRoot(join(folder, "root"));
  makeInitrd(folder, join(folder, "root"), kernel);
  shell(`cd '${folder}'; truncate -s 6G disk.img; mke2fs -q -t ext4 -d root disk.img`);
  for (const name of readdirSync(scripts)) {
    console.log(`\n##### ${name}`);
    if (!await boot(folder, kernel)) throw new Error(`the machine did not finish ${name}`);
  }
} finally {
  await registry.stop();
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}
