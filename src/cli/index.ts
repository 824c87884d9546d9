/** The commands, in the order in which help lists them. */
import type { Command } from "./command.ts";
import { deleteCluster } from "./delete.ts";
import { dev } from "./dev.ts";
import { down } from "./down.ts";
import { agent, box, endPods, ingress, server } from "./internal.ts";
import { kubectl } from "./kubectl.ts";
import { node } from "./node.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";
import { whyNot } from "./why-not.ts";

export const commands: readonly Command[] = [up, status, kubectl, whyNot, node, down, deleteCluster, dev, server, agent, box, endPods, ingress];
