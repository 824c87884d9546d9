import { nothing, selectorFromSet } from "../base/selector.ts";
import type { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { ReplicationController } from "../kinds/core/replicationcontroller.ts";
import { replicasController } from "./replicas.ts";

/** Keeps as many pods as each ReplicationController asks for: the older form, which selects by a plain map of labels. */
export const replicationControllerController = replicasController({
  kind: ReplicationController as unknown as typeof ReplicaSet, name: "replicationcontroller", account: "replication-controller", component: "replication-controller",
  selectorOf: set => {
    const { selector } = set.spec as unknown as ReplicationController["spec"];
    return selector === undefined || Object.keys(selector).length === 0 ? nothing : selectorFromSet(selector);
  },
  countsTerminating: false,
});
