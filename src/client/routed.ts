/** One client made of two: objects that other API servers store are asked for over HTTP, whoever carries it. */
import type { AnyKind } from "../kinds/kind.ts";
import type { Client } from "./client.ts";

/** `remote` has the kinds of other servers, `own` everything else. */
export function routedClient(own: Client, remote: Client): Client {
  const by = (kind: AnyKind): Client => (kind.remote === true ? remote : own);
  return {
    get: (kind, ...rest) => by(kind).get(kind, ...rest),
    list: (kind, ...rest) => by(kind).list(kind, ...rest),
    create: (kind, ...rest) => by(kind).create(kind, ...rest),
    update: (kind, ...rest) => by(kind).update(kind, ...rest),
    updateStatus: (kind, ...rest) => by(kind).updateStatus(kind, ...rest),
    patch: (kind, ...rest) => by(kind).patch(kind, ...rest),
    delete: (kind, ...rest) => by(kind).delete(kind, ...rest),
    createSubresource: (kind, ...rest) => by(kind).createSubresource(kind, ...rest),
    request: (...asked) => own.request(...asked),
    watch: (kind, ...rest) => by(kind).watch(kind, ...rest),
  };
}
