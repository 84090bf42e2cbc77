const REFUSED = Object.fromEntries(
  ['add', 'delete', 'clear'].map((name) => [
    name,
    {
      value: () => {
        throw new TypeError(`A principal cannot be changed: copy the set before you call ${name}().`);
      },
    },
  ]),
);

/** A set that many requests may share: what would change it throws. */
export function readOnlySet<T>(values: Iterable<T>): ReadonlySet<T> {
  return Object.freeze(Object.defineProperties(new Set(values), REFUSED));
}
