import type { PacketFilter } from "../proxy/proxy.ts";
import { parseRemembered } from "../proxy/ruleset.ts";
import { parseFlows } from "../proxy/stale-flows.ts";
import { command, findProgram, mustCommand } from "./command.ts";

/** nftables by its own program: one process, one transaction. */
export function nftables(): PacketFilter {
  const path = process.env["PATH"] ?? "";
  return {
    apply: async commands => {
      await mustCommand(findProgram("nft", path) ?? "nft", ["-f", "-"], { input: `${commands.join("\n")}\n` });
    },
    remembered: async table => parseRemembered(await mustCommand(findProgram("nft", path) ?? "nft", ["-j", "list", "sets", table.split(" ")[0]!]), table),
    udpFlows: async () => {
      const conntrack = findProgram("conntrack", path);
      return conntrack === undefined ? [] : parseFlows(await mustCommand(conntrack, ["-L", "-p", "udp"]));
    },
    forgetFlows: async flows => {
      const conntrack = findProgram("conntrack", path);
      // Exit code 1 means that there was no such flow, which is what we want.
      if (conntrack !== undefined) for (const { destination, port, endpoint } of flows) await command(conntrack, ["-D", "-p", "udp", ...(destination === undefined ? [] : ["--orig-dst", destination]), "--orig-port-dst", String(port), ...(endpoint === undefined ? [] : ["--dst-nat", endpoint.ip, "--reply-port-src", String(endpoint.port)])]);
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
