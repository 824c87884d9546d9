/** Looks after what the machine's own firewall does to pods: it may be set up, or changed, long after the cluster was. */
import { rm } from "node:fs/promises";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Service } from "../base/supervise.ts";
import { firewallNote } from "../cli/firewall.ts";
import type { Cluster } from "../cli/machine.ts";
import { writeFileAtomic } from "../host/files.ts";
import { acceptForwarding, programs } from "../host/forwarding-rules.ts";
import { forwardedNetworks } from "./node-settings.ts";

/** Nobody tells of changed rules: Docker, once started, blocks pods for this long at most. */
const lookEveryMs = 30_000;

/** On the machine itself only: further nodes have namespaces of their own. */
export function firewallWatch(cluster: Cluster, { clock, log, path }: { readonly clock: Clock; readonly log: Log; readonly path: string }): Service {
  const note = firewallNote(cluster);
  const networks = forwardedNetworks(cluster);
  return {
    name: "forwarding rules",
    async run(signal) {
      let told = "";
      await rm(note, { force: true });
      while (!signal.aborted) {
        const { added, foreign } = await acceptForwarding(cluster.id, networks, programs(path));
        if (added > 0) log.info("iptables' chain FORWARD drops by default: the cluster's networks may pass now", { rules: added, networks: networks.join(" ") });
        const chains = foreign.map(({ family, table, chain }) => `${family} ${table} ${chain}`).join(", ");
        if (chains !== told) {
          if (chains === "") await rm(note, { force: true });
          else {
            log.warn("another firewall drops what its rules do not let pass: pods may be out of reach", { chains, networks: networks.join(" ") });
            await writeFileAtomic(note, JSON.stringify({ chains, networks }));
          }
          told = chains;
        }
        await clock.sleep(lookEveryMs, signal);
      }
    },
  };
}
