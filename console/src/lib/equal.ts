// Whether two objects have the same fields.

export function isShallowEqual(one: object, other: object): boolean {
  const [ones, others] = [new Map(Object.entries(one)), new Map(Object.entries(other))];
  if (ones.size !== others.size) return false;
  for (const [key, value] of ones) if (!others.has(key) || !Object.is(others.get(key), value)) return false;
  return true;
}
