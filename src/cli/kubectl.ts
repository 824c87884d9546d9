/** Runs kubectl against this cluster: the one on PATH, else the distribution's, else upstream's release after checking its checksum. */
import { messageOf } from "../base/log.ts";
import { UsageError } from "./args.ts";
import { clusterFlags, existingCluster } from "./cluster.ts";
import type { Command } from "./command.ts";
import type { Machine } from "./machine.ts";

const release = "v1.36.0";
const kubectlBytesMax = 150_000_000;

export const kubectl: Command = {
  name: "kubectl",
  doc: "run kubectl against the cluster: timonier kubectl get pods",
  flags: clusterFlags,
  passThrough: true,
  async run(args, machine) {
    const cluster = await existingCluster(machine, args);
    const program = await findKubectl(machine, cluster.dataFolder);
    const named = args.rest.some(word => /^--(context|kubeconfig|server)(=|$)/.test(word));
    const env = cluster.kubeconfig === undefined || machine.env["KUBECONFIG"] !== undefined ? {} : { KUBECONFIG: cluster.kubeconfig };
    const result = await machine.run(program, [...(named ? [] : [`--context=${cluster.context}`]), ...args.rest], { inherit: true, env });
    return result.code;
  },
};

async function findKubectl(machine: Machine, dataFolder: string): Promise<string> {
  const fetched = `${dataFolder}/bin/kubectl`;
  const present = (await machine.which("kubectl")) ?? ((await machine.exists(fetched)) ? fetched : undefined);
  if (present) return present;
  const reasons = [];
  if (machine.uid === 0 && (await machine.which("apt-get"))) {
    machine.err("kubectl is not on PATH: installing the distribution's (package kubernetes-client)\n");
    const result = await machine.run("apt-get", ["install", "-y", "--no-install-recommends", "kubernetes-client"], { env: { DEBIAN_FRONTEND: "noninteractive" }, timeoutMs: 300_000 });
    const installed = await machine.which("kubectl");
    if (installed) return installed;
    reasons.push(`the distribution has none (${result.stderr.trim().split("\n").at(-1) ?? `exit code ${result.code}`})`);
  }
  try {
    return await fetchRelease(machine, fetched);
  } catch (error) {
    reasons.push(`upstream's release could not be fetched (${messageOf(error)})`);
  }
  throw new UsageError(`there is no kubectl on PATH and none can be had: ${reasons.join("; ")}. Put a kubectl on PATH, then run this again`);
}

async function fetchRelease(machine: Machine, path: string): Promise<string> {
  const architecture = machine.env["TIMONIER_ARCH"] ?? "amd64";
  const url = `https://dl.k8s.io/release/${release}/bin/linux/${architecture}/kubectl`;
  machine.err(`Fetching kubectl ${release} from ${url}\n`);
  const wanted = new TextDecoder().decode(await machine.download(`${url}.sha256`, 1000)).trim();
  const bytes = await machine.download(url, kubectlBytesMax);
  const sum = machine.sha256(bytes);
  if (sum !== wanted) throw new Error(`its SHA-256 is ${sum}, but ${wanted} was published`);
  await machine.writeProgram(path, bytes);
  return path;
}
