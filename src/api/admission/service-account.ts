/**
 * Pods run as a service account: the default one unless they say, with its token, the cluster's CA and the namespace's name mounted where every
 * client library looks (plugin/pkg/admission/serviceaccount/admission.go).
 */
import { enforceMountable } from "../../kinds/core/serviceaccount.ts";
import type { Clock } from "../../base/clock.ts";
import { deepFreeze } from "../../base/json.ts";
import { suffix, type Random } from "../../base/random.ts";
import { Pod } from "../../kinds/core/pod.ts";
import { podSecrets } from "../../kinds/core/podreferences.ts";
import type { AdmissionRequest, AdmissionStep } from "./admission.ts";
import { refuse } from "./namespace-lifecycle.ts";

const volumePrefix = "kube-api-access-";
const mountPath = "/var/run/secrets/kubernetes.io/serviceaccount";
const mirror = "kubernetes.io/config.mirror";
/** Upstream's mark of a token that it mounted by itself: an hour and seven seconds. */
const tokenSeconds = 3607;
/** The default account of a new namespace appears a moment after it. */
const defaultTries = 10;
const retryMs = 100;

export function serviceAccountAdmission(options: { readonly clock: Clock; readonly random: Random }): AdmissionStep {
  return {
    name: "ServiceAccount",
    mutate(request) {
      if (!isNewPod(request)) return undefined;
      // Before anybody else judges it, as upstream.
      if (isMirror(request.object)) return void checkMirror(request);
      const { spec } = request.object;
      const name = (spec.serviceAccountName ?? "") === "" ? "default" : spec.serviceAccountName;
      spec.serviceAccountName = spec.serviceAccount = name;
      const account = accountOf(request, name);
      return account === undefined ? findAccount(request, name, options).then(found => runAs(spec, found, options.random)) : runAs(spec, account, options.random);
    },
    validate(request) {
      if (request.kind !== Pod || (request.subresource !== "" && request.subresource !== "ephemeralcontainers") || request.object === undefined) return;
      if (isMirror(request.object)) {
        if (request.operation === "CREATE") checkMirror(request);
        return;
      }
      const { spec } = request.object;
      if ((spec.serviceAccountName ?? "") === "") throw refuse(request, `no service account specified for pod ${request.namespace}/${request.name}`);
      const account = request.read.get("", "serviceaccounts", request.namespace, spec.serviceAccountName);
      const enforced = account?.metadata.annotations?.[enforceMountable];
      if (enforced !== undefined && /^(1|t|T|true|TRUE|True)$/.test(enforced)) checkMountable(request, account);
    },
  };
}

const accountOf = (request: AdmissionRequest, name: string): any => request.read.get("", "serviceaccounts", request.namespace, name);

function runAs(spec: any, account: any, random: Random): void {
  if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(spec, random);
  if ((spec.imagePullSecrets ?? []).length === 0 && (account.imagePullSecrets ?? []).length > 0)
    spec.imagePullSecrets = account.imagePullSecrets.map((secret: { readonly name: string }) => ({ name: secret.name }));
}

function isNewPod({ kind, subresource, operation }: AdmissionRequest): boolean {
  return kind === Pod && subresource === "" && operation === "CREATE";
}

/** A mirror pod shows what a node runs by itself; changing it would make the two differ. */
function isMirror(pod: any): boolean {
  return pod.metadata.annotations?.[mirror] !== undefined;
}

async function findAccount(request: AdmissionRequest, name: string, { clock, random }: { readonly clock: Clock; readonly random: Random }): Promise<any> {
  const tries = name === "default" ? defaultTries : 1;
  for (let i = 0; i < tries; i++) {
    if (i > 0) await clock.sleep(retryMs + random.next() * retryMs);
    const account = accountOf(request, name);
    if (account !== undefined) return account;
  }
  throw refuse(request, `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`);
}

/** Mounts the token volume in every container that has nothing at that path, and adds the volume if one needs it. */
function mountToken(spec: any, random: Random): void {
  const existing = (spec.volumes ?? []).find((volume: { readonly name: string }) => volume.name.startsWith(volumePrefix));
  const name: string = existing?.name ?? `${volumePrefix}${suffix(random)}`;
  let mounted = false;
  for (const container of [...(spec.initContainers ?? []), ...spec.containers]) {
    const mounts = container.volumeMounts ?? [];
    if (mounts.some((mount: { readonly mountPath: string }) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...mounts, { name, readOnly: true, mountPath }];
    mounted = true;
  }
  if (existing === undefined && mounted) spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources, defaultMode: 420 } }];
}

// The same for every pod, and shared by all of them.
const sources = deepFreeze([
  { serviceAccountToken: { expirationSeconds: tokenSeconds, path: "token" } },
  { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
  { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
]);

function checkMirror(request: AdmissionRequest): void {
  const { spec } = request.object;
  if ((spec.serviceAccountName ?? "") !== "") throw refuse(request, "a mirror pod may not reference service accounts");
  for (const _ of podSecrets(spec)) throw refuse(request, "a mirror pod may not reference secrets");
  for (const volume of spec.volumes ?? [])
    if ((volume.projected?.sources ?? []).some((source: any) => source.serviceAccountToken !== undefined)) throw refuse(request, "a mirror pod may not use ServiceAccountToken volume projections");
}

/** For accounts that ask for it: only secrets that the account lists may be used (deprecated upstream, still honoured). */
function checkMountable(request: AdmissionRequest, account: any): void {
  const { metadata, secrets = [], imagePullSecrets = [] } = account;
  const mountable = new Set(secrets.map((secret: { readonly name: string }) => secret.name));
  const pullable = new Set(imagePullSecrets.map((secret: { readonly name: string }) => secret.name));
  const because = `is not allowed because service account ${metadata.name} does not reference that`;
  for (const { name, where, pull } of podSecrets(request.object.spec))
    if (!(pull ? pullable : mountable).has(name)) throw refuse(request, `${where} ${because} ${pull ? "imagePullSecret" : "secret"}`);
}
