import assert from "node:assert/strict";
import { test } from "node:test";
import { isApiError } from "../../base/api-error.ts";
import type { Clock } from "../../base/clock.ts";
import { Pod } from "../../kinds/core/pod.ts";
import type { Reader } from "../context.ts";
import type { AdmissionRequest } from "./admission.ts";
import { serviceAccountAdmission } from "./service-account.ts";

const accounts: { [name: string]: any } = {
  default: { metadata: { name: "default" } },
  pulls: { metadata: { name: "pulls" }, imagePullSecrets: [{ name: "registry" }] },
  shy: { metadata: { name: "shy" }, automountServiceAccountToken: false },
  strict: { metadata: { name: "strict", annotations: { "kubernetes.io/enforce-mountable-secrets": "true" } }, secrets: [{ name: "mine" }], imagePullSecrets: [{ name: "registry" }] },
};

/** `appearsAfter`: how many sleeps until the default account is there. */
async function admit(spec: object, options: { metadata?: object; appearsAfter?: number; operation?: "CREATE" | "UPDATE"; subresource?: string } = {}) {
  let sleeps = 0;
  const clock: Clock = { now: () => 0, monotonic: () => 0, sleep: async () => void sleeps++, after: () => () => {} };
  const step = serviceAccountAdmission({ clock, random: { next: () => 0, uuid: () => "", bytes: length => new Uint8Array(length) } });
  const read: Reader = { get: (_, resource, __, name) => (resource !== "serviceaccounts" || sleeps < (options.appearsAfter ?? 0) ? undefined : accounts[name]), list: () => [] };
  const object: any = { metadata: { name: "p", ...options.metadata }, spec: { containers: [{ name: "c" }], ...spec } };
  const request: AdmissionRequest = {
    operation: options.operation ?? "CREATE", kind: Pod, subresource: options.subresource ?? "", namespace: "shop", name: "p", user: { name: "u", uid: "", groups: [], extra: {} }, dryRun: false, object, previous: undefined, now: 0, read, warn() {},
  };
  try {
    await step.mutate!(request);
    await step.validate!(request);
  } catch (error) {
    if (isApiError(error, "Forbidden")) return { ...object.spec, sleeps, refused: error.message };
    throw error;
  }
  return { ...object.spec, sleeps };
}
const mount = { name: "kube-api-access-bbbbb", readOnly: true, mountPath: "/var/run/secrets/kubernetes.io/serviceaccount" };

test("a pod gets the default account and its token in every container, as upstream writes it", async () => {
  const spec = await admit({ initContainers: [{ name: "i", volumeMounts: [{ name: "x", mountPath: "/x" }] }], volumes: [{ name: "x", emptyDir: {} }] });
  assert.deepEqual([spec.serviceAccountName, spec.serviceAccount, spec.imagePullSecrets], ["default", "default", undefined]);
  assert.deepEqual(spec.containers, [{ name: "c", volumeMounts: [mount] }]);
  assert.deepEqual(spec.initContainers[0].volumeMounts, [{ name: "x", mountPath: "/x" }, mount]);
  assert.deepEqual(spec.volumes[1], {
    name: "kube-api-access-bbbbb", projected: {
      defaultMode: 420, sources: [
        { serviceAccountToken: { expirationSeconds: 3607, path: "token" } }, { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
      ],
    },
  });
});

test("automounting is off when the pod says so, or the account does and the pod does not", async () => {
  assert.equal((await admit({ automountServiceAccountToken: false })).volumes, undefined);
  assert.equal((await admit({ serviceAccountName: "shy" })).volumes, undefined);
  assert.equal((await admit({ serviceAccountName: "shy", automountServiceAccountToken: true })).volumes.length, 1);
});

test("a container that mounts something there is left alone, and no volume is added for nobody", async () => {
  const own = { name: "own", mountPath: mount.mountPath };
  const spec = await admit({ containers: [{ name: "c", volumeMounts: [own] }] });
  assert.deepEqual([spec.containers[0].volumeMounts, spec.volumes], [[own], undefined]);
});

test("a volume of an earlier admission is used again", async () => {
  const spec = await admit({ volumes: [{ name: "kube-api-access-old", projected: {} }] });
  assert.equal(spec.volumes.length, 1);
  assert.equal(spec.containers[0].volumeMounts[0].name, "kube-api-access-old");
});

test("the account's pull secrets are used when the pod names none", async () => {
  assert.deepEqual((await admit({ serviceAccountName: "pulls" })).imagePullSecrets, [{ name: "registry" }]);
  assert.deepEqual((await admit({ serviceAccountName: "pulls", imagePullSecrets: [{ name: "own" }] })).imagePullSecrets, [{ name: "own" }]);
});

test("an unknown account is refused at once, the default one is waited for", async () => {
  const unknown = await admit({ serviceAccountName: "ghost" });
  assert.deepEqual([unknown.refused, unknown.sleeps], ['pods "p" is forbidden: error looking up service account shop/ghost: serviceaccount "ghost" not found', 0]);
  assert.equal((await admit({}, { appearsAfter: 3 })).sleeps, 3);
  assert.match((await admit({}, { appearsAfter: 99 })).refused, /error looking up service account shop\/default/);
});

test("a mirror pod is not changed and may name nothing", async () => {
  const mirror = { metadata: { annotations: { "kubernetes.io/config.mirror": "x" } } };
  assert.deepEqual(await admit({}, mirror), { containers: [{ name: "c" }], sleeps: 0 });
  assert.match((await admit({ serviceAccountName: "default" }, mirror)).refused, /a mirror pod may not reference service accounts/);
  assert.match((await admit({ volumes: [{ name: "v", secret: { secretName: "s" } }] }, mirror)).refused, /a mirror pod may not reference secrets/);
  assert.match((await admit({ volumes: [{ name: "v", projected: { sources: [{ serviceAccountToken: { path: "t" } }] } }] }, mirror)).refused, /a mirror pod may not use ServiceAccountToken volume projections/);
});

test("an account that enforces it lets a pod use only the secrets that it lists, wherever they are named", async () => {
  const strict = (spec: object) => admit({ serviceAccountName: "strict", ...spec }).then(({ refused }) => refused ?? "");
  assert.equal(await strict({ volumes: [{ name: "v", secret: { secretName: "mine" } }] }), "");
  const secretRef = { name: "other" };
  for (const spec of [
    { volumes: [{ name: "v", secret: { secretName: "other" } }] }, { volumes: [{ name: "v", projected: { sources: [{ secret: secretRef }] } }] }, { volumes: [{ name: "v", csi: { driver: "d", nodePublishSecretRef: secretRef } }] },
    { containers: [{ name: "c", env: [{ name: "E", valueFrom: { secretKeyRef: secretRef } }] }] }, { initContainers: [{ name: "i", envFrom: [{ secretRef }] }] }, { ephemeralContainers: [{ name: "e", envFrom: [{ secretRef }] }] }, { imagePullSecrets: [secretRef] },
  ]) assert.match(await strict(spec), /is not allowed because service account strict does not reference that/, JSON.stringify(spec));
});

test("updates are not touched", async () => {
  assert.deepEqual(await admit({ serviceAccountName: "default" }, { operation: "UPDATE" }), { containers: [{ name: "c" }], serviceAccountName: "default", sleeps: 0 });
});
