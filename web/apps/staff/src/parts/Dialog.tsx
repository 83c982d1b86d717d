// Every dialog of the dashboard: the stop is inside it too, where Tab reaches it.
import { lazy, Suspense, useEffect, useState, type ReactNode } from "react";

export interface DialogProps { opened: boolean; onClose: () => void; title: string; size?: string; children: ReactNode }

const load = () => import("./DialogModal");
const DialogModal = lazy(load);
const LOAD_AFTER = 2000; // ms: no page needs it to show, and it is there when the connection is not

/** A dialog whose code is loaded once the page is shown. */
export function Dialog(props: DialogProps) {
  const [needed, setNeeded] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => void load().catch(() => undefined), LOAD_AFTER);
    return () => clearTimeout(timer);
  }, []);
  if (props.opened && !needed) setNeeded(true);
  if (!needed) return null;
  return <Suspense fallback={null}><DialogModal {...props} /></Suspense>;
}
