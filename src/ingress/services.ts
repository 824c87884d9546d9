/** Services as backends: their ready endpoints by service port, and certificates from Secrets; shared by Ingresses and Gateway routes. */
import type { Secret } from "../kinds/core/secret.ts";
import type { Service } from "../kinds/core/service.ts";
import type { EndpointSlice } from "../kinds/discovery/endpointslice.ts";

/** What tables are made of; each asks a local copy. */
export type Sources = {
  readonly service: (namespace: string, name: string) => Service | undefined;
  readonly slices: (namespace: string, service: string) => readonly EndpointSlice[];
  readonly secret: (namespace: string, name: string) => Secret | undefined;
  readonly decodeBase64: (text: string) => string;
};
export type Found = { readonly key: string; readonly missing?: "service" | "port"; /** What the service says of the port. */ readonly appProtocol?: string };

export class Services {
  readonly #sources: Sources;
  readonly #backends = new Map<string, { readonly endpoints: readonly string[]; readonly others: readonly string[]; readonly found: Found }>();

  constructor(sources: Sources) {
    this.#sources = sources;
  }

  /** What has been asked for, as the table wants it. */
  get backends(): { readonly [key: string]: readonly string[] } {
    return Object.fromEntries([...this.#backends].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, { endpoints }]) => [key, endpoints]));
  }

  /** Endpoints of these services that are not asked any more, or not yet. */
  get leaving(): readonly string[] {
    const used = new Set([...this.#backends.values()].flatMap(({ endpoints }) => endpoints));
    return [...new Set([...this.#backends.values()].flatMap(({ others }) => others))].filter(endpoint => !used.has(endpoint)).toSorted();
  }

  /** `port`: its name or number. */
  backend(namespace: string, name: string, port: string | number): Found {
    const key = `${namespace}/${name}:${port}`;
    let backend = this.#backends.get(key);
    if (!backend) this.#backends.set(key, backend = this.#read(key, namespace, name, port));
    return backend.found;
  }

  /** PEM, as it is in a Secret. */
  certificate(namespace: string, secretName: string): { readonly cert: string; readonly key: string } | undefined {
    const data = this.#sources.secret(namespace, secretName)?.data;
    const [cert, key] = [data?.["tls.crt"], data?.["tls.key"]];
    return cert === undefined || key === undefined ? undefined : { cert: this.#sources.decodeBase64(String(cert)), key: this.#sources.decodeBase64(String(key)) };
  }

  #read(key: string, namespace: string, name: string, wanted: string | number): { readonly endpoints: readonly string[]; readonly others: readonly string[]; readonly found: Found } {
    const service = this.#sources.service(namespace, name);
    const port = service?.spec.ports?.find(({ name: portName, port: number }) => (typeof wanted === "string" ? portName === wanted : number === wanted));
    if (!service || !port) return { endpoints: [], others: [], found: { key, missing: service ? "port" : "service" } };
    const found = this.#sources.slices(namespace, name).flatMap(slice => (slice.ports ?? [])
      .filter(({ name: portName, port: number }) => (portName ?? "") === (port.name ?? "") && number !== undefined)
      .flatMap(({ port: number }) => (slice.endpoints ?? []).map(({ addresses, conditions }) => ({ at: `${bracketed(addresses[0] ?? "")}:${number}`, conditions }))));
    const ready = found.filter(({ conditions }) => conditions?.ready !== false);
    // When all are going, those that still serve are better than nothing (as kube-proxy does).
    const usable = ready.length > 0 ? ready : found.filter(({ conditions }) => conditions?.serving === true && conditions.terminating === true);
    return { endpoints: [...new Set(usable.map(({ at }) => at))].toSorted(), others: found.map(({ at }) => at), found: { key, ...(port.appProtocol === undefined ? {} : { appProtocol: port.appProtocol }) } };
  }
}

function bracketed(address: string): string {
  return address.includes(":") ? `[${address}]` : address;
}
