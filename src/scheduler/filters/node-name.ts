import type { Filter, Rejection } from "../framework.ts";

const rejection: Rejection = { plugin: "NodeName", reasons: ["node(s) didn't match the requested node name"], resolvable: false };

/** A pod that names its node goes nowhere else. */
export const nodeName: Filter = {
  name: "NodeName",
  prepare: ({ pod }) => {
    const wanted = pod.spec.nodeName ?? "";
    return wanted === "" ? undefined : { check: node => (node.name === wanted ? undefined : rejection) };
  },
  wakes: event => event.type === "node-added",
};
