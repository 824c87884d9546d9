/** Parameters of the paths, by the names under which upstream's OpenAPI shares them. */
export type Parameter = {
  readonly name: string;
  readonly in: "query" | "path";
  readonly type: "string" | "boolean" | "integer";
  readonly description: string;
  /** Name among the shared parameters of an OpenAPI v2 document. */
  readonly shared?: string;
};
const query = (name: string, description: string, shared?: string, type: Parameter["type"] = "string"): Parameter => ({ name, in: "query", type, description, ...(shared === undefined ? {} : { shared: `${name}-${shared}` }) });

export const namespaceParameter: Parameter = { name: "namespace", in: "path", type: "string", description: "Name of the namespace.", shared: "namespace-vgWSWtn3" };
export const pathParameter: Parameter = { name: "path", in: "path", type: "string", description: "Path to ask for behind the proxy.", shared: "path-z6Ciiujn" };
export const nameParameter = (kind: string): Parameter => ({ name: "name", in: "path", type: "string", description: `Name of the ${kind}.` });

export const pretty = query("pretty", "\"true\" for indented output.", "tJGM1-ng");
const dryRun = query("dryRun", "\"All\" does everything but store the change.");
const fieldValidation = query("fieldValidation", "What to do about unknown and duplicate fields: Ignore, Warn or Strict.");
const fieldManager = query("fieldManager", "Name under which the changed fields are kept in managedFields.", "Qy4HdaTW");
const patchManager = query("fieldManager", "Name under which the changed fields are kept in managedFields; apply patches must give one.", "7c6nTn1T");
const force = query("force", "Take over fields that other managers own; only with apply patches.", "tOGGb0Yi", "boolean");

const resourceVersion = query("resourceVersion", "Version that the answer may be as old as.", "5WAnf1kx");
const resourceVersionMatch = query("resourceVersionMatch", "How resourceVersion is to be met: Exact or NotOlderThan.", "t8XhRHeC");
const continueToken = query("continue", "Token of the previous page.", "QfD61s0i");
const fieldSelector = query("fieldSelector", "Fields that the objects must have.", "xIcQKXFG");
const labelSelector = query("labelSelector", "Labels that the objects must have.", "5Zw57w4C");
const limit = query("limit", "Most objects to answer in one page.", "1NfNmdNH", "integer");
const timeoutSeconds = query("timeoutSeconds", "How long the call may take.", "yvYezaOC", "integer");
const sendInitialEvents = query("sendInitialEvents", "Start a watch with what exists, ended by a bookmark.", "rLXlEK_k", "boolean");
const shardSelector = query("shardSelector", "Shard of the objects to answer; not supported here.", "Kgyki_3_");
const allowWatchBookmarks = query("allowWatchBookmarks", "Send bookmarks in a watch.", "HC2hJt-J", "boolean");
const watch = query("watch", "Answer changes as they come.", "XNNPZGbK", "boolean");

export const selection: readonly Parameter[] = [continueToken, fieldSelector, labelSelector, limit, resourceVersion, resourceVersionMatch, sendInitialEvents, shardSelector, timeoutSeconds];
export const listing: readonly Parameter[] = [allowWatchBookmarks, ...selection, watch];
export const writing: readonly Parameter[] = [dryRun, fieldManager, fieldValidation];
export const patching: readonly Parameter[] = [dryRun, patchManager, fieldValidation, force];
export const deleting: readonly Parameter[] = [
  dryRun,
  query("gracePeriodSeconds", "Seconds the object may take to end; 0 deletes at once.", "-K5HaBOS", "integer"),
  query("ignoreStoreReadErrorWithClusterBreakingPotential", "Delete even what cannot be read.", "QbNkfIqj", "boolean"),
  query("orphanDependents", "Old form of propagationPolicy=Orphan.", "uRB25kX5", "boolean"),
  query("propagationPolicy", "What becomes of dependents: Orphan, Background or Foreground.", "6jk3prlO"),
];

/** Query parameters of one subresource: some share a name and differ in meaning. */
const special: { readonly [kind: string]: { readonly [name: string]: Parameter } } = {
  log: {
    container: query("container", "Container whose log is wanted.", "1GeXxFDC"), follow: query("follow", "Go on sending what is written.", "9OIXh_2R", "boolean"),
    insecureSkipTLSVerifyBackend: query("insecureSkipTLSVerifyBackend", "Do not check the node's certificate.", "gM00jVbe", "boolean"),
    limitBytes: query("limitBytes", "Most bytes to send.", "zwd1RXuc", "integer"), pretty, previous: query("previous", "The log of the container's previous run.", "1jxDPu3y", "boolean"),
    sinceSeconds: query("sinceSeconds", "Only what was written this many seconds ago or later.", "vE2NLdnP", "integer"), stream: query("stream", "All, Stdout or Stderr.", "l-48cgXv"),
    tailLines: query("tailLines", "Only the last lines.", "9xQLWHMV", "integer"), timestamps: query("timestamps", "A time before every line.", "c17fW1w_", "boolean"),
  },
  PodExecOptions: {
    command: query("command", "Program to run, with its arguments; no shell.", "Py3eQybp"), container: query("container", "Container to run in.", "i5dOmRiM"),
    stderr: query("stderr", "Send what it writes as errors.", "W_1TNlWc", "boolean"), stdin: query("stdin", "Send it input.", "PSzNhyUC", "boolean"), stdout: query("stdout", "Send what it writes.", "-EZLRwV1", "boolean"), tty: query("tty", "Give it a terminal.", "s0flW37O", "boolean"),
  },
  PodAttachOptions: {
    container: query("container", "Container to attach to.", "_Q-EJ3nR"), stderr: query("stderr", "Send what it writes as errors.", "26jJhFUR", "boolean"), stdin: query("stdin", "Send it input.", "sEFnN3IS", "boolean"),
    stdout: query("stdout", "Send what it writes.", "005YMKE6", "boolean"), tty: query("tty", "The container has a terminal.", "g7MlET_l", "boolean"),
  },
  PodPortForwardOptions: { ports: query("ports", "Ports to forward.", "91KROJmm", "integer") },
  NodeProxyOptions: { path: query("path", "Path to ask the node for.", "rFDtV0x9") },
  PodProxyOptions: { path: query("path", "Path to ask the pod for.", "oPbzgLUj") },
  ServiceProxyOptions: { path: query("path", "Path to ask the service for.", "QCf0eosM") },
};
export function specialParameters(kind: string, names: readonly string[]): readonly Parameter[] {
  return names.map(name => special[kind]?.[name] ?? query(name, `Parameter ${name} of ${kind}.`));
}
