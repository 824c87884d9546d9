/** Keeps a node's routes to the other nodes' pods, and the note of which links it is on, as the Node objects say. */
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import type { Service } from "../base/supervise.ts";
import type { Client } from "../client/client.ts";
import type { Informer } from "../client/informer.ts";
import { ownLinks } from "../host/node-links.ts";
import { applyRoutes, type RouteTable } from "../host/node-routes.ts";
import { Node } from "../kinds/core/node.ts";
import { linksAnnotation, planRoutes } from "../proxy/routes.ts";

type Options = {
  readonly nodeName: string;
  readonly addresses: readonly string[];
  /** What its own packets to other nodes' pods come from. */
  readonly sources: readonly string[];
  readonly nodes: Informer<typeof Node>;
  /** Acts as the node: it may change its own object only. */
  readonly client: Client;
  readonly table: RouteTable;
  readonly clock: Clock;
  readonly log: Log;
};
/** Changes that arrive together are carried out together. */
const gatherMs = 10;
const retryMs = 1_000;

export function nodeRoutes(options: Options): Service {
  const { nodeName, nodes, client, sources, table, clock, log } = options;
  return {
    name: "routes to other nodes",
    async run(signal) {
      let done: string | undefined;
      let changed = true;
      let wake: (() => void) | undefined;
      const notice = (): void => { changed = true; wake?.(); };
      const unsubscribe = nodes.onChange(notice);
      signal.addEventListener("abort", notice, { once: true });
      try {
        await nodes.listed(signal);
        while (!signal.aborted) {
          if (!changed) await new Promise<void>(resolve => { wake = resolve; });
          await clock.sleep(gatherMs, signal);
          if (signal.aborted) return;
          changed = false;
          const links = ownLinks(table.cluster, options.addresses);
          const self = nodes.get(nodeName);
          if (self && self.metadata.annotations?.[linksAnnotation] !== links.join(",") && nodes.list().length > 1)
            await client.patch(Node, "", nodeName, { type: "merge", body: { metadata: { annotations: { [linksAnnotation]: links.join(",") } } } });
          const plan = planRoutes({ name: nodeName, links, sources }, nodes.list());
          const text = JSON.stringify(plan);
          if (text === done) continue;
          try {
            await applyRoutes(plan, table);
            done = text;
            log.info("routes to other nodes are in place", { routes: plan.routes.length, tunnels: plan.tunnels.length });
          } catch (error) {
            // A link may be about to come.
            log.warn("the routes to other nodes could not be set, trying again", { error: messageOf(error) });
            done = undefined;
            changed = true;
            await clock.sleep(retryMs, signal);
          }
        }
      } finally {
        unsubscribe();
        signal.removeEventListener("abort", notice);
      }
    },
  };
}
