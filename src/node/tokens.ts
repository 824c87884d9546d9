/** Service-account tokens for projected volumes: asked for when needed, renewed before they run out (pkg/kubelet/token). */
import type { Clock } from "../base/clock.ts";
import { isObject } from "../base/json.ts";
import type { Random } from "../base/random.ts";
import { msOf } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import type { TokenSource } from "./volume-content.ts";

type Held = { readonly token: string; readonly renewAt: number; readonly endsAt: number };
/** A token older than a day is renewed whatever its life. */
const ageMaxMs = 24 * 3_600_000;
const jitterMs = 10_000;
/** Four fifths of its life. */
const renewShare = 0.8;
const heldMax = 10_000;

export function tokenSource(client: Client, clock: Clock, random: Random): TokenSource {
  const held = new Map<string, Held>();
  return async (pod, audience, expirationSeconds) => {
    const account = pod.spec.serviceAccountName || "default";
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const key = JSON.stringify([uid, account, audience, expirationSeconds]);
    const known = held.get(key);
    if (known && clock.now() < known.renewAt) return known.token;
    for (const [old, { endsAt }] of held) if (endsAt < clock.now() || held.size > heldMax) held.delete(old);
    const asked = clock.now();
    const answer = await client.createSubresource(ServiceAccount, namespace, account, "token", {
      apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest",
      spec: { ...(audience !== undefined && audience !== "" && { audiences: [audience] }), expirationSeconds, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    });
    const status = isObject(answer) && isObject(answer["status"]) ? answer["status"] : {};
    if (typeof status["token"] !== "string" || typeof status["expirationTimestamp"] !== "string") throw new Error(`the token request for service account ${account} was answered without a token`);
    const endsAt = msOf(status["expirationTimestamp"]);
    const life = endsAt - asked;
    held.set(key, { token: status["token"], endsAt, renewAt: asked + Math.min(life * renewShare, ageMaxMs) - random.next() * Math.min(jitterMs, life / 10) });
    return status["token"];
  };
}
