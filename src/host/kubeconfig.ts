/**
 * Our entries in the user's kubeconfig: merged in, renewed and removed without touching anybody else's. Which file is written, the lock
 * beside it and the layout are kubectl's (client-go tools/clientcmd). Entries of ours carry an extension that says which cluster they belong to.
 */
import { chown, lstat, mkdir, open, readFile, realpath, rm, stat } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isObject, type Json, type JsonObject } from "../base/json.ts";
import { writeFilesAtomic } from "./files.ts";

/** What the user's environment says: `process.env` fits. */
export type Environment = { readonly KUBECONFIG?: string | undefined; readonly HOME?: string | undefined };

export type Access = {
  /** Name of the context, cluster and user. */
  readonly name: string;
  /** Identifies the cluster among others of the same name. */
  readonly dataDir: string;
  readonly server: string;
  /** PEM each. */
  readonly certificateAuthority: string;
  readonly certificate: string;
  readonly key: string;
};

/** What the user must settle; the message says how. */
export class KubeconfigRefused extends Error {
  override name = "KubeconfigRefused";
}

const extensionName = "timonier";
const lockTries = 60;
const lockWaitMs = 50;
const fileBytesMax = 16 << 20;
const sections = ["clusters", "contexts", "users"] as const;

/** A parsed kubeconfig; unknown fields are kept. */
type Config = { readonly [field: string]: Json };
type Named = { readonly name: string } & JsonObject;

/**
 * Adds or replaces the cluster's context and makes it the current one, remembering the one before. Returns the file written.
 * Refuses when an entry of that name is not ours.
 */
export async function mergeKubeconfig(environment: Environment, access: Access): Promise<string> {
  const path = await targetOf(environment, access.name);
  await change(path, async config => {
    await refuseForeign(path, config, access);
    const current = config["current-context"];
    const known = ourExtension(find(config, "contexts", access.name));
    const before = current === access.name ? known?.["previous-context"] : current;
    const madeFile = known?.["made-file"] === true || Object.keys(config).length === 0;
    const mark: Json = [{ extension: {
      provider: extensionName, "data-dir": access.dataDir,
      ...(typeof before === "string" && before !== "" ? { "previous-context": before } : {}),
      ...(madeFile ? { "made-file": true } : {}),
    }, name: extensionName }];
    const extended = (entry: JsonObject): JsonObject => ({ extensions: mark, ...entry });
    let next: Config = { apiVersion: "v1", kind: "Config", ...config, "current-context": access.name };
    next = put(next, "clusters", { name: access.name, cluster: extended({ "certificate-authority-data": base64(access.certificateAuthority), server: access.server }) });
    next = put(next, "contexts", { name: access.name, context: extended({ cluster: access.name, user: access.name }) }, ["namespace"]);
    return put(next, "users", { name: access.name, user: extended({ "client-certificate-data": base64(access.certificate), "client-key-data": base64(access.key) }) });
  });
  return path;
}

/** Puts a renewed client certificate into our user entry, in whichever file has it. False if there is none. */
export async function renewInKubeconfig(environment: Environment, access: Pick<Access, "name" | "dataDir" | "certificate" | "key">): Promise<boolean> {
  let found = false;
  for (const path of await filesOf(environment))
    await change(path, async config => {
      if (!isOurs(find(config, "users", access.name), access.dataDir)) return config;
      found = true;
      const extensions = find(config, "users", access.name)!["user"] as JsonObject;
      return put(config, "users", { name: access.name, user: { ...extensions, "client-certificate-data": base64(access.certificate), "client-key-data": base64(access.key) } });
    });
  return found;
}

/**
 * Removes exactly our entries from every file of the list; if ours is the current context, the one before becomes current again. Returns the files changed. */
