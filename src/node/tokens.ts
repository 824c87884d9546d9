/** Service-account tokens for projected volumes: asked for when needed, renewed before they run out (pkg/kubelet/token). */
import type { Clock } from "../base/clock.ts";
import { isObject } from "../base/json.ts";
import type { Random } from "../base/random.ts";
import { msOf } from "../base/time.ts";
import type { Client } from "../client/client.ts";
import type { Pod } from "../kinds/core/pod.ts";
import { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import type { TokenSource } from "./volume-content.ts";

type Held = { readonly token: string; readonly renewAt: number };
/** A token older than a day is renewed whatever its life. */
const ageMaxMs = 24 * 3_600_000;
const jitterMs = 10_000;
/** Four fifths of its life. */
const renewShare = 0.8;

export function tokenSource(client: Client, clock: Clock, random: Random): TokenSource {
  // By pod, and by what it asked for.
  const pods = new Map<string, Map<string, Held>>();
  const token = async (pod: Pod, audience: string | undefined, expirationSeconds: number): Promise<string> => {
    const account = pod.spec.serviceAccountName || "default";
    const { name = "", namespace = "", uid = "" } = pod.metadata;
    const key = JSON.stringify([account, audience, expirationSeconds]);
    const known = pods.get(uid)?.get(key);
    if (known && clock.now() < known.renewAt) return known.token;
    const asked = clock.now();
    const answer = await client.createSubresource(ServiceAccount, namespace, account, "token", {
      apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest",
      spec: { ...(audience !== undefined && audience !== "" && { audiences: [audience] }), expirationSeconds, boundObjectRef: { apiVersion: "v1", kind: "Pod", name, uid } },
    });
    const status = isObject(answer) && isObject(answer["status"]) ? answer["status"] : {};
    if (typeof status["token"] !== "string" || typeof status["expirationTimestamp"] !== "string") throw new Error(`the token request for service account ${account} was answered without a token`);
    const endsAt = msOf(status["expirationTimestamp"]);
    const life = endsAt - asked;
    const held = pods.get(uid) ?? new Map<string, Held>();
    pods.set(uid, held.set(key, { token: status["token"], renewAt: asked + Math.min(life * renewShare, ageMaxMs) - random.next() * Math.min(jitterMs, life / 10) }));
    return status["token"];
  };
  return { token, forget: uid => void pods.delete(uid) };
}
