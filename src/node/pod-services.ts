/** What every pod worker of one node shares. */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import type { Client } from "../client/client.ts";
import type { Pod } from "../kinds/core/pod.ts";
import type { Service } from "../kinds/core/service.ts";
import type { BackOff } from "./back-off.ts";
import type { Placed } from "./containers.ts";
import type { AgentFigures } from "./figures.ts";
import type { NodeHost } from "./host.ts";
import type { Images } from "./images.ts";
import type { References } from "./references.ts";
import type { ContainerRuntime } from "./runtime.ts";
import type { NodeFacts } from "./sandbox-config.ts";
import type { StatusWriter } from "./status-writer.ts";
import type { Volumes } from "./volumes.ts";

export type PodServices = {
  readonly client: Client;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly runtime: ContainerRuntime;
  readonly host: NodeHost;
  readonly node: NodeFacts;
  readonly images: Images;
  readonly volumes: Volumes;
  readonly references: References;
  readonly statuses: StatusWriter;
  /** Absent: nobody counts. */
  readonly figures?: AgentFigures;
  readonly restarts: BackOff;
  readonly allocatable: () => { readonly [resource: string]: string };
  readonly services: () => Promise<readonly Service[]>;
  /** `/etc/hosts` of the node, for pods on its network. */
  readonly nodeHosts: () => Promise<string>;
  readonly tell: (pod: Pod, placed: Placed | undefined, type: "Normal" | "Warning", reason: string, message: string) => void;
  /** Why this node refuses the pod, judged when it is first seen. */
  readonly refuse: (pod: Pod) => { readonly reason: string; readonly message: string } | undefined;
  /** Before a refusal counts: the Node as it is now. */
  readonly refreshNode: () => Promise<void>;
  /** Heavy calls to the runtime run a few at a time: more would only make each slower. */
  readonly turn: <T>(work: () => Promise<T>) => Promise<T>;
};
