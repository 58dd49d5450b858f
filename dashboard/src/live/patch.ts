// Applies what has changed to what is known. What did not change stays the same object, so its rows are not drawn again.
// The other half is src/http/live/patch.rs.

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export type Change =
  | { set: string[]; value: Json }
  | { gone: string[] }
  /** A list of rows known by a field: their new order, and those that are new or different. */
  | { rows: string[]; by: string; order: string[]; changed: Record<string, Json> };

export function patched(value: Json, changes: Change[]): Json {
  return changes.reduce(apply, value);
}

function apply(value: Json, change: Change): Json {
  if ("set" in change) return at(value, change.set, () => change.value);
  if ("gone" in change) return at(value, change.gone, () => undefined);
  return at(value, change.rows, (old) => rows(old, change));
}

function rows(old: Json | undefined, change: { by: string; order: string[]; changed: Record<string, Json> }): Json {
  const known = new Map<string, Json>();
  for (const row of Array.isArray(old) ? old : []) {
    if (row !== null && typeof row === "object" && !Array.isArray(row)) known.set(String(row[change.by]), row);
  }
  return change.order.map((key) => {
    const row = change.changed[key] ?? known.get(key);
    if (row === undefined) throw new Error(`a row ${key} was never told`);
    return row;
  });
}

function at(value: Json | undefined, path: string[], make: (old: Json | undefined) => Json | undefined): Json {
  const [name, ...rest] = path;
  if (name === undefined) return make(value) ?? null;
  if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error(`nothing is at ${name}`);
  const changed = { ...value };
  if (rest.length > 0) {
    changed[name] = at(value[name], rest, make);
    return changed;
  }
  const made = make(value[name]);
  if (made === undefined) delete changed[name];
  else changed[name] = made;
  return changed;
}
