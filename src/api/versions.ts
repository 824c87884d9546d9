/** One object in all the versions that it is served in: who owns which field is remembered in the version in which it was written. */
import type { JsonObject } from "../base/json.ts";
import { stringifyJson } from "../base/json-codec.ts";
import type { Versions } from "../schema/apply.ts";
import { decode } from "../schema/decode.ts";
import type { Registry, Served } from "./registry.ts";
import { adopt, asServed } from "./strategy.ts";

/** Conversions that one write may need besides its own: two for each version that owns fields, and some more to apply. */
const conversionsMax = 64;

/** For kinds that convert themselves. */
export function versionsOf(registry: Registry, served: Served): Versions {
  return apiVersion => {
    const other = siblingOf(registry, served, apiVersion);
    if (other === undefined) return undefined;
    const between = (from: Served, to: Served) => (object: JsonObject): JsonObject => asServed(to, adopt(from, decode(from.node, object).object)) as JsonObject;
    return { node: other.node, to: between(served, other), from: between(other, served) };
  };
}

/** Runs what asks for other versions. Where a webhook converts, it is run anew after each conversion that it lacked: it must be pure. */
export async function withVersions<T>(registry: Registry, served: Served, run: (versions: Versions) => T): Promise<T> {
  const { conversion } = served.kind;
  if (conversion === undefined) return run(versionsOf(registry, served));
  const known = new Map<string, any>();
  const to = (from: Served, apiVersion: string) => (object: JsonObject): JsonObject => {
    const whole = { ...object, apiVersion: from.apiVersion, kind: from.kind.kind };
    const made = known.get(`${apiVersion} ${stringifyJson(whole)}`);
    if (made === undefined) throw new Missing(whole, apiVersion);
    if (object.apiVersion !== undefined) return made;
    const { apiVersion: _a, kind: _k, ...rest } = made;
    return rest;
  };
  const versions: Versions = apiVersion => {
    const other = siblingOf(registry, served, apiVersion);
    return other === undefined ? undefined : { node: other.node, to: to(served, apiVersion), from: to(other, served.apiVersion) };
  };
  for (let made = 0; ; made++) {
    try {
      return run(versions);
    } catch (error) {
      if (!(error instanceof Missing) || made >= conversionsMax) throw error;
      known.set(`${error.apiVersion} ${stringifyJson(error.object)}`, (await conversion.convert([error.object], error.apiVersion))[0]);
    }
  }
}

class Missing extends Error {
  readonly object: JsonObject;
  readonly apiVersion: string;
  constructor(object: JsonObject, apiVersion: string) {
    super(`more than ${conversionsMax} conversions for one write`);
    this.object = object;
    this.apiVersion = apiVersion;
  }
}

function siblingOf(registry: Registry, served: Served, apiVersion: string): Served | undefined {
  const at = apiVersion.indexOf("/");
  const found = registry.find(at < 0 ? "" : apiVersion.slice(0, at), apiVersion.slice(at + 1), served.resource);
  // Of another group, though the same object: upstream forgets who owned what there.
  return found?.prefix === served.prefix && found.group === served.group ? found : undefined;
}
