// A table of rows: sorted and searched within the page, both kept in the address.
import type { ComponentChildren } from "preact";
import { narrow, place } from "../route.ts";

export interface Column<R> {
  head: string;
  cell: (row: R) => ComponentChildren;
  /** What it is sorted by; a column without it is not. Unknown values come last. */
  by?: (row: R) => number | string | null | undefined;
  kind?: "number" | "wide";
}

interface Props<R> {
  name: string;
  rows: R[];
  id: (row: R) => string;
  columns: Column<R>[];
  empty: ComponentChildren;
  chosen?: string | undefined;
}

export function Table<R>({ name, rows, id, columns, empty, chosen }: Props<R>) {
  const sort = place.value.query.get(`sort-${name}`) ?? "";
  const isDown = sort.startsWith("-");
  const sorted = columns.find((column) => column.by && slug(column.head) === sort.replace(/^-/, ""));
  const shown = sorted?.by ? [...rows].sort(order(sorted.by, isDown)) : rows;
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={`${name} table`}>
      <table>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.head} class={column.kind} scope="col" aria-sort={column === sorted ? (isDown ? "descending" : "ascending") : undefined}>
                {column.by ? (
                  <button type="button" onClick={() => narrow({ [`sort-${name}`]: next(slug(column.head), sort) })}>
                    {column.head}
                    {column === sorted ? (isDown ? " ↓" : " ↑") : ""}
                  </button>
                ) : (
                  column.head
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={id(row)} class={chosen !== undefined && id(row) === chosen ? "chosen" : undefined}>
              {columns.map((column) => (
                <td key={column.head} class={column.kind}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function slug(head: string): string {
  return head.toLowerCase().replace(/[^a-z]+/g, "-");
}

function next(column: string, sort: string): string | undefined {
  if (sort === `-${column}`) return column;
  return sort === column ? undefined : `-${column}`;
}

function order<R>(by: (row: R) => number | string | null | undefined, isDown: boolean) {
  return (left: R, right: R) => {
    const [a, b] = [by(left), by(right)];
    if (a === null || a === undefined) return b === null || b === undefined ? 0 : 1;
    if (b === null || b === undefined) return -1;
    const first = a < b ? -1 : a > b ? 1 : 0;
    return isDown ? -first : first;
  };
}
