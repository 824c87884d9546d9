/** The programs that real containers need, and the Debian packages that have them. */
import { UsageError } from "./args.ts";
import type { Machine } from "./machine.ts";
import type { Progress } from "./progress.ts";

const needed = [
  { program: "containerd", package: "containerd" },
  { program: "runc", package: "runc" },
  { program: "/usr/lib/cni/ptp", package: "containernetworking-plugins" },
  { program: "nft", package: "nftables" },
  { program: "iptables", package: "iptables" },
  { program: "ip", package: "iproute2" },
  { program: "conntrack", package: "conntrack" },
  { program: "nsenter", package: "util-linux" },
] as const;

/** Installs what is missing after saying so; refuses with `--no-install` or without apt. */
export async function bringPackages(machine: Machine, progress: Progress, refuse: boolean): Promise<void> {
  const missing: string[] = [];
  for (const { program, package: name } of needed)
    if (!(program.startsWith("/") ? await machine.exists(program) : await machine.which(program))) missing.push(name);
  if (missing.length === 0) return;
  const list = missing.join(" ");
  if (refuse) throw new UsageError(`missing packages: ${list}, and --no-install was given: run "apt-get install ${list}" first`);
  if (!(await machine.which("apt-get"))) throw new UsageError(`missing programs of the packages ${list}, and this is not a Debian-like system: install them by hand, or use --runtime simulated`);
  machine.out(`Installing from the distribution: ${list}\n`);
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = () => machine.run("apt-get", ["install", "-y", "--no-install-recommends", ...missing], { env, timeoutMs: 600_000 });
  await progress.step(`packages ${list}`, async () => {
    let result = await install();
    if (result.code !== 0) {
      progress.note("refreshing the package lists");
      await machine.run("apt-get", ["update"], { env, timeoutMs: 300_000 });
      result = await install();
    }
    if (result.code !== 0) throw new UsageError(`"apt-get install ${list}" failed (${lastLine(result.stderr)}): check the network, install them by hand, or use --runtime simulated`);
  });
}

const lastLine = (text: string): string => text.trim().split("\n").at(-1) ?? "";
