/**
 * The cluster's own certificates. Four authorities that trust nothing of each other, and leaves that are renewed while running, at two
 * thirds of their life.
 *
 * One identity is one file: private key, certificate, and for some the authority that its holder trusts; so a crash never leaves a key
 * with another key's certificate. Under `<data-dir>/pki`:
 *
 *     client-ca.pem serving-ca.pem front-proxy-ca.pem etcd-ca.pem      kept for ten years, reused across restarts
 *     apiserver.pem apiserver-kubelet-client.pem front-proxy-client.pem admin.pem nodes/<name>/{client,serving,proxy}.pem
 *     clock                                                             the last time that was believed (`pki-clock.ts`)
 */
import { createPublicKey, generateKeyPairSync, X509Certificate } from "node:crypto";
import { join } from "node:path";
import { must } from "../base/assert.ts";
import type { Clock } from "../base/clock.ts";
import { messageOf, type Log } from "../base/log.ts";
import { makePrivateFolder, writeFilesAtomic, type FileToWrite } from "./files.ts";
import { BelievedClock } from "./pki-clock.ts";
import { addressBytes, issueCertificate, pem, type CertificateRequest } from "./pki-der.ts";
import { privateKeyPem, readIdentity, type Identity } from "./pki-identity.ts";

export const authorities = ["client", "serving", "front-proxy", "etcd"] as const;
export type Authority = (typeof authorities)[number];

/** What a leaf certificate says. `trusts` names the authority whose certificate is put in the file for its holder. */
export type LeafSpec = {
  readonly authority: Authority;
  readonly commonName: string;
  readonly organizations?: readonly string[];
  readonly usage: readonly ("server" | "client")[];
  readonly names?: readonly string[];
  readonly trusts?: Authority;
  /** RSA of 2048 bits in place of P-256: for a key that programs of others read. */
  readonly rsa?: boolean;
};

export const dayMs = 86_400_000;
const caLifeMs = 3650 * dayMs;
const leafLifeMs = 365 * dayMs;
/** Clients whose clock is a little behind ours must accept a fresh certificate. */
export const backdateMs = 3_600_000;
/** As much as upstream's signer, since such certificates may be for minutes only. */
const signedBackdateMs = 300_000;
const shortLifeMs = 8 * 3_600_000;
/** The longest sleep between looks at the certificates and the clock. */
const lookEveryMs = 3_600_000;
/** How soon to look again while the clock is not believed or a file could not be written. */
const lookAgainMs = 20_000;

/** The DNS names and addresses every API server certificate has. */
export const servingNames = [
  "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local", "localhost", "127.0.0.1", "::1", "10.96.0.1",
] as const;

export type PkiOptions = { readonly dir: string; readonly clock: Clock; readonly log: Log; /** Further names and addresses of the API server. */ readonly names?: readonly string[] };

/** Loads the authorities and the server's own leaves, minting what is missing. */
export async function openPki(options: PkiOptions): Promise<Pki> {
  await makePrivateFolder(options.dir);
  const clock = await BelievedClock.open(join(options.dir, "clock"), options.clock);
  const { cas, files } = await loadAuthorities(options.dir, clock);
  const pki = new Pki(options, clock, cas);
  const time = clock.record();
  // All in one go: a leaf that got to the disk without its authority is made again.
  await pki.ensure(serverLeaves(options.names ?? []), time === undefined ? files : [...files, time]);
  return pki;
}

function serverLeaves(names: readonly string[]): { [name: string]: LeafSpec } {
  return {
    apiserver: { authority: "serving", commonName: "kube-apiserver", usage: ["server"], names: [...new Set([...servingNames, ...names])] },
    "apiserver-kubelet-client": { authority: "client", commonName: "kube-apiserver-kubelet-client", usage: ["client"] },
    "front-proxy-client": { authority: "front-proxy", commonName: "front-proxy-client", usage: ["client"] },
    // As in kubeadm's and kind's kubeconfig: Java's fabric8 client reads no other key by itself.
    admin: { authority: "client", commonName: "kubernetes-admin", organizations: ["system:masters"], usage: ["client"], rsa: true },
  };
}

