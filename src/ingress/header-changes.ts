/** Gateway API's header modifiers: set replaces, add appends, remove takes away; names without regard to case. */
import type { HeaderChange } from "./table.ts";

type Pair = readonly [name: string, value: string];

export function changed(pairs: readonly Pair[], changes: readonly HeaderChange[]): readonly Pair[] {
  let result = [...pairs];
  const is = (name: string) => ([other]: Pair): boolean => other.toLowerCase() === name.toLowerCase();
  for (const { set, add, remove } of changes) {
    for (const name of remove) result = result.filter(pair => !is(name)(pair));
    for (const pair of set) result = [...result.filter(other => !is(pair[0])(other)), pair];
    for (const [name, value] of add) {
      const at = result.findIndex(is(name));
      // One field with a list, as upstream's implementations do: values that were there come first.
      if (at < 0) result.push([name, value]);
      else result[at] = [result[at]![0], `${result[at]![1]},${value}`];
    }
  }
  return result;
}
