import { selectorOf } from "../base/selector.ts";
import { ReplicaSet } from "../kinds/apps/replicaset.ts";
import { replicasController } from "./replicas.ts";

/** Keeps as many pods as each ReplicaSet asks for. */
export const replicaSetController = replicasController({
  kind: ReplicaSet, name: "replicaset", account: "replicaset-controller", component: "replicaset-controller",
  selectorOf: set => selectorOf(set.spec.selector), countsTerminating: true,
});