export class Pki {
  readonly #options: PkiOptions;
  readonly #clock: BelievedClock;
  readonly #authorities: { readonly [name in Authority]: Identity };
  readonly #leaves = new Map<string, { spec: LeafSpec; identity: Identity }>();
  readonly #listeners = new Map<string, Set<(identity: Identity) => void>>();
  /** Mints one after another: two calls must not write the same file. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(options: PkiOptions, clock: BelievedClock, cas: { readonly [name in Authority]: Identity }) {
    this.#options = options;
    this.#clock = clock;
    this.#authorities = cas;
  }

  /** An authority's certificate, PEM. */
  authority(name: Authority): string {
    return this.#authorities[name].certificate;
  }

  /** A leaf that `ensure` was called for: `apiserver`, `admin`, … */
  identity(name: string): Identity {
    return must(this.#leaves.get(name), `certificate ${name} was minted`).identity;
  }

  /** What the node agent needs, in `nodes/<name>/`: its client certificate, its HTTPS server's, and the service proxy's own (a node may not read endpoints). */
  async ensureNode(node: string, addresses: readonly string[]): Promise<{ readonly client: string; readonly serving: string; readonly proxy: string }> {
    await this.ensure({
      [`nodes/${node}/client`]: { authority: "client", commonName: `system:node:${node}`, organizations: ["system:nodes"], usage: ["client"], trusts: "serving" },
      [`nodes/${node}/serving`]: { authority: "serving", commonName: `system:node:${node}`, organizations: ["system:nodes"], usage: ["server"], names: [...new Set([node, "localhost", "127.0.0.1", ...addresses])], trusts: "client" },
      [`nodes/${node}/proxy`]: { authority: "client", commonName: "system:kube-proxy", usage: ["client"], trusts: "serving" },
    });
    return { client: this.path(`nodes/${node}/client`), serving: this.path(`nodes/${node}/serving`), proxy: this.path(`nodes/${node}/proxy`) };
  }

  /** Signs for somebody else's key; at most a year, and not past the authority's own end. Gives the certificate's DER. */
  issue(authority: Authority, what: Pick<CertificateRequest, "key" | "subject" | "alternativeNames" | "usage" | "keyEncipherment"> & { readonly seconds: number | undefined }): Buffer {
    this.#clock.assertBelieved();
    const issuer = this.#authorities[authority];
    const now = this.#clock.now();
    const { seconds, ...request } = what;
    const lifeMs = Math.min(seconds === undefined ? leafLifeMs : seconds * 1000, leafLifeMs);
    // Of what is not short, the time before counts too (pkg/controller/certificates/authority/policies.go).
    const notAfter = Math.min(now + lifeMs - (lifeMs < shortLifeMs ? 0 : signedBackdateMs), issuer.notAfter);
    return issueCertificate({ commonName: "", ...request, notBefore: now - signedBackdateMs, notAfter }, { key: issuer.key, certificate: issuer.x509.raw });
  }

  path(name: string): string {
    return join(this.#options.dir, `${name}.pem`);
  }

  /** Loads or mints leaves and keeps them renewed from now on. A leaf whose names changed is minted again (P28). */
  ensure(specs: { readonly [name: string]: LeafSpec }, files: readonly FileToWrite[] = []): Promise<void> {
    return this.#inOrder(async () => {
      const now = this.#clock.now();
      const believed = this.#clock.look();
      const missing: { name: string; spec: LeafSpec }[] = [];
      await Promise.all(Object.entries(specs).map(async ([name, spec]) => {
        const identity = await this.#readLeaf(name);
        // While the clock is wrong an old leaf is better than none: what runs goes on, and `run` renews when the clock is right.
        if (identity !== undefined && !(believed && this.#isDue(identity, spec, now))) this.#leaves.set(name, { spec, identity });
        else missing.push({ name, spec });
      }));
      await this.#mint(missing, now, files);
    });
  }

  /** A leaf is cheap: a damaged file is replaced, unlike an authority's. */
  async #readLeaf(name: string): Promise<Identity | undefined> {
    try {
      return await readIdentity(this.path(name));
    } catch (error) {
      this.#options.log.warn("a certificate file cannot be used, making a new one", { name, error: messageOf(error) });
      return undefined;
    }
  }

  /** Adds to the names in the API server's certificate, at once. */
  setServingNames(names: readonly string[]): Promise<void> {
    return this.ensure({ apiserver: serverLeaves(names)["apiserver"]! });
  }

  /** Mints again every leaf past two thirds of its life at `now`; returns their names. */
  renew(now: number): Promise<readonly string[]> {
    return this.#inOrder(async () => {
      const due = [...this.#leaves].filter(([, { spec, identity }]) => this.#isDue(identity, spec, now)).map(([name, { spec }]) => ({ name, spec }));
      await this.#mint(due, now);
      return due.map(({ name }) => name);
    });
  }

