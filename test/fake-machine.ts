import type { Machine, RunResult } from "../src/cli/machine.ts";

/** A machine made of maps: what is on PATH, which ports are taken, what a program answers. Everything it is asked to do is in `did`. */
export function fakeMachine(given: Partial<Machine> & { readonly programs?: readonly string[]; readonly taken?: readonly number[]; readonly answers?: { readonly [command: string]: Partial<RunResult> }; readonly files?: { [path: string]: string } } = {}) {
  const did: string[] = [];
  const said: string[] = [];
  const files = given.files ?? {};
  const programs = new Set(given.programs ?? []);
  const machine: Machine = {
    platform: "linux", uid: 0, hostname: "Host.example", env: {}, home: "/home/u", terminal: false,
    out: text => void said.push(text), err: text => void said.push(text),
    now: () => 0, sleep: async () => undefined,
    read: async path => files[path], write: async (path, text) => { files[path] = text; },
    exists: async path => path in files || programs.has(path),
    list: async () => [], remove: async path => { did.push(`remove ${path}`); for (const name of Object.keys(files)) if (name.startsWith(path)) delete files[name]; },
    removeEmpty: async () => undefined, resolve: path => path, digest: text => [...text].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) >>> 0, 7).toString(16).padStart(8, "0"),
    which: async program => (programs.has(program) ? `/usr/bin/${program}` : undefined),
    run: async (program, args) => {
      const command = [program, ...args].join(" ");
      did.push(command);
      const key = Object.keys(given.answers ?? {}).find(start => command.startsWith(start));
      return { code: 0, stdout: "", stderr: "", ...(key === undefined ? {} : given.answers![key]) };
    },
    startDaemon: async ({ name }) => { did.push(`start ${name}`); }, daemon: async () => undefined, stopDaemon: async name => { did.push(`stop ${name}`); },
    portFree: async (_address, port) => !(given.taken ?? []).includes(port),
    primaryAddress: () => "192.0.2.7", assignedAddresses: () => ["127.0.0.1", "192.0.2.7"], networks: async () => [],
    download: async url => { throw new Error(`no network for ${url}`); }, sha256: () => "", writeProgram: async () => undefined,
    lock: async () => ({ ok: true, release: async () => undefined }), onInterrupt: () => () => undefined,
    ...given,
  };
  return { machine, did, said, files };
}
