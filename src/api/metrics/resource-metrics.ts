/** metrics.k8s.io as this server answers it itself, while nobody else has registered for the group. */
import { ApiError } from "../../base/api-error.ts";
import { formatDuration } from "../../base/duration.ts";
import { formatQuantity, quantityOf } from "../../base/quantity.ts";
import { timeOf } from "../../base/time.ts";
import { NodeMetrics } from "../../kinds/metrics/nodemetrics.ts";
import { PodMetrics } from "../../kinds/metrics/podmetrics.ts";
import { apiVersionOf, type AnyKind } from "../../kinds/kind.ts";
import type { Call } from "../core.ts";
import { notFound } from "../errors.ts";
import { listOptions } from "../options.ts";
import { allForms } from "../negotiate.ts";
import { outputOf, type Services } from "../resources.ts";
import { sendList, sendObject, type View } from "../respond.ts";
import { selectionOf } from "../select.ts";
import type { Subresource } from "../subresources/subresource.ts";
import type { Measured, Usage, Usages } from "./sampler.ts";

/** An object that is measured: what it is called, and since when it exists. */
type Subject = { readonly metadata: { readonly name: string; readonly namespace?: string; readonly labels?: { readonly [key: string]: string } } };

export const podMetrics = computed(PodMetrics, "pods", (usages, { metadata }) => {
  const found = usages.pods.get(`${metadata.namespace}/${metadata.name}`);
  return found && { ...measured(found), containers: [...found.containers].map(([name, usage]) => ({ name, usage: amounts(usage) })) };
});
export const nodeMetrics = computed(NodeMetrics, "nodes", (usages, { metadata }) => {
  const found = usages.nodes.get(metadata.name);
  return found && { ...measured(found), usage: amounts(found.usage) };
});

function measured({ timestamp, windowMs }: Measured<unknown>): object {
  return { timestamp: timeOf(timestamp), window: formatDuration(BigInt(Math.round(windowMs)) * 1_000_000n) };
}
function amounts({ cpuNanoCores, memoryBytes }: Usage): { readonly [resource: string]: string } {
  return { cpu: formatQuantity({ nanos: BigInt(cpuNanoCores), format: "DecimalSI" }), memory: formatQuantity(quantityOf(memoryBytes, "BinarySI")) };
}

function computed(kind: AnyKind, resource: string, figuresOf: (usages: Usages, subject: Subject) => object | undefined): Subresource {
  const objectOf = ({ core }: Services, usages: Usages, subject: Subject): any => {
    const figures = figuresOf(usages, subject);
    const { name, namespace, labels } = subject.metadata;
    return figures && {
      kind: kind.kind, apiVersion: apiVersionOf(kind),
      metadata: { name, ...(namespace === undefined ? {} : { namespace }), creationTimestamp: timeOf(core.clock.now()), ...(labels === undefined ? {} : { labels }) }, ...figures,
    };
  };
  return {
    async handle(services, { request, info }, call: Call) {
      const { core, metrics } = services;
      if (metrics === undefined) throw new ApiError("ServiceUnavailable", "the server is currently unable to handle the request");
      const view: View = { core, served: call.served, output: outputOf(request, info, allForms), query: info.query };
      if (info.verb === "get") {
        const subject = core.reader.get("", resource, call.namespace, call.name);
        const object = subject === undefined ? undefined : objectOf(services, await metrics.usages(), subject);
        if (object === undefined) throw notFound(call.served, call.name);
        return sendObject(200, view, { object });
      }
      const options = listOptions(info.query, false);
      const selection = selectionOf(kind, options.labelSelector, options.fieldSelector);
      const subjects = core.reader.list("", resource, call.namespace).filter(subject => selection.matches(subject));
      const usages = subjects.length === 0 ? undefined : await metrics.usages();
      const objects = usages === undefined ? [] : subjects.flatMap(subject => objectOf(services, usages, subject) ?? []);
      return sendList(view, { revision: 0, entries: objects.map(object => ({ key: object.metadata.name, value: "", revision: 0, created: 0, memo: { object } })) });
    },
  };
}