  /** Calls `listener` with each renewal of a leaf, after its file is durable: swap the TLS context, rewrite the kubeconfig. Returns how to stop. */
  onRenewed(name: string, listener: (identity: Identity) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => void listeners.delete(listener);
  }

  /** Renews on time until `signal` aborts, as long as the clock is believed. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let wait = lookEveryMs;
      try {
        if (this.#clock.look()) {
          const renewed = await this.renew(this.#clock.now());
          if (renewed.length > 0) this.#options.log.info("certificates renewed", { names: renewed.join(" ") });
          const time = this.#clock.record();
          if (time !== undefined) await writeFilesAtomic([time]);
          wait = Math.min(lookEveryMs, Math.max(lookAgainMs, this.nextDue() - this.#clock.now()));
        } else {
          this.#options.log.warn("the clock is not believed, no certificate is minted", { reason: this.#clock.doubt ?? "" });
          wait = lookAgainMs;
        }
      } catch (error) {
        this.#options.log.error("certificates could not be renewed, trying again", { error: messageOf(error) });
        wait = lookAgainMs;
      }
      await this.#options.clock.sleep(wait, signal);
    }
  }

  /** Why certificates are not minted at the moment, if so. */
  get clockDoubt(): string | undefined {
    return this.#clock.doubt;
  }

