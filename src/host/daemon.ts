/**
 * Long-running processes of ours that outlive the command that started them. A small `sh` restarts one that dies on its
 * own account, later each time; a process is known by pid and start time, so that a reused pid is never taken for it.
 */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Machine } from "../cli/machine.ts";
import { restingFlags } from "./settle.ts";

/** The kernel needs a moment to take a killed process apart. */
const killedMs = 5_000;
/** A daemon told to stop that still runs after this many seconds is killed; longer than any component takes that stops as it should. */
const stopSecondsMax = 15;

// $1 pid file, the rest the command. Exit codes 0 and 78 (`doNotRestart`) end the keeper too.
// A process that was killed (137: the OOM killer, somebody's kill -9) is not to blame: it starts again at once, or after a second if it has hardly lived for the fourth time in a row.
// One that ended by itself waits 0, 1, 3, then 5 s, until it has lived ten seconds. Time is the uptime: nobody sets it.
// One that does not end when told to is killed: what was acknowledged is on disk. Who would kill it is a group of its own, so that it goes as a whole:
// a shell that was forked a moment ago loses a signal. That is why a child that is still a shell is not told yet, either.
// When memory runs out pods go first, as with kubelet (-999, oom.KubeletOOMScoreAdj); only root may ask for that.
const keeper = `
file=$1; shift; wait_s=0; short=0
{ echo -999 > /proc/self/oom_score_adj; } 2>/dev/null
ticks() { read line < /proc/$1/stat && set -- \${line##*) } && shift 19 && echo $1; }
seconds() { read now rest < /proc/uptime; now=\${now%%.*}; }
stop() {
  trap '' TERM INT
  setsid /bin/sh -c 'sleep ${stopSecondsMax}; kill -0 $0 && kill -9 $1' $$ "$child" >/dev/null 2>&1 & killer=$!
  for try in 1 2 3 4 5 6 7 8 9; do read name < /proc/$child/comm && [ "$name" = sh ] || break; sleep 0.01; done 2>/dev/null
  kill "$child" 2>/dev/null
  wait "$child"
  kill -s KILL -- -$killer 2>/dev/null || kill -s KILL $killer 2>/dev/null
  rm -f "$file" "$file.started" "$file.keeper"; exit 0
}
trap stop TERM INT
while :; do
  "$@" & child=$!
  echo "$child $(ticks $child)" > "$file.started"
  echo $child > "$file.tmp" && mv "$file.tmp" "$file"
  seconds; began=$now
  wait "$child"; code=$?
  [ $code -eq 0 ] || [ $code -eq 78 ] && break
  seconds; lived=$((now - began))
  [ $lived -ge 10 ] && wait_s=0
  pause=$wait_s
  [ $lived -lt 1 ] && short=$((short + 1)) || short=0
  if [ $code -eq 137 ]; then pause=0; [ $short -gt 3 ] && pause=1
  else wait_s=$((wait_s * 2 + 1)); [ $wait_s -gt 5 ] && wait_s=5; fi
  echo "timonier: ended with code $code, starting again in $pause s" >&2
  [ $pause -eq 0 ] || { sleep $pause & child=$!; wait "$child"; }
done
rm -f "$file" "$file.started" "$file.keeper"
`;

/** Exit code of a daemon that must not be started again: its configuration is wrong, its files are damaged. */
export const doNotRestart = 78;

/** Exit code of a daemon that is well but must begin anew; any other than 0 and 78 would do. */
export const startAgain = 75;

export async function startDaemon({ name, args, runFolder, logFile }: Parameters<Machine["startDaemon"]>[0]): Promise<void> {
  // A keeper that is just waiting to try again would make a second one of everything; a process whose keeper was killed would not be started again.
  if ((await livingKeeper(name, runFolder)) !== undefined || (await orphan(name, runFolder)) !== undefined) await stopDaemon(name, runFolder, 5_000);
  await mkdir(runFolder, { recursive: true, mode: 0o700 });
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = await open(logFile, "a", 0o600);
  try {
    const file = pidFile(name, runFolder);
    const command = [process.execPath, ...process.execArgv, ...restingFlags, process.argv[1]!, ...args];
    const child = spawn("/bin/sh", ["-c", keeper, `timonier-${name}`, file, ...command], { detached: true, stdio: ["ignore", log.fd, log.fd], cwd: "/" });
    await new Promise<void>((done, fail) => { child.once("spawn", done); child.once("error", fail); });
    const keeperFile = await open(`${file}.keeper`, "w", 0o600);
    await keeperFile.writeFile(`${child.pid} ${startTimeOf(child.pid!) ?? 0}\n`);
    await keeperFile.close();
    child.unref();
  } finally {
    await log.close();
  }
}