export async function removeFromKubeconfig(environment: Environment, { name, dataDir }: Pick<Access, "name" | "dataDir">): Promise<readonly string[]> {
  const changed: string[] = [];
  const files = await filesOf(environment);
  const contexts = new Set((await Promise.all(files.map(readConfig))).flatMap(config => named(config, "contexts").map(entry => entry.name)));
  for (const path of files)
    if (await change(path, async config => {
      const context = find(config, "contexts", name);
      const previous = ourExtension(context)?.["previous-context"];
      let next = config;
      for (const section of sections)
        if (isOurs(find(config, section, name), dataDir)) next = { ...next, [section]: named(config, section).filter(entry => entry.name !== name) };
      if (next !== config && isOurs(context, dataDir) && config["current-context"] === name)
        next = { ...next, "current-context": typeof previous === "string" && previous !== name && contexts.has(previous) ? previous : "" };
      const empty = sections.every(section => named(next, section).length === 0) && Object.keys(next).every(field => ["apiVersion", "kind", "current-context", ...sections].includes(field));
      return ourExtension(context)?.["made-file"] === true && isOurs(context, dataDir) && empty ? undefined : next;
    })) changed.push(path);
  return changed;
}

/** The first file of the list that has an entry of this name, else the first that exists, else the last (clientcmd PathOptions.GetDefaultFilename). */
async function targetOf(environment: Environment, name: string): Promise<string> {
  const candidates = candidatesOf(environment);
  const existing = await filesOf(environment);
  for (const path of existing) {
    const config = await readConfig(path);
    if (sections.some(section => find(config, section, name) !== undefined)) return path;
  }
  const last = existing[0] ?? candidates.at(-1);
  if (last === undefined) throw new KubeconfigRefused("neither KUBECONFIG nor HOME is set, so there is no kubeconfig to write; set one of them");
  return last;
}

function candidatesOf({ KUBECONFIG, HOME }: Environment): string[] {
  const listed = [...new Set((KUBECONFIG ?? "").split(delimiter).filter(path => path !== ""))];
  return listed.length > 0 ? listed : HOME ? [join(HOME, ".kube", "config")] : [];
}

async function filesOf(environment: Environment): Promise<string[]> {
  const found = await Promise.all(candidatesOf(environment).map(async path => ((await statOf(path))?.isFile() ? [path] : [])));
  return found.flat();
}

/** Runs `edit` under kubectl's lock and writes the result if it differs; `undefined` removes the file. */
async function change(path: string, edit: (config: Config) => Promise<Config | undefined>): Promise<boolean> {
  await makeFolder(dirname(path));
  const unlock = await lock(path);
  try {
    const config = await readConfig(path);
    const next = await edit(config);
    if (next === config) return false;
    if (next === undefined) {
      await rm(path);
      return true;
    }
    const { dump } = await import("js-yaml");
    // A link (dotfiles kept elsewhere) stays a link: replace what it points to.
    const target = (await lstat(path).catch(absent)) === undefined ? path : await realpath(path);
    const { uid, gid } = await stat((await statOf(target)) === undefined ? dirname(target) : target);
    await writeFilesAtomic([{ path: target, content: dump(next, { seqNoIndent: true, lineWidth: -1, sortKeys: true, noRefs: true }), mode: 0o600, owner: { uid, gid } }]);
    return true;
  } finally {
    await unlock();
  }
}

/** Makes the folder as its nearest parent's owner, so that `sudo timonier up` leaves nothing of root's in a user's home. */
async function makeFolder(path: string): Promise<void> {
  if ((await statOf(path)) !== undefined) return;
  await makeFolder(dirname(path));
  const { uid, gid } = await stat(dirname(path));
  await mkdir(path, { mode: 0o750 });
  if (uid !== process.getuid?.()) await chown(path, uid, gid);
}

/** kubectl's lock: a file made exclusively beside the config. kubectl gives up at once; we wait, since renewals run in the background. */
async function lock(path: string): Promise<() => Promise<void>> {
  const file = `${path}.lock`;
  for (let left = lockTries; ; left--) {
    try {
      await (await open(file, "wx", 0o600)).close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw new Error(`locking ${path}`, { cause: error });
      if (left === 0) throw new KubeconfigRefused(`${file} exists: another program is changing the kubeconfig; if none is, remove that file`);
      await sleep(lockWaitMs);
    }
  }
}

