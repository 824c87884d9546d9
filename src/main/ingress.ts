/** The ingress process: the proxy's listeners, fed by the server process through a file. It goes on without it. */
import { dirname } from "node:path";
import { version } from "./version.ts";
import { moved, presentCluster } from "./present-cluster.ts";
import { must } from "../base/assert.ts";
import { messageOf } from "../base/log.ts";
import { ingressPorts } from "../cli/ingress.ts";
import { AuditFile } from "../host/audit-file.ts";
import { systemClock } from "../host/clock.ts";
import { startAgain } from "../host/daemon.ts";
import { portsOfClusters } from "../host/held-ports.ts";
import { followTable, tellListening } from "../host/ingress-process.ts";
import { startIngressProxy } from "../host/ingress-proxy.ts";
import { lineLog } from "../host/log.ts";
import { standardOutput } from "../host/log-output.ts";
import { systemRandom } from "../host/random.ts";
import { settleMemory } from "../host/settle.ts";
import { needsPatterns } from "../ingress/match.ts";

const graceMs = 3_000;
const accessLog = { bytesMax: 20_000_000, filesMax: 3 };

/** Runs until SIGTERM, or until the machine has moved; gives the exit code, with which its keeper starts it again. */
export async function runIngress(dataFolder: string): Promise<number> {
  const cluster = await presentCluster(dataFolder);
  const log = lineLog(standardOutput(), "info").child("ingress");
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => stop.abort());
  const random = systemRandom();
  const clock = systemClock();
  void moved(cluster, { clock, log }, stop.signal).then(hasMoved => { if (hasMoved) stop.abort(); });
  // Regular expressions are rare in routes, and their engine is large.
  let regex: typeof import("../host/regex.ts") | undefined;
  const engine = (): typeof import("../host/regex.ts") => must(regex, "the engine is loaded before the first table with a pattern");
  try {
    const access = new AuditFile({ path: `${dataFolder}/logs/ingress-access.log`, log, now: () => clock.now(), what: "access log", ...accessLog });
    const proxy = startIngressProxy({
      addresses: [...new Set(["127.0.0.1", ...cluster.listen, ...(cluster.advertise ? [cluster.advertise] : [])])], addressesIfThere: ["::1"],
      served: async () => (await portsOfClusters(dirname(cluster.runFolder))).flatMap(({ port: { ip, port, protocol } }) => (protocol === "TCP" ? [{ ip, port }] : [])),
      candidates: ingressPorts, clock, random: () => random.next(), log, patterns: { path: pattern => engine().compileGroups(pattern), whole: pattern => engine().compileWhole(pattern) }, access: line => access.append(line),
      onListening: listening => {
        log.info("listens", { ...listening });
        void tellListening(cluster.runFolder, listening).catch((error: unknown) => log.error("could not tell where it listens", { error: messageOf(error) }));
      },
    });
    settleMemory(log, stop.signal);
    let taking: Promise<void> = Promise.resolve();
    await followTable(cluster.runFolder, version.timonier, table => {
      taking = taking.then(async () => {
        if (!regex && needsPatterns(table)) regex = await import("../host/regex.ts");
        await proxy.setTable(table);
      }).catch((error: unknown) => log.error("a table could not be taken", { error: messageOf(error) }));
    }, log, stop.signal);
    await proxy.close(graceMs);
    await access.close();
    // Only its keeper ends it for good, and does not look at this: somebody's TERM to the proxy alone is a restart.
    return startAgain;
  } catch (error) {
    log.error("ended", { error: messageOf(error) });
    return 1;
  }
}
