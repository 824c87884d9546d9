/** Tells a node's containerd, before each pull, how to reach the image's registry: by the cluster's registries file, and for a box by way of the machine. */
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "../base/log.ts";
import { credentialsOf, firstLine, gatewayTokenHeader, needsGateway, readRegistries, registryOf, renderHosts, type Gateway, type Registries } from "../node/registries.ts";
import type { Credentials } from "../node/runtime.ts";
import { writeFileAtomic } from "./files.ts";

export type RegistryHostsOptions = {
  /** containerd's `config_path`. */
  readonly folder: string;
  /** `--registries`; absent: registries have no rules of their own. */
  readonly file?: string;
  /** Of a box: where the machine's agent says how to ask it. */
  readonly gatewayNote?: string;
};

export class RegistryHosts {
  readonly #options: RegistryHostsOptions;
  #read: { readonly mtimeMs: number; readonly registries: Registries } | undefined;
  constructor(options: RegistryHostsOptions) {
    this.#options = options;
  }

  /** Resolves when the file can be used; throws an `Error` that names file and field. */
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

  /** Read again when it has changed: an edit counts from the next pull on. */
  async #registries(): Promise<Registries> {
    const { file } = this.#options;
    if (file === undefined) return {};
    try {
      const { mtimeMs } = await stat(file);
      if (this.#read?.mtimeMs !== mtimeMs) {
        const [{ parseYaml }, text] = await Promise.all([import("./yaml.ts"), readFile(file, "utf8")]);
        const { value, duplicates } = parseYaml(text);
        this.#read = { mtimeMs, registries: readRegistries(value, duplicates) };
      }
      return this.#read.registries;
    } catch (error) {
      throw new Error(`${file} (--registries): ${messageOf(error)}`, { cause: error });
    }
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
