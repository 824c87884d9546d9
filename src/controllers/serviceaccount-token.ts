/** Fills Secrets of type kubernetes.io/service-account-token, and deletes them with their accounts (pkg/controller/serviceaccount/tokens_controller.go). */
import { encodeBase64 } from "../base/base64.ts";
import { byNamespace, joinKey, keyOf, type Change } from "../client/informer.ts";
import { Secret } from "../kinds/core/secret.ts";
import { ServiceAccount } from "../kinds/core/serviceaccount.ts";
import type { Controller, Settings } from "./controller.ts";

const secretType = "kubernetes.io/service-account-token";
const [nameKey, uidKey] = ["kubernetes.io/service-account.name", "kubernetes.io/service-account.uid"];
/** Stands between the key of a Secret that is gone and its account's name. */
const gone = " ";

export const serviceAccountTokenController: Controller = {
  name: "serviceaccount-token",
  account: "",
  watches: [
    { kind: Secret, keysOf: (secret: Secret, _context, { type }: Change<Secret>) => (secret.type !== secretType ? [] : [type === "deleted" ? `${keyOf(secret)}${gone}${accountOf(secret)}` : keyOf(secret)]) },
    { kind: ServiceAccount, keysOf: ({ metadata }: ServiceAccount, context, { type }) => (type !== "deleted" ? [] : context.read(Secret).by(byNamespace, metadata.namespace ?? "").filter(secret => secret.type === secretType && accountOf(secret) === metadata.name).map(keyOf)) },
  ],

  async reconcile(key, context) {
    const [place = "", accountName] = key.split(gone);
    const secret = context.read(Secret).get(place);
    const namespace = place.split("/")[0]!;
    if (accountName !== undefined) {
      const account = secret === undefined ? context.read(ServiceAccount).get(joinKey(namespace, accountName)) : undefined;
      const rest = account?.secrets?.filter(({ name }) => name !== place.split("/")[1]);
      if (account !== undefined && rest !== undefined && rest.length < account.secrets!.length) await context.ifThere(context.update(ServiceAccount, { ...account, secrets: rest }));
      return undefined;
    }
    if (secret === undefined || secret.metadata.deletionTimestamp !== undefined || accountOf(secret) === "") return undefined;
    const account = await context.live(ServiceAccount, namespace, accountOf(secret));
    const uid = secret.metadata.annotations?.[uidKey] ?? "";
    if (account === undefined || (uid !== "" && uid !== account.metadata.uid)) {
      await context.delete(Secret, secret);
      return undefined;
    }
    const planned = planTokenSecret(secret, account, context.settings);
    if (planned !== undefined) await context.update(Secret, planned);
    return undefined;
  },
};

const accountOf = ({ metadata }: Secret): string => metadata.annotations?.[nameKey] ?? "";

/** The Secret with everything that it lacks; `undefined` if that is nothing. */
export function planTokenSecret(secret: Secret, account: ServiceAccount, { rootCA, secretToken }: Pick<Settings, "rootCA" | "secretToken">): Secret | undefined {
  const { namespace = "", name } = secret.metadata;
  const base64 = (text: string): string => encodeBase64(new TextEncoder().encode(text));
  const data = secret.data ?? {};
  const wanted: { [key: string]: string } = {};
  if (rootCA !== "" && data["ca.crt"] !== base64(rootCA)) wanted["ca.crt"] = base64(rootCA);
  if ((data["namespace"] ?? "") === "") wanted["namespace"] = base64(namespace);
  if ((data["token"] ?? "") === "" && secretToken !== undefined) wanted["token"] = base64(secretToken({ namespace, name: account.metadata.name, uid: account.metadata.uid }, name));
  if (Object.keys(wanted).length === 0) return undefined;
  return { ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [nameKey]: account.metadata.name, [uidKey]: account.metadata.uid } }, data: { ...data, ...wanted } };
}
