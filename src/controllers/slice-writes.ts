import type { AnyKind, New, Resource } from "../kinds/kind.ts";
import { EndpointSlice } from "../kinds/discovery/endpointslice.ts";
import type { Index } from "../client/informer.ts";
import type { Context } from "./controller.ts";
import { controllerRef } from "./ownership.ts";
import { unlessEnding } from "./serviceaccount.ts";
import { managedByLabel, serviceNameLabel, type SlicePlan } from "./slice-plan.ts";
import { triggerAnnotation } from "./service-pods.ts";

/** Slices by who manages them and for which service: `manager/namespace/service`. */
export const bySliceService: Index<EndpointSlice> = {
  name: "slice-service",
  valuesOf: ({ metadata: { namespace = "", labels = {} } }) => [`${labels[managedByLabel] ?? ""}/${namespace}/${labels[serviceNameLabel] ?? ""}`],
};
/** The key of the service that a slice of `manager` belongs to. */
export function serviceOfSlice(manager: string): (slice: EndpointSlice) => Iterable<string> {
  return ({ metadata: { namespace = "", labels = {} } }) => (labels[managedByLabel] === manager && labels[serviceNameLabel] !== undefined ? [`${namespace}/${labels[serviceNameLabel]}`] : []);
}

export type SliceOwner = {
  readonly kind: AnyKind;
  readonly object: Resource<AnyKind>;
  readonly labels: { readonly [name: string]: string };
  readonly annotations?: { readonly [name: string]: string };
  readonly triggerTime: string | undefined;
};

/** Carries out a plan: new slices first, so that no endpoint is missing in between. */
export async function writeSlices(plan: SlicePlan, owner: SliceOwner, context: Context): Promise<void> {
  const { name, namespace = "", deletionTimestamp } = owner.object.metadata;
  const annotate = (annotations: { readonly [name: string]: string }): { readonly [name: string]: string } => {
    const { [triggerAnnotation]: _, ...others } = annotations;
    return { ...others, ...(owner.triggerTime === undefined ? {} : { [triggerAnnotation]: owner.triggerTime }) };
  };
  if (deletionTimestamp === undefined)
    for (const { addressType, ports, endpoints } of plan.create) {
      const annotations = annotate(owner.annotations ?? {});
      const slice = {
        metadata: {
          generateName: name.length < 253 ? `${name}-` : name, namespace, labels: owner.labels, ownerReferences: [controllerRef(owner.kind, owner.object)],
          ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
        },
        addressType, ports, endpoints,
      };
      await unlessEnding(context.create(EndpointSlice, slice as New<typeof EndpointSlice>));
    }
  for (const slice of plan.update)
    await context.update(EndpointSlice, { ...slice, metadata: { ...slice.metadata, annotations: annotate({ ...slice.metadata.annotations, ...owner.annotations }) } });
  for (const slice of plan.remove) await context.delete(EndpointSlice, slice);
}
