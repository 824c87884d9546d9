import type { PacketFilter } from "../proxy/proxy.ts";
import { command, findProgram, mustCommand } from "./command.ts";

/** nftables by its own program: one process, one transaction. */
export function nftables(): PacketFilter {
  const path = process.env["PATH"] ?? "";
  return {
    apply: async commands => {
      await mustCommand(findProgram("nft", path) ?? "nft", ["-f", "-"], { input: `${commands.join("\n")}\n` });
    },
    forgetFlows: async destinations => {
      const conntrack = findProgram("conntrack", path);
      // Exit code 1 means that there was no such flow, which is what we want.
      if (conntrack !== undefined) for (const destination of destinations) await command(conntrack, ["-D", "-p", "udp", "--orig-dst", destination]);
    },
  };
}

/** Removes the tables of one cluster; tables that are not there are fine. */
export async function removeTables(names: readonly string[]): Promise<void> {
  const nft = findProgram("nft", process.env["PATH"] ?? "");
  if (nft === undefined) return;
  const commands = names.flatMap(name => [`add table ${name}`, `delete table ${name}`]);
  await mustCommand(nft, ["-f", "-"], { input: `${commands.join("\n")}\n` });
}
