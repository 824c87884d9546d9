/** What the commands need of the machine they run on; `host/machine.ts` has the real one, tests hand in a small fake. */

export type RunResult = { readonly code: number; readonly stdout: string; readonly stderr: string };

export interface Machine {
  readonly platform: string;
  readonly uid: number;
  readonly hostname: string;
  readonly env: { readonly [name: string]: string | undefined };
  readonly home: string;
  readonly terminal: boolean;
  out(text: string): void;
  err(text: string): void;
  /** Milliseconds, monotonic. */
  now(): number;
  sleep(ms: number): Promise<void>;
  read(path: string): Promise<string | undefined>;
  /** Atomically, mode 0600, parents made with 0700. */
  write(path: string, text: string): Promise<void>;
  exists(path: string): Promise<boolean>;
  list(folder: string): Promise<readonly string[]>;
  /** Removes a file or a whole folder; nothing there is fine. */
  remove(path: string): Promise<void>;
  /** Removes a folder only if it is empty. */
  removeEmpty(folder: string): Promise<void>;
  resolve(path: string): string;
  /** Short hex digest, for names. */
  digest(text: string): string;
  /** Full path of a program on PATH. */
  which(program: string): Promise<string | undefined>;
  /** Runs a program to its end. `inherit` gives it our terminal. */
  run(program: string, args: readonly string[], options?: { readonly inherit?: boolean; readonly env?: { readonly [name: string]: string }; readonly timeoutMs?: number }): Promise<RunResult>;
  /** Starts ourselves again, detached and restarted on failure, with output to `logFile`. */
  startDaemon(daemon: { readonly name: string; readonly args: readonly string[]; readonly runFolder: string; readonly logFile: string }): Promise<void>;
  /** The process that `startDaemon` has started, if it lives. `kept`: it would be started again; not if its keeper was killed. */
  daemon(name: string, runFolder: string): Promise<{ readonly pid: number; readonly kept: boolean; readonly residentBytes: number; readonly ageSeconds: number } | undefined>;
  /** Ends it and its restarter: SIGTERM, then SIGKILL after `graceMs`; 0: SIGKILL at once. */
  stopDaemon(name: string, runFolder: string, graceMs: number): Promise<void>;
  /** Whether this address can be listened on now. */
  portFree(address: string, port: number): Promise<boolean>;
  /** The address other machines and pods reach us at; undefined without a network. */
  primaryAddress(): string | undefined;
  /** Every address that an interface of this machine has now. */
  assignedAddresses(): readonly string[];
  /** IPv4 networks that are routed or assigned here already, as CIDRs. */
  networks(): Promise<readonly string[]>;
  /** Downloads over HTTPS to memory; rejects with a reason. */
  download(url: string, bytesMax: number): Promise<Uint8Array>;
  sha256(bytes: Uint8Array): string;
  writeProgram(path: string, bytes: Uint8Array): Promise<void>;
  /** Takes the lock file or says who has it; released when the process ends. */
  lock(path: string): Promise<{ readonly ok: true; release(): Promise<void> } | { readonly ok: false; readonly holder: string }>;
  /** Calls back once on Ctrl-C or SIGTERM; returns how to stop listening. */
  onInterrupt(callback: () => void): () => void;
}

