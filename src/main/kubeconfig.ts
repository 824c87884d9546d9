/** The cluster's context in the user's kubeconfig, from the certificates in its data folder. */
import { readFile } from "node:fs/promises";
import type { ClusterAccess } from "../cli/machine.ts";
import { must } from "../base/assert.ts";
import { mergeKubeconfig as merge, removeFromKubeconfig, renewInKubeconfig, type Access } from "../host/kubeconfig.ts";
import { privateKeyPem, readIdentity, type Identity } from "../host/pki-identity.ts";

/** Adds or renews the context and makes it the current one; gives the file written. */
export async function mergeKubeconfig(cluster: ClusterAccess): Promise<string> {
  return merge(process.env, await adminAccess(cluster));
}

/** Removes the context from the file it was written to and wherever KUBECONFIG points now; gives the files changed. */
export async function removeKubeconfig(cluster: { readonly context: string; readonly dataFolder: string; readonly path: string | undefined }): Promise<readonly string[]> {
  const ours = { name: cluster.context, dataDir: cluster.dataFolder };
  const now = await removeFromKubeconfig(process.env, ours);
  return cluster.path === undefined || now.includes(cluster.path) ? now : [...now, ...(await removeFromKubeconfig({ KUBECONFIG: cluster.path }, ours))];
}

/** Puts the renewed admin certificate into the kubeconfig that the context was written to; it may have been chosen after the server started. False if our entry is no longer there. */
export async function renewKubeconfig(dataFolder: string, admin: Identity): Promise<boolean> {
  const { context, kubeconfig }: { readonly context: string; readonly kubeconfig?: string } = JSON.parse(await readFile(`${dataFolder}/cluster.json`, "utf8"));
  if (kubeconfig === undefined) return false;
  return renewInKubeconfig({ KUBECONFIG: kubeconfig }, { name: context, dataDir: dataFolder, certificate: admin.certificate, key: privateKeyPem(admin.key) });
}

export async function adminAccess(cluster: ClusterAccess): Promise<Access> {
  const admin = must(await readIdentity(`${cluster.dataFolder}/pki/admin.pem`), "a cluster that is up has an admin certificate");
  const authority = must(await readIdentity(`${cluster.dataFolder}/pki/serving-ca.pem`), "a cluster that is up has a serving authority");
  return { name: cluster.context, dataDir: cluster.dataFolder, server: cluster.server, certificateAuthority: authority.certificate, certificate: admin.certificate, key: privateKeyPem(admin.key) };
}