async function readConfig(path: string): Promise<Config> {
  if (((await statOf(path))?.size ?? 0) > fileBytesMax) throw new KubeconfigRefused(`${path} is larger than ${fileBytesMax >> 20} MiB`);
  const text = await readFile(path, "utf8").catch(absent);
  if (text === undefined || text.trim() === "") return {};
  const yaml = await import("js-yaml");
  // Go reads YAML 1.1 booleans and numbers, but leaves dates alone.
  const schema = new yaml.Schema([yaml.strTag, yaml.seqTag, yaml.mapTag, yaml.nullYaml11Tag, yaml.boolYaml11Tag, yaml.intYaml11Tag, yaml.floatYaml11Tag, yaml.mergeTag]);
  let config: unknown;
  try {
    config = yaml.load(text, { schema, filename: path });
  } catch (error) {
    throw new KubeconfigRefused(`${path} is not valid YAML, so it was left alone; mend it or set KUBECONFIG to another file`, { cause: error });
  }
  if (!isObject(config ?? {})) throw new KubeconfigRefused(`${path} is not a kubeconfig, so it was left alone; set KUBECONFIG to another file`);
  return (config ?? {}) as Config;
}

async function refuseForeign(path: string, config: Config, { name, dataDir }: Access): Promise<void> {
  for (const section of sections) {
    const entry = find(config, section, name);
    if (entry === undefined || isOurs(entry, dataDir)) continue;
    const other = ourExtension(entry)?.["data-dir"];
    // Left behind by a cluster whose files are gone: nobody else's.
    if (typeof other === "string" && (await statOf(other)) === undefined) continue;
    throw new KubeconfigRefused(`${path} has an entry "${name}" in ${section} that ${typeof other === "string" ? `belongs to the cluster in ${other}` : "timonier did not make"}; rename it, or choose another --name`);
  }
}

function named(config: Config, section: string): Named[] {
  const list = config[section];
  return (Array.isArray(list) ? list : []).filter((entry): entry is Named => isObject(entry) && typeof entry["name"] === "string");
}

function find(config: Config, section: (typeof sections)[number], name: string): Named | undefined {
  return named(config, section).find(entry => entry.name === name);
}

/** Replaces the entry of that name in place, or adds it at the end. `keep` names inner fields the user may have set. */
function put(config: Config, section: (typeof sections)[number], entry: Named, keep: readonly string[] = []): Config {
  const old = find(config, section, entry.name);
  const inner = section.slice(0, -1);
  const before = old?.[inner];
  const kept = isObject(before) ? Object.fromEntries(Object.entries(before).filter(([field]) => keep.includes(field))) : {};
  const next = { ...entry, [inner]: { ...kept, ...(entry[inner] as JsonObject) } };
  const list = Array.isArray(config[section]) ? config[section] : [];
  return { ...config, [section]: old === undefined ? [...list, next] : list.map(item => (item === old ? next : item)) };
}

function ourExtension(entry: Named | undefined): JsonObject | undefined {
  const inner = entry?.["cluster"] ?? entry?.["context"] ?? entry?.["user"];
  const extensions = isObject(inner) ? inner["extensions"] : undefined;
  const ours = (Array.isArray(extensions) ? extensions : []).find(item => isObject(item) && item["name"] === extensionName);
  const extension = isObject(ours) ? ours["extension"] : undefined;
  return isObject(extension) && extension["provider"] === extensionName ? extension : undefined;
}

function isOurs(entry: Named | undefined, dataDir: string): boolean {
  return ourExtension(entry)?.["data-dir"] === dataDir;
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}

function statOf(path: string): Promise<Awaited<ReturnType<typeof stat>> | undefined> {
  return stat(path).catch(absent);
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code === "ENOENT" || error.code === "ENOTDIR") return undefined;
  throw error;
}
