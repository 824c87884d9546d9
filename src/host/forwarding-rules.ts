/**
 * Other people's firewalls on the machine: Docker sets the policy of iptables' FORWARD chain to DROP, and what one chain of the kernel's hook drops no other one
 * can let pass. So the cluster's networks are accepted there too (in Docker's own chain for such rules, where it is); what NetworkPolicies forbid stays forbidden.
 */
import { existsSync, readFileSync } from "node:fs";
import { command, findProgram, type Finished } from "./command.ts";

/** Runs a program with arguments; `undefined` where the machine does not have it. */
export type RunProgram = (program: string, args: readonly string[]) => Promise<Finished | undefined>;
/** A chain at the forward hook that drops what none of its rules accepts. */
export type Dropping = { readonly family: string; readonly table: string; readonly chain: string };

export function programs(path: string): RunProgram {
  return async (program, args) => {
    const file = findProgram(program, path);
    return file === undefined ? undefined : command(file, args);
  };
}

/** From `nft -j list chains`. */
export function parseDropping(json: string): readonly Dropping[] {
  const { nftables } = JSON.parse(json) as { readonly nftables: readonly { readonly chain?: { readonly family: string; readonly table: string; readonly name: string; readonly hook?: string; readonly policy?: string } }[] };
  return nftables.flatMap(({ chain }) => (chain?.hook === "forward" && chain.policy === "drop" ? [{ family: chain.family, table: chain.table, chain: chain.name }] : []));
}

type Family = "ip" | "ip6";
/** The tables that iptables' older self has in the kernel. */
export type LegacyTables = (family: Family) => readonly string[];
const tablesOfKernel: LegacyTables = family => {
  const names = `/proc/net/${family}_tables_names`;
  return existsSync(names) ? readFileSync(names, "utf8").split("\n") : [];
};
/** iptables by family, and its older self where that has rules: asking it otherwise would make them. */
function tools(family: Family, legacy: LegacyTables): readonly string[] {
  const plain = family === "ip" ? "iptables" : "ip6tables";
  return [plain, ...(legacy(family).includes("filter") ? [`${plain}-legacy`] : [])];
}
const isIPv6 = (network: string): boolean => network.includes(":");
const dockerChain = "DOCKER-USER";
const chains = [dockerChain, "FORWARD"] as const;
const rulesFor = (cluster: string, network: string): readonly (readonly string[])[] => ["-s", "-d"].map(side => [side, network, "-m", "comment", "--comment", `timonier ${cluster}`, "-j", "ACCEPT"]);

/**
 * Lets the networks pass where iptables' FORWARD drops by default. Gives the chains that drop and are not iptables': nobody but who made them knows how they are to
 * be opened. Repeatable; rejects when a rule cannot be added.
 */
export async function acceptForwarding(cluster: string, networks: readonly string[], run: RunProgram, legacy = tablesOfKernel): Promise<{ readonly added: number; readonly foreign: readonly Dropping[] }> {
  const listed = await run("nft", ["-j", "list", "chains"]);
  if (listed === undefined || listed.code !== 0) throw new Error(`the machine's packet filters cannot be listed: ${listed?.stderr.trim() ?? "nft is not installed"}`);
  const dropping = parseDropping(listed.stdout);
  let added = 0;
  for (const family of ["ip", "ip6"] as const) {
    const own = networks.filter(network => isIPv6(network) === (family === "ip6"));
    if (own.length === 0) continue;
    for (const tool of tools(family, legacy)) {
      const drops = tool.endsWith("-legacy") ? (await run(tool, ["-S", "FORWARD"]))?.stdout.includes("-P FORWARD DROP") === true : dropping.some(each => each.family === family && isIptables(each));
      if (!drops) continue;
      const chain = (await run(tool, ["-w", "5", "-S", dockerChain]))?.code === 0 ? dockerChain : "FORWARD";
      for (const network of own)
        for (const rule of rulesFor(cluster, network)) {
          if ((await run(tool, ["-w", "5", "-C", chain, ...rule]))?.code === 0) continue;
          const done = await run(tool, ["-w", "5", "-I", chain, "1", ...rule]);
          if (done?.code !== 0) throw new Error(`${tool}'s chain FORWARD drops what pods send and receive, and a rule could not be added: run ${tool} -I ${chain} ${rule.map(word => (word.includes(" ") ? JSON.stringify(word) : word)).join(" ")}: ${done?.stderr.trim() ?? `${tool} is not installed`}`);
          added++;
        }
    }
  }
  const families = new Set(["inet", ...networks.map(network => (isIPv6(network) ? "ip6" : "ip"))]);
  return { added, foreign: dropping.filter(each => families.has(each.family) && !isIptables(each)) };
}

/** Takes the rules away again, wherever they are. */
export async function removeForwarding(cluster: string, networks: readonly string[], run: RunProgram, legacy = tablesOfKernel): Promise<void> {
  const listed = await run("nft", ["-j", "list", "chains"]);
  for (const family of ["ip", "ip6"] as const)
    for (const tool of tools(family, legacy)) {
      // Where there is no such chain there is no rule, and asking would make one.
      if (!tool.endsWith("-legacy") && !(listed?.stdout ?? "").includes('"FORWARD"')) continue;
      for (const network of networks.filter(each => isIPv6(each) === (family === "ip6")))
        for (const chain of chains) for (const rule of rulesFor(cluster, network)) while ((await run(tool, ["-w", "5", "-D", chain, ...rule]))?.code === 0);
    }
}

const isIptables = ({ table, chain }: Dropping): boolean => table === "filter" && chain === "FORWARD";
