/** The commands, in the order in which help lists them. */
import type { Command } from "./command.ts";
import { deleteCluster } from "./delete.ts";
import { dev } from "./dev.ts";
import { down } from "./down.ts";
import { agent, ingress, server } from "./internal.ts";
import { kubectl } from "./kubectl.ts";
import { status } from "./status.ts";
import { up } from "./up.ts";
import { whyNot } from "./why-not.ts";

export const commands: readonly Command[] = [up, status, kubectl, whyNot, down, deleteCluster, dev, server, agent, ingress];