export async function daemonOf(name: string, runFolder: string): Promise<Awaited<ReturnType<Machine["daemon"]>>> {
  const keeperPid = await livingKeeper(name, runFolder);
  const child = keeperPid === undefined ? await orphan(name, runFolder) : Number(await text(pidFile(name, runFolder)));
  if (child === undefined || !(child > 0) || (keeperPid !== undefined && statOf(child)?.parent !== keeperPid)) return undefined;
  const pid = entered(child);
  const stat = statOf(pid);
  if (!stat) return undefined;
  const uptime = Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]);
  return { pid, kept: keeperPid !== undefined, residentBytes: stat.residentPages * 4096, ageSeconds: Math.max(0, uptime - stat.startTicks / 100) };
}

export async function stopDaemon(name: string, runFolder: string, graceMs: number): Promise<void> {
  const keeperPid = await livingKeeper(name, runFolder);
  const alone = keeperPid === undefined ? await orphan(name, runFolder) : undefined;
  const pid = alone ?? Number(await text(pidFile(name, runFolder)));
  const ours = alone !== undefined || (keeperPid !== undefined && pid > 0 && statOf(pid)?.parent === keeperPid);
  // The process itself, where it has entered other namespaces: it ends after the one that went there with it.
  const child = ours ? known(entered(pid)) : undefined;
  // Without any grace it is not asked first: what it holds together ends by itself, and is reaped by whom it belongs to.
  if (graceMs > 0) for (const told of [keeperPid, alone === undefined ? undefined : child?.pid]) if (told !== undefined) signal(told, "SIGTERM");
  const began = performance.now();
  const alive = (): boolean => (keeperPid !== undefined && isAlive(keeperPid)) || (child !== undefined && startTimeOf(child.pid) === child.startTicks && isAlive(child.pid));
  const ended = async (untilMs: number): Promise<void> => {
    while (alive() && performance.now() - began < untilMs) await new Promise(done => setTimeout(done, 10));
  };
  await ended(graceMs);
  if (keeperPid !== undefined && isAlive(keeperPid)) signal(keeperPid, "SIGKILL");
  if (child && startTimeOf(child.pid) === child.startTicks) signal(child.pid, "SIGKILL");
  // Until it is gone it holds its ports and its lock on the store.
  await ended(graceMs + killedMs);
  await rm(pidFile(name, runFolder), { force: true });
  for (const kind of ["keeper", "started"]) await rm(`${pidFile(name, runFolder)}.${kind}`, { force: true });
}

/** A daemon that lives in other namespaces is the child of the program that has put it there. */
function entered(pid: number): number {
  if (statOf(pid)?.name !== "nsenter") return pid;
  // Beside what it was started with before it became nsenter, which may still be a zombie.
  return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ").filter(Boolean).map(Number).findLast(child => statOf(child)?.state !== "Z") ?? pid;
}
function known(pid: number): { readonly pid: number; readonly startTicks: number } | undefined {
  const stat = statOf(pid);
  return stat && { pid, startTicks: stat.startTicks };
}

/** When a process started, in clock ticks since boot; undefined when there is none (a zombie counts as none). */
export function startTimeOf(pid: number): number | undefined {
  const stat = statOf(pid);
  return stat?.state === "Z" ? undefined : stat?.startTicks;
}

const pidFile = (name: string, runFolder: string): string => `${runFolder}/${name}.pid`;
const isAlive = (pid: number): boolean => startTimeOf(pid) !== undefined;

/** The process that a keeper started which was killed since: nobody would start it again. */
async function orphan(name: string, runFolder: string): Promise<number | undefined> {
  const [pid = 0, started = 0] = (await text(`${pidFile(name, runFolder)}.started`)).split(" ").map(Number);
  return pid > 0 && started > 0 && startTimeOf(pid) === started ? pid : undefined;
}
async function livingKeeper(name: string, runFolder: string): Promise<number | undefined> {
  const [pid = 0, started = 0] = (await text(`${pidFile(name, runFolder)}.keeper`)).split(" ").map(Number);
  return pid > 0 && startTimeOf(pid) === started ? pid : undefined;
}

async function text(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}

function statOf(pid: number): { readonly name: string; readonly state: string; readonly parent: number; readonly startTicks: number; readonly residentPages: number } | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The program's name may hold spaces and parentheses: count from the last one.
    const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
    return { name: line.slice(line.indexOf("(") + 1, line.lastIndexOf(")")), state: fields[0]!, parent: Number(fields[1]), startTicks: Number(fields[19]), residentPages: Number(fields[21]) };
  } catch (error) {
    if (["ENOENT", "ESRCH"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw error;
  }
}

function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}
