/** Where a cluster's private containerd keeps things, and the configuration files it reads. */
import { existsSync, readFileSync } from "node:fs";
import { findProgram } from "./command.ts";

export type ContainerdSettings = {
  /** The cluster's name: part of every shared name, so that several live side by side. */
  readonly name: string;
  /** `<data-dir>/containerd`. */
  readonly dir: string;
  /** `/run/timonier/<name>`: sockets and state that a reboot may lose. */
  readonly runDir: string;
  readonly podCIDRs: readonly string[];
  /** What a reboot is for this node: another text than before. Default: the kernel's boot id. */
  readonly boot?: string;
  /** Bytes that pods' packets may grow by on the way to other nodes. */
  readonly overheadBytes?: number;
  /** `PATH`, to find programs. */
  readonly path: string;
};

export const pauseImage = "timonier.internal/pause:1";

export function pathsOf({ dir, runDir }: Pick<ContainerdSettings, "dir" | "runDir">) {
  return {
    config: `${dir}/config.toml`, root: `${dir}/root`, log: `${dir}/containerd.log`, cni: `${dir}/cni`, hosts: `${dir}/certs.d`, process: `${dir}/process.json`, folders: `${dir}/folders-missing-before.json`,
    opt: `${dir}/opt`, state: `${runDir}/containerd`, socket: `${runDir}/containerd.sock`, runc: `${runDir}/runc`, crun: `${runDir}/crun`, ipam: `${runDir}/cni-ipam`,
  };
}

/** What the machine offers for running containers, and what is missing. */
export type RuntimePrograms = { readonly containerd?: string; readonly runc?: string; readonly crun?: string; readonly cniDir?: string; readonly nft?: string; readonly missing: readonly string[] };

/** `missing` names Debian packages. */
export function findRuntimePrograms(path: string): RuntimePrograms {
  const containerd = findProgram("containerd", path);
  const runc = findProgram("runc", path);
  const crun = findProgram("crun", path);
  const nft = findProgram("nft", path);
  const ip = findProgram("ip", path);
  const cniDir = ["/opt/cni/bin", "/usr/lib/cni", "/usr/libexec/cni"].find(folder => ["ptp", "host-local", "loopback"].every(plugin => existsSync(`${folder}/${plugin}`)));
  const missing = [
    ...(containerd ? [] : ["containerd"]), ...(runc || crun ? [] : ["runc"]), ...(cniDir ? [] : ["containernetworking-plugins"]), ...(nft ? [] : ["nftables"]), ...(ip ? [] : ["iproute2"]),
  ];
  return { missing, ...(containerd && { containerd }), ...(runc && { runc }), ...(crun && { crun }), ...(cniDir && { cniDir }), ...(nft && { nft }) };
}

/**
 * The low-level runtime to use: crun starts containers 20 % faster, but refuses machines that mix cgroup v1 with controllers in v2.
 * `mounts` is /proc/self/mountinfo, `unifiedControllers` the content of the v2 root's cgroup.controllers.
 */
export function chooseRuntime(programs: RuntimePrograms, mounts: string, unifiedControllers: string): "runc" | "crun" {
  const mixed = / - cgroup /.test(mounts) && unifiedControllers.trim() !== "";
  if (programs.crun && !mixed) return "crun";
  return programs.runc ? "runc" : "crun";
}

/** Both facts that `chooseRuntime` needs, from this machine. */
export function cgroupFacts(): { readonly mounts: string; readonly unifiedControllers: string } {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8");
  const unified = mounts.split("\n").find(line => line.includes(" - cgroup2 "))?.split(" ")[4];
  return { mounts, unifiedControllers: unified !== undefined && existsSync(`${unified}/cgroup.controllers`) ? readFileSync(`${unified}/cgroup.controllers`, "utf8") : "" };
}

/** containerd's configuration. Everything it can be told to keep apart from the system's instance is kept apart. */
export function renderConfig(settings: ContainerdSettings, programs: RuntimePrograms, facts: { readonly runtime: "runc" | "crun"; readonly mayRaiseOomScore: boolean }): string {
  const at = pathsOf(settings);
  const q = (text: string): string => JSON.stringify(text);
  const cri = `plugins."io.containerd.grpc.v1.cri"`;
  const runtimes = (["runc", "crun"] as const).filter(name => programs[name] !== undefined);
  return `version = 2
root = ${q(at.root)}
state = ${q(at.state)}
oom_score = 0
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.native", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing", "io.containerd.internal.v1.restart" ]
[grpc]
  address = ${q(at.socket)}
[plugins."io.containerd.internal.v1.opt"]
  path = ${q(at.opt)}
[${cri}]
  sandbox_image = ${q(pauseImage)}
  restrict_oom_score_adj = ${!facts.mayRaiseOomScore}
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  netns_mounts_under_state_dir = true
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  max_container_log_line_size = 16384
  [${cri}.cni]
    bin_dir = ${q(programs.cniDir ?? "")}
    conf_dir = ${q(at.cni)}
  [${cri}.containerd]
    snapshotter = "overlayfs"
    default_runtime_name = ${q(facts.runtime)}
${runtimes.map(name => `    [${cri}.containerd.runtimes.${name}]
      runtime_type = "io.containerd.runc.v2"
      [${cri}.containerd.runtimes.${name}.options]
        BinaryName = ${q(programs[name] ?? "")}
        Root = ${q(at[name])}
`).join("")}  [${cri}.registry]
    config_path = ${q(at.hosts)}
`;
}

/** Routed pod interfaces (ptp): every packet passes the forward hook. Host ports and masquerading are ours, not the plugins'. */
export function renderCni(settings: ContainerdSettings, mtu: number): string {
  const ranges = settings.podCIDRs.map(subnet => [{ subnet }]);
  const routes = settings.podCIDRs.map(subnet => ({ dst: subnet.includes(":") ? "::/0" : "0.0.0.0/0" }));
  return JSON.stringify({
    cniVersion: "0.4.0", name: networkName(settings.name),
    plugins: [{ type: "ptp", ipMasq: false, mtu, ipam: { type: "host-local", dataDir: pathsOf(settings).ipam, ranges, routes } }],
  }, null, 2);
}
export function networkName(cluster: string): string {
  return `timonier-${cluster}`;
}
