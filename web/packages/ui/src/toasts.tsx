// Short messages after an action, read aloud politely; they never cover the only copy of an error.
import { createContext, useCallback, useContext, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Icon, type IconName } from "./icons";
import type { Tone } from "./status";

interface Toast { id: number; text: string; tone: Tone; icon: IconName }
type Show = (text: string, tone?: Tone) => void;

const DURATION = 6000; // ms
const ICONS: Record<Tone, IconName> = { wait: "clock", move: "robot", need: "alert", done: "check", fail: "alert" };
const Context = createContext<Show>(() => undefined);

export function useToast(): Show {
  return useContext(Context);
}

export function ToastProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const [toasts, setToasts] = useState<Toast[]>([]);
  const next = useRef(0);
  const remove = useCallback((id: number) => setToasts((present) => present.filter((each) => each.id !== id)), []);
  const show = useCallback<Show>(
    (text, tone = "done") => {
      const id = next.current++;
      setToasts((present) => [...present.slice(-2), { id, text, tone, icon: ICONS[tone] }]);
      setTimeout(() => remove(id), DURATION);
    },
    [remove],
  );
  const value = useMemo(() => show, [show]);
  return (
    <Context value={value}>
      {children}
      <div className="toasts" role="status" aria-live="polite">
        {toasts.map((toast) => (
          <div key={toast.id} className={`notice toast tone-${toast.tone}`}>
            <Icon name={toast.icon} />
            <span className="grow">{toast.text}</span>
            <button type="button" className="icon-button" aria-label={t("action.close")} onClick={() => remove(toast.id)}>
              <Icon name="cross" size={16} />
            </button>
          </div>
        ))}
      </div>
    </Context>
  );
}
