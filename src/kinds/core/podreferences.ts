/**
 * Every other object that a pod names, whatever the container and the way. The one place that knows, so that admission, the Node authorizer and
 * whoever comes next see the same (rule H of the promises).
 */

/** `where` is how upstream's messages name the place; `pull` tells image pull secrets. */
export type SecretReference = { readonly name: string; readonly where: string; readonly pull: boolean };

const quote = JSON.stringify;

export function* podSecrets(spec: any): Iterable<SecretReference> {
  for (const volume of spec.volumes ?? []) {
    if (volume.secret !== undefined) yield at(volume.secret.secretName, `volume with secret.secretName=${quote(volume.secret.secretName ?? "")}`);
    for (const { secret } of volume.projected?.sources ?? []) if (secret !== undefined) yield at(secret.name, `volume with projected secret name=${quote(secret.name ?? "")}`);
    yield* driverSecrets(volume);
  }
  for (const { type, container } of podContainers(spec)) {
    for (const { secretRef } of container.envFrom ?? [])
      if (secretRef !== undefined) yield at(secretRef.name, `${type} ${container.name} with envFrom referencing secret.secretName=${quote(secretRef.name ?? "")}`);
    for (const { name, valueFrom } of container.env ?? [])
      if (valueFrom?.secretKeyRef !== undefined) yield at(valueFrom.secretKeyRef.name, `${type} ${container.name} with envVar ${name} referencing secret.secretName=${quote(valueFrom.secretKeyRef.name ?? "")}`);
  }
  for (const [i, secret] of (spec.imagePullSecrets ?? []).entries()) yield { ...at(secret.name, `imagePullSecrets[${i}].name=${quote(secret.name ?? "")}`), pull: true };
}

/** Secrets that a storage driver is given, in a volume or in a persistent volume's source: `rbd.secretRef`, `csi.nodePublishSecretRef`, `azureFile.secretName`, … */
export function* driverSecrets(source: any): Iterable<SecretReference & { readonly namespace?: string }> {
  for (const [driver, settings] of Object.entries<any>(source)) {
    if (driver === "secret" || typeof settings !== "object" || settings === null) continue;
    for (const [field, value] of Object.entries<any>(settings)) {
      if (/secretRef$/i.test(field) && typeof value?.name === "string")
        yield { ...at(value.name, `volume with ${driver}.${field}.name=${quote(value.name)}`), ...(typeof value.namespace === "string" ? { namespace: value.namespace } : {}) };
      if (field === "secretName" && typeof value === "string")
        yield { ...at(value, `volume with ${driver}.secretName=${quote(value)}`), ...(typeof settings.secretNamespace === "string" ? { namespace: settings.secretNamespace } : {}) };
    }
  }
}

export function* podConfigMaps(spec: any): Iterable<string> {
  for (const volume of spec.volumes ?? []) {
    if (volume.configMap !== undefined) yield volume.configMap.name ?? "";
    for (const { configMap } of volume.projected?.sources ?? []) if (configMap !== undefined) yield configMap.name ?? "";
  }
  for (const { container } of podContainers(spec)) {
    for (const { configMapRef } of container.envFrom ?? []) if (configMapRef !== undefined) yield configMapRef.name ?? "";
    for (const { valueFrom } of container.env ?? []) if (valueFrom?.configMapKeyRef !== undefined) yield valueFrom.configMapKeyRef.name ?? "";
  }
}

/** Persistent volume claims, those made for the pod's ephemeral volumes included. */
export function* podClaims(pod: any): Iterable<string> {
  for (const volume of pod.spec.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) yield volume.persistentVolumeClaim.claimName;
    if (volume.ephemeral !== undefined) yield `${pod.metadata.name}-${volume.name}`;
  }
}

export function* podContainers(spec: any): Iterable<{ readonly type: string; readonly container: any }> {
  for (const [type, list] of [["init container", spec.initContainers], ["container", spec.containers], ["ephemeral container", spec.ephemeralContainers]] as const)
    for (const container of list ?? []) yield { type, container };
}

function at(name: string | undefined, where: string): SecretReference {
  return { name: name ?? "", where, pull: false };
}
