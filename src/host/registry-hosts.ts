/** Tells a node's containerd, before each pull, how to reach the image's registry: by the cluster's registries file, and for a box by way of the machine. */
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Json } from "../base/json.ts";
import { messageOf } from "../base/log.ts";
import { credentialsOf, firstLine, gatewayTokenHeader, needsGateway, readRegistries, registryOf, renderHosts, type Gateway, type Registries } from "../node/registries.ts";
import type { Credentials } from "../node/runtime.ts";
import { writeFileAtomic } from "./files.ts";

export type RegistryHostsOptions = {
  /** containerd's `config_path`. */
  readonly folder: string;
  /** `--registries`; absent: registries have no rules of their own. */
  readonly file?: string;
  /** Where the last usable version of the file is remembered, for a start after a bad edit. */
  readonly kept?: string;
  /** Of a box: where the machine's agent says how to ask it. */
  readonly gatewayNote?: string;
  /** Hears once of each edit that cannot be used, while the last usable version counts; `undefined`: the file can be used again. */
  readonly tell?: (problem: string | undefined) => void;
};

/** What the file says. Throws an `Error` that names file and field. */
export async function registriesIn(file: string): Promise<Registries> {
  try {
    const [{ parseYaml }, text] = await Promise.all([import("./yaml.ts"), readFile(file, "utf8")]);
    const { value, duplicates } = parseYaml(text);
    return readRegistries(value, duplicates);
  } catch (error) {
    throw new Error(`${file} (--registries)`, { cause: error });
  }
}

export class RegistryHosts {
  readonly #options: RegistryHostsOptions;
  #read: { readonly mtimeMs: number; readonly registries: Registries } | undefined;
  #problem: string | undefined;
  constructor(options: RegistryHostsOptions) {
    this.#options = options;
  }

  /** Resolves when the file, or the last version of it that could be used, is known; throws an `Error` that names file and field. */
  async check(): Promise<void> {
    await this.#registries();
  }

  /** Before a pull. The credentials are for a pod that brings none. */
  async prepare(reference: string): Promise<Credentials | undefined> {
    const registry = registryOf(reference);
    const registries = await this.#registries();
    const gateway = this.#options.gatewayNote !== undefined && needsGateway(registry, registries) ? await gatewayOf(this.#options.gatewayNote, registry) : undefined;
    const content = renderHosts(registry, registries, gateway);
    const path = join(this.#options.folder, registry, "hosts.toml");
    const present = await readFile(path, "utf8").catch(ignoreAbsent);
    const isOurs = present === undefined || present.startsWith(firstLine) || present.includes(gatewayTokenHeader);
    if (content !== undefined && content !== present && isOurs) await writeFileAtomic(path, content);
    else if (content === undefined && present !== undefined && isOurs) await rm(path);
    return credentialsOf(registry, registries);
  }

  /** Read again when it has changed: an edit counts from the next pull on; one that cannot be used does not. */
  async #registries(): Promise<Registries> {
    const { file, kept, tell } = this.#options;
    if (file === undefined) return {};
    // Absent, or not to be looked at: reading it says why.
    const mtimeMs = await stat(file).then(found => found.mtimeMs, () => -1);
    if (this.#read?.mtimeMs === mtimeMs) return this.#read.registries;
    try {
      const registries = await registriesIn(file);
      if (kept !== undefined) await writeFileAtomic(kept, JSON.stringify(registries));
      this.#read = { mtimeMs, registries };
      if (this.#problem !== undefined) tell?.(undefined);
      this.#problem = undefined;
      return registries;
    } catch (error) {
      const last = this.#read?.registries ?? (await this.#remembered());
      if (last === undefined) throw error;
      // A file that is not there may come at any time, whatever its time.
      this.#read = { mtimeMs: mtimeMs === -1 ? NaN : mtimeMs, registries: last };
      if (this.#problem !== messageOf(error)) tell?.(messageOf(error));
      this.#problem = messageOf(error);
      return last;
    }
  }

  async #remembered(): Promise<Registries | undefined> {
    const { kept } = this.#options;
    const text = kept === undefined ? undefined : await readFile(kept, "utf8").catch(ignoreAbsent);
    return text === undefined ? undefined : readRegistries(JSON.parse(text) as Json, []);
  }
}

async function gatewayOf(note: string, registry: string): Promise<Gateway> {
  try {
    return JSON.parse(await readFile(note, "utf8")) as Gateway;
  } catch (error) {
    throw new Error(`registry ${registry} is the machine's own, and the machine's node agent, which passes requests on, does not run: see "timonier status"`, { cause: error });
  }
}
function ignoreAbsent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== "ENOENT") throw error;
  return undefined;
}
