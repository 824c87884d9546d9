/** What another firewall of the machine may do to pods, as the commands tell it. */
import type { Cluster, Machine } from "./machine.ts";

export const firewallNote = ({ runFolder }: Pick<Cluster, "runFolder">): string => `${runFolder}/firewall.json`;

/** One line, or undefined where nothing is in the way. The machine's agent writes the note. */
export async function firewallLine(machine: Pick<Machine, "read">, cluster: Pick<Cluster, "runFolder">): Promise<string | undefined> {
  const text = await machine.read(firewallNote(cluster));
  if (text === undefined) return undefined;
  const { chains, networks } = JSON.parse(text) as { readonly chains: string; readonly networks: readonly string[] };
  return `chain ${chains} of nftables drops what its rules do not let pass: have it accept packets from and to ${networks.join(", ")} (nft list chain ${chains.split(", ")[0]})`;
}
