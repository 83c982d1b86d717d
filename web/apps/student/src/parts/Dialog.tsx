import { lazy, Suspense, useState, type ReactNode } from "react";

export interface DialogProps { opened: boolean; onClose: () => void; title: string; children: ReactNode }

const DialogModal = lazy(() => import("./DialogModal"));

/** A dialog whose code is loaded when it is opened first: no page needs it to show. */
export function Dialog(props: DialogProps) {
  const [needed, setNeeded] = useState(false);
  if (props.opened && !needed) setNeeded(true);
  if (!needed) return null;
  return <Suspense fallback={null}><DialogModal {...props} /></Suspense>;
}
