import type { Filter, Rejection } from "../framework.ts";
import { portsClash } from "../pod-info.ts";

const rejection: Rejection = { plugin: "NodePorts", reasons: ["node(s) didn't have free ports for the requested pod ports"], resolvable: true };

/** The pod's host ports must be free on the node. */
export const nodePorts: Filter = {
  name: "NodePorts",
  prepare: ({ ports }) => {
    if (ports.length === 0) return undefined;
    return {
      check: node => {
        for (const pod of node.withPorts) if (pod.ports.some(taken => ports.some(port => portsClash(taken, port)))) return rejection;
        return undefined;
      },
    };
  },
  wakes: (event, { ports }) => event.type === "node-added" || (event.type === "pod-left" && event.pod.ports.some(freed => ports.some(port => portsClash(freed, port)))),
};
