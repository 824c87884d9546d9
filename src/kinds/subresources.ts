/** What lies below an object: which kind a subresource speaks, and how it is asked. The same for every resource that has it. */
import type { AnyKind, Verb } from "./kind.ts";

export type Subresource = {
  readonly verbs: readonly Verb[];
  /** Group, version, kind and definition of its body where it is not the resource's own kind. */
  readonly kind?: { readonly group: string; readonly version: string; readonly kind: string; readonly definition: string };
  /** A stream or a tunnel rather than an object: `connect` with these query parameters. */
  readonly connect?: { readonly kind: string; readonly methods: readonly ConnectMethod[]; readonly query: readonly string[]; readonly path?: boolean };
  /** Query parameters of a plain GET that answers text. */
  readonly text?: readonly string[];
};
export type ConnectMethod = "delete" | "get" | "head" | "options" | "patch" | "post" | "put";

const all: readonly ConnectMethod[] = ["delete", "get", "head", "options", "patch", "post", "put"];
const own: Subresource = { verbs: ["get", "patch", "update"] };
const proxied = (kind: string): Subresource => ({ verbs: ["create", "delete", "get", "patch", "update"], connect: { kind, methods: all, query: ["path"], path: true } });
const stream = (kind: string, query: readonly string[]): Subresource => ({ verbs: ["create", "get"], connect: { kind, methods: ["get", "post"], query } });

const shared: { readonly [name: string]: Subresource } = {
  status: own, resize: own, ephemeralcontainers: own, approval: own,
  scale: { ...own, kind: { group: "autoscaling", version: "v1", kind: "Scale", definition: "io.k8s.api.autoscaling.v1.Scale" } },
  finalize: { verbs: ["update"] },
  binding: { verbs: ["create"], kind: { group: "", version: "v1", kind: "Binding", definition: "io.k8s.api.core.v1.Binding" } },
  eviction: { verbs: ["create"], kind: { group: "policy", version: "v1", kind: "Eviction", definition: "io.k8s.api.policy.v1.Eviction" } },
  token: { verbs: ["create"], kind: { group: "authentication.k8s.io", version: "v1", kind: "TokenRequest", definition: "io.k8s.api.authentication.v1.TokenRequest" } },
  log: { verbs: ["get"], text: ["container", "follow", "insecureSkipTLSVerifyBackend", "limitBytes", "pretty", "previous", "sinceSeconds", "stream", "tailLines", "timestamps"] },
  exec: stream("PodExecOptions", ["command", "container", "stderr", "stdin", "stdout", "tty"]),
  attach: stream("PodAttachOptions", ["container", "stderr", "stdin", "stdout", "tty"]),
  portforward: stream("PodPortForwardOptions", ["ports"]),
};

/** Whether a subresource that is a view of its object is asked by this verb. */
export const answersVerb = (subresource: string, verb: string): boolean => shared[subresource]?.verbs.some(each => each === verb) === true;

/** The subresources of a kind by name. */
export function subresourcesOf(kind: Pick<AnyKind, "kind" | "subresources">): ReadonlyMap<string, Subresource> {
  return new Map((kind.subresources ?? []).map(name => {
    const found = name === "proxy" ? proxied(`${kind.kind}ProxyOptions`) : shared[name];
    if (found === undefined) throw new Error(`subresource ${name} of ${kind.kind} is described nowhere`);
    return [name, found];
  }));
}
