/** From `argv` to a command; composes what the commands need. The heavy parts load only when a command asks for them. */
import { parseArguments, UsageError } from "../cli/args.ts";
import type { Command } from "../cli/command.ts";
import { commands } from "../cli/index.ts";
import type { Parts } from "../cli/machine.ts";
import { messageOf } from "../base/log.ts";
import { realMachine } from "../host/machine.ts";
import { version } from "./version.ts";

const parts: Parts = {
  mergeKubeconfig: async cluster => (await import("./kubeconfig.ts")).mergeKubeconfig(cluster),
  removeKubeconfig: async cluster => (await import("./kubeconfig.ts")).removeKubeconfig(cluster),
  stopWorkloads: async (cluster, say) => (await import("./workloads.ts")).stopWorkloads(cluster, say),
  removeWorkloads: async (cluster, say) => (await import("./workloads.ts")).removeWorkloads(cluster, say),
  registriesProblem: async file => (await import("../host/registry-hosts.ts")).registriesIn(file).then(() => undefined, messageOf),
  probe: async cluster => (await import("./probe.ts")).probe(cluster),
  whyNot: async (cluster, question) => (await import("./why-not.ts")).whyNot(cluster, question),
  foreground: async (cluster, onReady) => (await import("./server.ts")).runServer(cluster.dataFolder, { onReady, foreground: true }),
  serve: async dataFolder => (await import("./server.ts")).runServer(dataFolder, {}),
  runAgent: async (dataFolder, node) => {
    // One after the other: pods ask for names while the rest is loaded.
    const names = await (await import("./names.ts")).beginNames(dataFolder, node);
    return (await import("./agent.ts")).runAgent(dataFolder, node, names);
  },
  runBox: async (dataFolder, node) => (await import("./box.ts")).runBox(dataFolder, node),
  endPods: async (dataFolder, node) => (await import("./workloads.ts")).endPodsHere(dataFolder, node),
  layNodeNetwork: async cluster => (await import("./box.ts")).layNodeNetwork(cluster),
  stopMember: async (cluster, member) => (await import("./workloads.ts")).stopMember(cluster, member),
  removeMember: async (cluster, member) => (await import("./members.ts")).removeMember(cluster, member),
  runIngress: async dataFolder => (await import("./ingress.ts")).runIngress(dataFolder),
};

/** The exit code. Every failure is one line on stderr that says what to do. */
export async function main(argv: readonly string[]): Promise<number> {
  const machine = realMachine();
  const [name, ...given] = argv;
  if (name === undefined || name === "help" || name === "--help" || name === "-h") {
    machine.out(help());
    return 0;
  }
  if (name === "version" || name === "--version") {
    machine.out(`timonier ${version.timonier} (Kubernetes ${version.kubernetes})\n`);
    return 0;
  }
  try {
    const command = commands.find(candidate => candidate.name === name);
    if (!command) throw new UsageError(`there is no command "${name}": expected one of ${commands.filter(({ hidden }) => !hidden).map(candidate => candidate.name).join(", ")}, version, help`);
    if (!command.passThrough && given.some(word => word === "--help" || word === "-h")) {
      machine.out(helpOf(command));
      return 0;
    }
    return await command.run(command.passThrough ? passThrough(command, given, machine.env) : parseArguments(command.flags, given, machine.env), machine, parts);
  } catch (error) {
    machine.err(`timonier: ${messageOf(error)}\n`);
    if (!(error instanceof UsageError) && machine.env["TIMONIER_DEBUG"]) machine.err(`${(error as Error).stack ?? ""}\n`);
    return 1;
  }
}

/** Our own flags may stand before the other program's words; from its first word on everything is its. */
function passThrough(command: Command, given: readonly string[], env: { readonly [name: string]: string | undefined }): ReturnType<typeof parseArguments> {
  let own = 0;
  while (own < given.length && command.flags.some(flag => given[own] === `--${flag.name}` || given[own]!.startsWith(`--${flag.name}=`))) own += given[own]!.includes("=") ? 1 : 2;
  return { ...parseArguments(command.flags, given.slice(0, own), env), rest: given.slice(own) };
}

function help(): string {
  const rows = [...commands.filter(({ hidden }) => !hidden).map(({ name, doc }) => [name, doc] as const), ["version", "say which version this is"], ["help", "this text"]] as const;
  return `timonier: Kubernetes ${version.kubernetes}, started by one command.\n\nUsage: timonier COMMAND [flags]\n\n${rows.map(([name, doc]) => `  ${name.padEnd(10)} ${doc}\n`).join("")}\n"timonier COMMAND --help" lists the flags of a command. --name NAME keeps several clusters side by side.\n`;
}

function helpOf(command: Command): string {
  return `timonier ${command.name}: ${command.doc}.\n${command.usage === undefined ? "" : `\nUsage: timonier ${command.name} ${command.usage}\n`}\n${command.flags.map(flag => `  --${flag.name.padEnd(16)} ${flag.doc}${flag.default === undefined ? "" : ` (default ${flag.default})`}${flag.env ? ` [${flag.env}]` : ""}\n`).join("")}`;
}
