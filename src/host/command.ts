/** Runs a program to its end. Arguments are a list, never a shell's line. */
import { execFile } from "node:child_process";
import { accessSync, constants } from "node:fs";

/** More than any program of ours prints. */
const outputBytesMax = 8 << 20;

export type Finished = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** Resolves whatever the exit code is; rejects when the program cannot be started or takes longer than `timeoutMs`. */
export function command(program: string, args: readonly string[], options: { readonly timeoutMs?: number; readonly input?: string } = {}): Promise<Finished> {
  const timeoutMs = options.timeoutMs ?? 30_000;
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: timeoutMs, killSignal: "SIGKILL", maxBuffer: outputBytesMax, encoding: "utf8" }, (error, stdout, stderr) => {
      if (!error) resolve({ code: 0, stdout, stderr });
      else if (typeof error.code === "number" && !error.killed) resolve({ code: error.code, stdout, stderr });
      else if (error.killed) reject(new Error(`${program} took longer than ${timeoutMs} ms`));
      else reject(new Error(`${program} could not be run`, { cause: error }));
    });
    if (options.input === undefined) child.stdin?.end();
    else {
      // The program may end without reading: its exit code says why.
      child.stdin?.on("error", () => undefined);
      child.stdin?.end(options.input);
    }
  });
}

/** As `command`, but a non-zero exit code is an error that quotes what the program said. */
export async function mustCommand(program: string, args: readonly string[], options: { readonly timeoutMs?: number; readonly input?: string } = {}): Promise<string> {
  const { code, stdout, stderr } = await command(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} ended with code ${code}: ${(stderr || stdout).trim()}`);
  return stdout;
}

const folders = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/** Where a program lies: on PATH or in the usual folders, which a service's PATH often lacks. */
export function findProgram(name: string, path: string): string | undefined {
  return [...path.split(":"), ...folders].filter(folder => folder.startsWith("/")).map(folder => `${folder}/${name}`).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false; // not there, or not for us: the same to the caller
  }
}
