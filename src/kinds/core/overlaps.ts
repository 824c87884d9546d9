/** Files that would lie in or over each other. */

/** Whether an earlier path is the same, a folder of it, or inside it. Paths have no slash at their end; an empty one is nowhere. Takes as long as sorting them. */
export function meetEarlier(paths: readonly string[]): readonly boolean[] {
  // With a slash at its end, a folder begins whatever is inside it, and all that is stands together after it.
  const names = paths.map(path => `${path}/`);
  const sorted = names.map((_, i) => i).filter(i => paths[i] !== "").sort((a, b) => (names[a]! < names[b]! ? -1 : names[a]! > names[b]! ? 1 : a - b));
  /** The earliest path that is the same, a folder or inside. */
  const earliest: number[] = [];
  /** Folders of the next path, outermost first: the earliest of each with its own folders, and of what is inside. */
  const folders: { readonly i: number; readonly above: number; below: number }[] = [];
  const leave = (): void => {
    const { i, above, below } = folders.pop()!;
    earliest[i] = Math.min(above, below);
    const outer = folders.at(-1);
    if (outer !== undefined) outer.below = Math.min(outer.below, below);
  };
  for (const i of sorted) {
    while (folders.length > 0 && !names[i]!.startsWith(names[folders.at(-1)!.i]!)) leave();
    folders.push({ i, above: Math.min(i, folders.at(-1)?.above ?? i), below: i });
  }
  while (folders.length > 0) leave();
  return paths.map((path, i) => path !== "" && earliest[i]! < i);
}

/** `path` is `folder` or inside it. */
export const isWithin = (path: string, folder: string): boolean => path.startsWith(folder) && (path.length === folder.length || path[folder.length] === "/");
