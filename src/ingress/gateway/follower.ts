/** Gateway API's side of the ingress controller: the definitions and our class are there, objects are read, statuses written. */
import { isApiError } from "../../base/api-error.ts";
import { sameJson, type Json } from "../../base/json.ts";
import { timeOf } from "../../base/time.ts";
import type { Client } from "../../client/client.ts";
import { joinKey } from "../../client/informer.ts";
import type { Informers } from "../../client/informers.ts";
import { CustomResourceDefinition } from "../../kinds/apiextensions/customresourcedefinition.ts";
import { Namespace } from "../../kinds/core/namespace.ts";
import type { AnyKind } from "../../kinds/kind.ts";
import { gateways } from "./gateway.ts";
import { gatewayClasses } from "./gatewayclass.ts";
import { grpcRoutes } from "./grpcroute.ts";
import { httpRoutes } from "./httproute.ts";
import { gatewayController, type GatewayObjects, type GatewayTable, type Said } from "./plan.ts";
import { referenceGrants } from "./referencegrant.ts";
import { bundledAnnotation, bundleVersion, gatewayGroup, type Condition, type Stored } from "./schema.ts";

export type GatewayOptions = {
  readonly client: Client;
  readonly informers: Informers;
  readonly now: () => number;
  /** Whether a resource is served by now: definitions take a moment, and may be taken away. */
  readonly isServed: (kind: AnyKind) => boolean;
  /** Calls back when that may have changed, until the returned function is called. */
  readonly onServed: (listener: () => void) => () => void;
};

const declared = [gatewayClasses, gateways, httpRoutes, grpcRoutes, referenceGrants] as const;
/** What our gateways can do beyond the core (names of upstream's conformance suite), in order. */
const supportedFeatures = [
  "GRPCRoute", "GRPCRouteNamedRouteRule", "Gateway", "GatewayAddressEmpty", "GatewayHTTPListenerIsolation", "GatewayPort8080", "HTTPRoute", "HTTPRouteBackendProtocolWebSocket", "HTTPRouteBackendRequestHeaderModification", "HTTPRouteBackendTimeout", "HTTPRouteDestinationPortMatching", "HTTPRouteHostRewrite", "HTTPRouteMethodMatching", "HTTPRouteNamedRouteRule", "HTTPRouteParentRefPort", "HTTPRoutePathRedirect", "HTTPRoutePathRewrite",
  "HTTPRoutePortRedirect", "HTTPRouteQueryParamMatching", "HTTPRouteRequestMirror", "HTTPRouteRequestMultipleMirrors", "HTTPRouteRequestPercentageMirror", "HTTPRouteRequestTimeout", "HTTPRouteResponseHeaderModification", "HTTPRouteSchemeRedirect", "ReferenceGrant",
];

export class GatewayFollower {
  readonly #options: GatewayOptions;
  readonly #stops: (() => void)[] = [];
  #isFollowing = false;

  constructor(options: GatewayOptions) {
    this.#options = options;
  }

  /** Makes the definitions where there are none, and mends those that we made. */
  async ensureDefinitions(): Promise<void> {
    const { client } = this.#options;
    for (const { definition } of declared)
      try {
        await client.create(CustomResourceDefinition, definition as never);
      } catch (error) {
        if (!isApiError(error, "AlreadyExists")) throw error;
        const stored = await client.get(CustomResourceDefinition, "", definition.metadata.name);
        const { annotations } = stored.metadata;
        const isOurs = annotations?.[bundledAnnotation] === "true" && annotations["gateway.networking.k8s.io/bundle-version"] === bundleVersion;
        if (isOurs && !sameJson(withoutDefaults(stored.spec), withoutDefaults(definition.spec))) await client.update(CustomResourceDefinition, { ...stored, spec: definition.spec } as never);
      }
  }

