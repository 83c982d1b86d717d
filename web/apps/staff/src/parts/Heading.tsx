import { useTitle } from "@luna/ui";
import type { ReactNode } from "react";

/** The page's heading with its actions, and the title of the document. */
export function Heading({ title, children }: { title: string; children?: ReactNode }) {
  useTitle(title);
  return (
    <div className="heading">
      <h1>{title}</h1>
      {children && <div className="row">{children}</div>}
    </div>
  );
}
