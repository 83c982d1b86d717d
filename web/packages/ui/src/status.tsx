// Status as icon and word: grey waits, blue moves, amber needs a person, green is done, red failed.
import { useTranslation } from "react-i18next";
import type { Schemas } from "@luna/api";
import { Icon, type IconName } from "./icons";

export type Tone = "wait" | "move" | "need" | "done" | "fail";

export function Pill({ tone, icon, children }: { tone: Tone; icon: IconName; children: string }) {
  return (
    <span className={`pill tone-${tone}`}>
      <Icon name={icon} size={14} />
      {children}
    </span>
  );
}

/** Why a delivery ended: a code of the server in words, what a person wrote as it is. */
export function useReason(): (reason: string) => string {
  const { t, i18n } = useTranslation();
  return (reason) => {
    const [, code = "", detail = ""] = /^([A-Z_]+)(?:: (.+))?$/s.exec(reason) ?? [];
    const key = `reason.${code}` as "reason.NO_SHOW";
    return i18n.exists(key) ? [t(key), detail].filter(Boolean).join(": ") : reason;
  };
}

type Key = Schemas["TaskStatus"] | Schemas["Stage"];
const TASK: Record<Key, [Tone, IconName]> = {
  PENDING: ["wait", "clock"],
  QUEUED: ["wait", "clock"],
  ASSIGNED: ["move", "robot"],
  IN_PROGRESS: ["move", "robot"],
  TO_SOURCE: ["move", "robot"],
  LOADING: ["need", "person"],
  TO_DESTINATION: ["move", "arrow"],
  HANDOVER: ["need", "person"],
  BRINGING_BACK: ["move", "return"],
  COMPLETED: ["done", "check"],
  FAILED: ["fail", "alert"],
  CANCELLED: ["wait", "cross"],
};

/** The stage where there is one, else the status. */
export function stepOf(task: { status: Schemas["TaskStatus"]; stage: Schemas["Stage"] | null }): Key {
  const moving = task.status === "IN_PROGRESS" || task.status === "ASSIGNED";
  return moving && task.stage ? task.stage : task.status;
}

export function TaskPill({ task }: { task: { status: Schemas["TaskStatus"]; stage: Schemas["Stage"] | null } }) {
  const { t } = useTranslation();
  const step = stepOf(task);
  const [tone, icon] = TASK[step];
  return <Pill tone={tone} icon={icon}>{t(`task.${step}`)}</Pill>;
}

const BOOK: Record<Schemas["BookStatus"], [Tone, IconName]> = {
  AVAILABLE: ["done", "check"],
  RESERVED: ["wait", "clock"],
  CHECKED_OUT: ["wait", "person"],
  UNAVAILABLE: ["wait", "cross"],
};

export function BookPill({ status }: { status: Schemas["BookStatus"] }) {
  const { t } = useTranslation();
  const [tone, icon] = BOOK[status];
  return <Pill tone={tone} icon={icon}>{t(`book.${status}`)}</Pill>;
}
