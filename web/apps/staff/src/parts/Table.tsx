import type { ReactNode } from "react";

interface Props { label: string; columns: string[]; children: ReactNode }

/** A table that scrolls sideways inside its frame, also by keyboard. */
export function Table({ label, columns, children }: Props) {
  return (
    <div className="table-scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <thead><tr>{columns.map((column) => <th key={column} scope="col">{column}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  );
}
