// Lists that are made anew, of which what did not change stays what it was, so that nobody draws it again.

/** Keeps a list: what `isSame` as the one of its id before is that one, and the whole list is, where all of it is. */
export function keeper<T extends { id: string }>(
  isSame: (one: T, other: T) => boolean,
): (items: readonly T[]) => T[] {
  let kept: T[] = [];
  return (items) => {
    const known = new Map(kept.map((item) => [item.id, item]));
    const next = items.map((item) => {
      const before = known.get(item.id);
      return before && isSame(before, item) ? before : item;
    });
    const isAll = next.length === kept.length && next.every((item, at) => item === kept[at]);
    if (!isAll) kept = next;
    return kept;
  };
}
