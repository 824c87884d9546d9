/** The long-running processes behind `up`; each reads `<data-dir>/cluster.json`. */
import { UsageError, type Flag } from "./args.ts";
import type { Command } from "./command.ts";

const flags: readonly Flag[] = [{ name: "data-dir", type: "string", doc: "the cluster's own folder, the one with cluster.json" }];

export const server: Command = {
  name: "server", doc: "run the control plane in this process", flags, hidden: true,
  run: (args, _machine, parts) => parts.serve(folder(args.values["data-dir"])),
};
const nodeFlag: Flag = { name: "node", type: "string", doc: "name of the node" };
export const agent: Command = {
  name: "agent", doc: "run the node agent in this process", flags: [...flags, nodeFlag], hidden: true,
  run: (args, _machine, parts) => parts.runAgent(folder(args.values["data-dir"]), args.values["node"] as string | undefined),
};
export const box: Command = {
  name: "box", doc: "make a node's namespaces if need be and run its agent there", flags: [...flags, nodeFlag], hidden: true,
  run: (args, _machine, parts) => parts.runBox(folder(args.values["data-dir"]), String(args.values["node"])),
};
export const endPods: Command = {
  name: "end-pods", doc: "end the pods of the node that this runs in", flags: [...flags, nodeFlag], hidden: true,
  run: (args, _machine, parts) => parts.endPods(folder(args.values["data-dir"]), String(args.values["node"])),
};
export const ingress: Command = {
  name: "ingress", doc: "run the ingress proxy in this process, fed by the server process through a file", flags, hidden: true,
  run: (args, _machine, parts) => parts.runIngress(folder(args.values["data-dir"])),
};

function folder(value: unknown): string {
  if (typeof value !== "string") throw new UsageError("--data-dir is needed: the folder with cluster.json (\"timonier up\" makes it)");
  return value;
}
