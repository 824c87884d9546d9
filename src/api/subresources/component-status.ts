/** What old clients ask to see whether the control plane is well (pkg/registry/core/componentstatus). Controllers and scheduler live in this process: they are well when it answers. */
import type { Entry } from "../../store/store.ts";
import { ComponentStatus } from "../../kinds/core/componentstatus.ts";
import { messageOf } from "../../base/log.ts";
import type { Core } from "../core.ts";
import { methodNotAllowed, notFound, notSupported } from "../errors.ts";
import { listOptions } from "../options.ts";
import { allForms } from "../negotiate.ts";
import { routedOutput } from "../resources.ts";
import { sendList, sendObject } from "../respond.ts";
import { selectionOf } from "../select.ts";
import type { Subresource } from "./subresource.ts";

const names: readonly string[] = ["controller-manager", "etcd-0", "scheduler"];

function statusOf(core: Core, name: string): any {
  let [healthy, message] = [true, "ok"];
  try {
    // The store throws when it can no longer be read.
    if (name === "etcd-0") core.store.get("/registry/health");
  } catch (error) {
    [healthy, message] = [false, messageOf(error)];
  }
  return { kind: "ComponentStatus", apiVersion: "v1", metadata: { name }, conditions: [{ type: "Healthy", status: healthy ? "True" : "False", message }] };
}

export const componentStatus: Subresource = {
  async handle({ core }, context, call) {
    const { info } = context;
    const { served, name } = call;
    const view = { core, served, output: routedOutput(context, served, allForms), query: info.query };
    if (info.verb === "get") {
      if (!names.includes(name)) throw notFound({ ...served, resource: "componentstatus" }, name);
      return sendObject(200, view, { object: statusOf(core, name) });
    }
    if (info.verb === "watch") throw notSupported(served, info.verb);
    if (info.verb !== "list") throw methodNotAllowed();
    const { labelSelector, fieldSelector } = listOptions(info.query, false);
    const selection = selectionOf(ComponentStatus, labelSelector, fieldSelector);
    const objects = names.map(each => statusOf(core, each)).filter(status => selection.matches(status));
    return sendList(view, { entries: objects.map((object): Entry => ({ key: object.metadata.name, value: "", revision: 0, memo: { object } })), revision: 0 });
  },
};