/** What the other parts of timonier do for the commands; composed in `main/cli.ts`. */
export interface Parts {
  /** Adds the context, makes it the current one and remembers the one before; gives the file. */
  mergeKubeconfig(cluster: ClusterAccess): Promise<string>;
  /** Takes the context out again and gives the files changed. `path` is the file it was written to, if known. */
  removeKubeconfig(cluster: { readonly context: string; readonly dataFolder: string; readonly path: string | undefined }): Promise<readonly string[]>;
  /** Ends every pod of this cluster, gracefully, and its containerd. */
  stopWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void>;
  /** Removes containers, namespaces, interfaces, mounts, cgroups and rules of this cluster; nothing else. */
  removeWorkloads(cluster: Cluster, say: (line: string) => void): Promise<void>;
  /** What is wrong with a registries file, in one line; undefined: nothing. */
  registriesProblem(file: string): Promise<string | undefined>;
  /** `{ ready, nodes, pods }` as the API answers, or undefined when it does not. */
  probe(cluster: Cluster): Promise<Probe | undefined>;
  /** What decides whether a connection comes about. */
  whyNot(cluster: Cluster, question: ReachQuestion): Promise<Reachability>;
  /** Runs everything in this process until interrupted. */
  foreground(cluster: Cluster, onReady: () => Promise<void>): Promise<number>;
  serve(dataFolder: string): Promise<number>;
  /** `node` is a member's name; absent: the first node. */
  runAgent(dataFolder: string, node: string | undefined): Promise<number>;
  /** Makes a member's namespaces if need be and becomes its agent in them. */
  runBox(dataFolder: string, node: string): Promise<number>;
  /** Ends the pods of the node that this process runs in. */
  endPods(dataFolder: string, node: string): Promise<number>;
  /** Makes the network between the nodes, or repairs it. */
  layNodeNetwork(cluster: Cluster): Promise<void>;
  /** Ends a member at once, as a power cut would: everything that runs in its namespaces. */
  stopMember(cluster: Cluster, member: Member): Promise<void>;
  /** Takes a member's Node object and files away. */
  removeMember(cluster: Cluster, member: Member): Promise<void>;
  runIngress(dataFolder: string): Promise<number>;
}
export type Probe = { readonly version: string; readonly nodes: readonly { readonly name: string; readonly ready: boolean }[]; readonly pods: number; readonly runningPods: number };
export type ReachQuestion = { readonly client: string; readonly server: string; readonly port: string; readonly protocol: "TCP" | "UDP" | "SCTP"; readonly namespace: string };
export type Reachability =
  | { readonly client: string; readonly server: string; readonly reachable: "Yes" | "No" | "Sometimes"; readonly steps: readonly { readonly step: string; readonly result: "ok" | "blocked" | "unknown"; readonly detail: string; readonly change?: string }[] }
  | { readonly unknown: string };
export type ClusterAccess = { readonly context: string; readonly server: string; readonly dataFolder: string };

/** A node beside the first. `index` is never 0; it decides the node's pod network and its address. */
export type Member = { readonly name: string; readonly index: number; readonly link: number };

/** `cluster.json`: what a cluster is, fixed when it is made. */
export type Cluster = {
  readonly name: string;
  /** Unique on this machine also for equal names in different data directories: names of cgroups, tables, sockets. */
  readonly id: string;
  readonly state: "creating" | "made" | "deleting";
  readonly runtime: "containerd" | "simulated";
  readonly nodes: number;
  /** The first node: the machine itself, on its own network. */
  readonly nodeName: string;
  /** The other nodes, each in namespaces of its own; absent: none. */
  readonly members?: readonly Member[];
  /** Network between the nodes; each of its /24s is a link, whose first address is the machine's. */
  readonly nodeCIDR?: string;
  /** Links that the other nodes are spread over: nodes of different ones reach each other through the machine only. */
  readonly links?: number;
  /** Addresses the API server listens on, the first one for kubectl. */
  readonly listen: readonly string[];
  /** Where pods and other nodes reach it; absent without a network. */
  readonly advertise?: string;
  readonly port: number;
  readonly nodePort: number;
  readonly podCIDR: string;
  readonly serviceCIDR: string;
  /** The same networks in IPv6, of a cluster with both families; absent: IPv4 alone. */
  readonly ipv6?: { readonly podCIDR: string; readonly serviceCIDR: string; readonly nodeCIDR: string };
  /** Addresses set aside for LoadBalancer services; without them they share the machine's own. */
  readonly loadBalancerPools?: readonly string[];
  /** Whether Services may name `externalIPs`. */
  readonly externalIPs?: boolean;
  /** Folder of files that configure the API server; they are read at every start. */
  readonly apiConfig?: string;
  /** File with mirrors and credentials of registries (docs/guide/registries.md). */
  readonly registries?: string;
  readonly dataFolder: string;
  readonly runFolder: string;
  readonly context: string;
  /** The file our context was written to. */
  readonly kubeconfig?: string;
};
