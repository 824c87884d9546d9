/** What is spoken with other API servers: where they are, who we say is asking, and what they may answer. */
import type { User } from "../context.ts";
import type { ForwardTarget } from "../http.ts";

/** One GET with our front-proxy certificate. Redirects are not followed. Rejects with an Error in Go's words. */
export type FetchRemote = (call: RemoteCall) => Promise<RemoteAnswer>;
export type RemoteCall = {
  readonly at: RemotePlace;
  readonly path: string;
  readonly headers: RemoteHeaders;
  readonly timeoutMs: number;
  /** A longer body is an error. */
  readonly bytesMax: number;
};
export type RemoteAnswer = { readonly status: number; readonly headers: { readonly [name: string]: string | undefined }; readonly body: string };
export type RemoteHeaders = { readonly [name: string]: string | readonly string[] };

/** Where an API server is and how its certificate is judged. The address is a name only for services of type ExternalName. */
export type RemotePlace = { readonly address: string; readonly port: number; readonly trust: Extract<ForwardTarget["trust"], { readonly type: "aggregated" }> };

/** Who asks, as other servers of the cluster believe it of us (client-go transport/round_trippers.go). */
export function identityHeaders({ name, uid, groups, extra }: User): RemoteHeaders {
  return {
    "x-remote-user": name, ...(uid === "" ? {} : { "x-remote-uid": uid }), ...(groups.length === 0 ? {} : { "x-remote-group": groups }),
    ...Object.fromEntries(Object.entries(extra).map(([key, values]) => [`x-remote-extra-${escapeKey(key)}`, values])),
  };
}

/** What a header's name cannot hold is percent-encoded, byte by byte. */
function escapeKey(key: string): string {
  return Array.from(new TextEncoder().encode(key), byte => {
    const character = String.fromCharCode(byte);
    return /[!#$&'*+.^_`|~0-9A-Za-z-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }).join("");
}

/** The aggregator asking for itself. */
export const aggregatorUser: User = { name: "system:kube-aggregator", uid: "", groups: ["system:masters"], extra: {} };