  /** When the first leaf is to be renewed. */
  nextDue(): number {
    return Math.min(...[...this.#leaves.values()].map(({ identity }) => renewAt(identity)));
  }

  #isDue(identity: Identity, spec: LeafSpec, now: number): boolean {
    return now >= renewAt(identity) || now < identity.notBefore || !says(identity, spec, this.#authorities);
  }

  async #mint(due: readonly { readonly name: string; readonly spec: LeafSpec }[], now: number, files: readonly FileToWrite[] = []): Promise<void> {
    if (due.length > 0) this.#clock.assertBelieved();
    const minted = due.map(({ name, spec }) => ({ name, spec, ...mintLeaf(spec, this.#authorities, now, this.path(name)) }));
    // A full disk must not keep a running cluster from renewing (U12): serve from memory first, then report the failed write.
    for (const { name, spec, identity } of minted) {
      this.#leaves.set(name, { spec, identity });
      for (const listener of this.#listeners.get(name) ?? []) listener(identity);
    }
    const all = [...files, ...minted.map(({ file }) => file)];
    if (all.length > 0) await writeFilesAtomic(all);
  }

  #inOrder<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work, work);
    this.#queue = result.catch(() => undefined); // the caller sees the failure; the next in line starts anyway
    return result;
  }
}

/** Two thirds into a certificate's life. */
export function renewAt({ notBefore, notAfter }: Pick<Identity, "notBefore" | "notAfter">): number {
  return notBefore + ((notAfter - notBefore) * 2) / 3;
}

/** Whether the certificate is signed by today's authority and says what the spec wants. */
function says(identity: Identity, spec: LeafSpec, cas: { readonly [name in Authority]: Identity }): boolean {
  const { x509 } = identity;
  const issuer = cas[spec.authority].x509;
  const alternatives = new Set((x509.subjectAltName ?? "").split(", ").filter(Boolean).map(name => name.replace(/^(DNS|IP Address):/, "").toLowerCase()));
  const wanted = new Set((spec.names ?? []).map(name => (name.includes(":") ? opensslAddress(name) : name.toLowerCase())));
  return x509.checkIssued(issuer) && x509.verify(issuer.publicKey) && identity.key.asymmetricKeyType === (spec.rsa ? "rsa" : "ec")
    && x509.subject === [...(spec.organizations ?? []).map(name => `O=${name}`), `CN=${spec.commonName}`].join("\n")
    && alternatives.size === wanted.size && [...wanted].every(name => alternatives.has(name))
    && (spec.trusts === undefined || identity.trusted === cas[spec.trusts].certificate);
}

/** An IPv6 address as OpenSSL prints it in subjectAltName: no leading zeros, no `::`. */
function opensslAddress(address: string): string {
  const bytes = addressBytes(address);
  return Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(i * 2).toString(16)).join(":");
}

function mintLeaf(spec: LeafSpec, cas: { readonly [name in Authority]: Identity }, now: number, path: string): { identity: Identity; file: FileToWrite } {
  const issuer = cas[spec.authority];
  const { privateKey } = spec.rsa ? generateKeyPairSync("rsa", { modulusLength: 2048 }) : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const der = issueCertificate({
    commonName: spec.commonName, organizations: spec.organizations ?? [], usage: spec.usage, names: spec.names ?? [], key: privateKey, keyEncipherment: spec.rsa === true,
    notBefore: now - backdateMs, notAfter: Math.min(now + leafLifeMs, issuer.notAfter),
  }, { key: issuer.key, certificate: issuer.x509.raw });
  const x509 = new X509Certificate(der);
  const certificate = pem("CERTIFICATE", der);
  const trusted = spec.trusts === undefined ? undefined : cas[spec.trusts].certificate;
  const identity: Identity = { key: privateKey, certificate, x509, trusted, notBefore: x509.validFromDate.getTime(), notAfter: x509.validToDate.getTime() };
  return { identity, file: { path, content: privateKeyPem(privateKey) + certificate + (trusted ?? "") } };
}

async function loadAuthorities(dir: string, clock: BelievedClock): Promise<{ readonly cas: { readonly [name in Authority]: Identity }; readonly files: readonly FileToWrite[] }> {
  const files: FileToWrite[] = [];
  const entries = await Promise.all(authorities.map(async name => {
    const path = join(dir, `${name}-ca.pem`);
    const known = await readIdentity(path);
    if (known !== undefined) return [name, known] as const;
    clock.assertBelieved();
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const der = issueCertificate({
      commonName: `timonier-${name}-ca`, usage: "ca", key: privateKey, notBefore: clock.now() - backdateMs, notAfter: clock.now() + caLifeMs,
    }, { key: privateKey, certificate: undefined });
    const certificate = pem("CERTIFICATE", der);
    files.push({ path, content: privateKeyPem(privateKey) + certificate });
    const x509 = new X509Certificate(der);
    return [name, { key: privateKey, certificate, x509, trusted: undefined, notBefore: x509.validFromDate.getTime(), notAfter: x509.validToDate.getTime() }] as const;
  }));
  const cas = Object.fromEntries(entries) as { [name in Authority]: Identity };
  // NCC 5: with one CA for both, any client certificate could claim to be the front proxy, and so be anybody.
  const keys = new Set(authorities.map(name => createPublicKey(cas[name].key).export({ type: "spki", format: "der" }).toString("base64")));
  if (keys.size !== authorities.length) throw new Error(`two certificate authorities in ${dir} have the same key; they must differ`);
  return { cas, files };
}
