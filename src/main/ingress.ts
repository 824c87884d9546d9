/** The ingress process: the proxy's listeners, fed by the server process. */
import { presentCluster } from "./present-cluster.ts";
import { messageOf } from "../base/log.ts";
import { systemClock } from "../host/clock.ts";
import { followParent } from "../host/ingress-process.ts";
import { startIngressProxy, type IngressProxy } from "../host/ingress-proxy.ts";
import { lineLog } from "../host/log.ts";
import { systemRandom } from "../host/random.ts";
import { compileGroups } from "../host/regex.ts";
import { settleMemory } from "../host/settle.ts";

const graceMs = 3_000;
// The usual ports, else the next ones that people try.
const httpPorts = [80, 8080, 8081, 8082, 8083];
const httpsPorts = [443, 8443, 8444, 8445, 8446];

/** Runs until its parent is gone; gives the exit code. */
export async function runIngress(dataFolder: string): Promise<number> {
  const cluster = await presentCluster(dataFolder);
  const log = lineLog(line => void process.stdout.write(line), "info").child("ingress");
  // A terminal's interrupt goes to the whole group: we end when the server does.
  process.on("SIGINT", () => undefined);
  const random = systemRandom();
  const stop = new AbortController();
  let proxy: IngressProxy | undefined;
  try {
    await followParent(async () => {
      const started = proxy = await startIngressProxy({
        addresses: [...new Set(["127.0.0.1", ...cluster.listen, ...(cluster.advertise ? [cluster.advertise] : [])])],
        httpPorts, httpsPorts, clock: systemClock(), random: () => random.next(), log, compile: compileGroups,
      });
      settleMemory(stop.signal);
      return { ports: { http: started.httpPort, https: started.httpsPort }, setTable: table => started.setTable(table) };
    });
  } catch (error) {
    log.error("could not start", { error: messageOf(error) });
    return 1;
  }
  stop.abort();
  await proxy?.close(graceMs);
  return 0;
}
