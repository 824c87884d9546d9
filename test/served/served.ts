/** The API as it is served: SQLite, the API server and TLS in this process, to be stopped and started again on the same file and port. */
import { createHash } from "node:crypto";
import { createAuthenticator } from "../../src/api/authn/authenticator.ts";
import { privileged } from "../../src/api/authz/authorizer.ts";
import { ApiServer } from "../../src/api/server.ts";
import { silent } from "../../src/base/log.ts";
import { HttpClient } from "../../src/client/http.ts";
import { systemClock } from "../../src/host/clock.ts";
import { HttpClient as HttpTransport } from "../../src/host/http-client.ts";
import { startHttpsServer } from "../../src/host/https-server.ts";
import { systemRandom } from "../../src/host/random.ts";
import { SqliteEngine } from "../../src/host/sqlite.ts";
import { parseYaml } from "../../src/host/yaml.ts";
import { kinds } from "../../src/kinds/index.ts";
import { LocalClient } from "../../src/main/local-client.ts";
import { RevisionedStore, type StoreLimits } from "../../src/store/revisioned-store.ts";
import { testAuthority } from "../certificates.ts";

const admin = { name: "admin", uid: "", groups: ["system:masters", "system:authenticated"], extra: {} };

/** Certificates that outlive the server. */
export type Site = { readonly serving: ReturnType<typeof testAuthority>; readonly clients: ReturnType<typeof testAuthority>; readonly path: string; port: number };

export function site(path: string): Site {
  return { serving: testAuthority("serving"), clients: testAuthority("clients"), path, port: 0 };
}

export type Served = { readonly store: RevisionedStore; readonly api: ApiServer; /** In process. */ readonly local: LocalClient; stop(graceMs?: number): Promise<void> };

export async function serve(place: Site, options: { readonly limits?: Partial<StoreLimits>; readonly onError?: (message: string) => void } = {}): Promise<Served> {
  const clock = systemClock();
  const random = systemRandom();
  const failed = (error: Error): void => options.onError?.(String(error));
  const log = { ...silent, error: (message: string, fields?: object) => options.onError?.(`${message} ${JSON.stringify(fields)}`) };
  const store = await RevisionedStore.open(new SqliteEngine(place.path), { clock, log, onFailure: failed, defer: setImmediate, ...(options.limits === undefined ? {} : { limits: options.limits }) });
  const api = new ApiServer({
    store, kinds, clock, random, log, fatal: failed, parseYaml,
    authenticator: () => createAuthenticator({ review: async () => undefined, frontProxyNames: [] } as unknown as Parameters<typeof createAuthenticator>[0]),
    authorizer: () => privileged,
    sha512: text => createHash("sha512").update(text).digest(),
    build: { gitVersion: "v1.36.0+timonier", gitCommit: "", buildDate: "2026-01-01T00:00:00Z", platform: "linux/amd64", runtime: "node" },
    address: `127.0.0.1:${place.port}`, readNodeStats: async () => ({}),
  });
  const leaf = place.serving.leaf("apiserver", "server", [], ["127.0.0.1", "localhost"]);
  const https = await startHttpsServer({ addresses: ["127.0.0.1"], port: place.port, credentials: { ...leaf, clientCa: place.clients.ca }, clock, log: silent, handler: request => api.handle(request) });
  place.port = https.port;
  return {
    store, api, local: new LocalClient(api, { user: admin, userAgent: "test" }),
    stop: async (graceMs = 0) => {
      await https.close(graceMs);
      await store.close();
    },
  };
}

/** A client over TLS, as an administrator. */
export function connect(place: Site): { readonly client: HttpClient; close(): Promise<void> | void } {
  const leaf = place.clients.leaf("admin", "client", ["system:masters"]);
  const transport = new HttpTransport({ address: "127.0.0.1", port: place.port, ca: place.serving.ca, identity: leaf, userAgent: "test", clock: systemClock(), random: systemRandom(), log: silent, limits: { backoffMs: 5, backoffMsMax: 20 } });
  return { client: new HttpClient(transport, "test"), close: () => transport.close() };
}