  /** Follows the objects once all kinds are served; calls `onChange` for each change. False: not yet. */
  async follow(onChange: () => void, signal: AbortSignal): Promise<boolean> {
    if (this.#isFollowing) return true;
    const { informers, isServed, client } = this.#options;
    if (!declared.every(({ kind }) => isServed(kind))) return false;
    this.#isFollowing = true;
    const followed = [...declared.map(({ kind }) => informers.of(kind as AnyKind)), informers.of(Namespace)];
    for (const informer of followed) this.#stops.push(informer.onChange(onChange));
    await Promise.all(followed.map(informer => informer.listed(signal)));
    try {
      await client.create(gatewayClasses.kind as AnyKind, { apiVersion: `${gatewayGroup}/v1`, kind: "GatewayClass", metadata: { name: "timonier" }, spec: { controllerName: gatewayController, description: "Served by timonier on this machine's ports" } } as never);
    } catch (error) {
      if (!isApiError(error, "AlreadyExists")) throw error;
    }
    return true;
  }

  close(): void {
    for (const stop of this.#stops) stop();
  }

  objects(): GatewayObjects | undefined {
    if (!this.#isFollowing) return undefined;
    const { informers } = this.#options;
    const all = <T extends { readonly spec: unknown }>({ kind, as }: { readonly kind: unknown; readonly as: (stored: unknown) => Stored<T> }): readonly Stored<T>[] => informers.of(kind as AnyKind).list().map(as);
    return {
      classes: all(gatewayClasses), gateways: all(gateways), httpRoutes: all(httpRoutes), grpcRoutes: all(grpcRoutes), grants: all(referenceGrants),
      namespaceLabels: name => { const namespace = informers.of(Namespace).get(joinKey("", name)); return namespace && (namespace.metadata.labels ?? {}); },
    };
  }

  /** Whether anything asks to be served. */
  isWanted(): boolean {
    const objects = this.objects();
    const ours = new Set((objects?.classes ?? []).filter(({ spec }) => spec.controllerName === gatewayController).map(({ metadata }) => metadata.name));
    return (objects?.gateways ?? []).some(({ spec }) => ours.has(spec.gatewayClassName));
  }

  /** Our classes are accepted whether or not a gateway uses them. */
  async tellClasses(): Promise<void> {
    for (const one of this.objects()?.classes ?? []) {
      if (one.spec.controllerName !== gatewayController) continue;
      const said: Said = one.spec.parametersRef
        ? { type: "Accepted", status: "False", reason: "InvalidParameters", message: `parametersRef ${one.spec.parametersRef.kind} ${one.spec.parametersRef.name} is not supported: classes of ${gatewayController} have no parameters` }
        : { type: "Accepted", status: "True", reason: "Accepted", message: "the class is served" };
      await this.#tell(gatewayClasses.kind, one, { ...one.status, conditions: this.#conditions([said], one.status?.conditions, one.metadata.generation), supportedFeatures: supportedFeatures.map(name => ({ name })) });
    }
  }

  /** Writes what differs; throws what the API answered. */
  async tell({ gateways: plans, routes }: GatewayTable, address: string): Promise<void> {
    for (const { gateway, conditions, listeners, isAddressed } of plans) {
      const { generation } = gateway.metadata;
      await this.#tell(gateways.kind, gateway, {
        ...(isAddressed ? { addresses: [{ type: "IPAddress", value: address }] } : {}),
        conditions: this.#conditions(conditions, gateway.status?.conditions, generation),
        listeners: listeners.map(listener => ({ ...listener, conditions: this.#conditions(listener.conditions, gateway.status?.listeners?.find(({ name }) => name === listener.name)?.conditions, generation) })),
      });
    }
    for (const { kind, route, parents } of routes) {
      const before = route.status?.parents ?? [];
      const others = before.filter(({ controllerName }) => controllerName !== gatewayController);
      if (parents.length === 0 && others.length === before.length) continue;
      const ours = parents.map(({ parentRef, conditions }) => ({
        parentRef, controllerName: gatewayController,
        conditions: this.#conditions(conditions, before.find(one => one.controllerName === gatewayController && sameJson(one.parentRef as Json, parentRef as Json))?.conditions, route.metadata.generation),
      }));
      await this.#tell(kind === "HTTPRoute" ? httpRoutes.kind : grpcRoutes.kind, route, { parents: [...others, ...ours] });
    }
  }

  async #tell(kind: unknown, object: Stored<{ readonly spec: unknown; readonly status?: unknown }>, status: unknown): Promise<void> {
    if (sameJson(object.status as Json, status as Json)) return;
    try {
      await this.#options.client.updateStatus(kind as AnyKind, { ...object, status } as never);
    } catch (error) {
      // It changed or went meanwhile: its change is on its way to us.
      if (!isApiError(error, "Conflict") && !isApiError(error, "NotFound")) throw error;
    }
  }

  /** The time of a condition is that of its last change of status. */
  #conditions(said: readonly Said[], before: readonly Condition[] | undefined, generation: number | undefined): readonly Condition[] {
    return said.map(one => {
      const old = before?.find(({ type }) => type === one.type);
      return { ...one, ...(generation === undefined ? {} : { observedGeneration: generation }), lastTransitionTime: old?.status === one.status ? old.lastTransitionTime : timeOf(this.#options.now()) };
    });
  }
}

/** The server adds `conversion` and the like. */
function withoutDefaults(spec: unknown): Json {
  const { conversion: _conversion, preserveUnknownFields: _preserve, ...rest } = spec as { readonly [name: string]: Json };
  return rest;
}
