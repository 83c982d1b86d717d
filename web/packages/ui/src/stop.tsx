// “Stop all robots” (web.md §5): one activation, never disabled, proof per robot from the robots.
import { api, ApiProblem, dataOf } from "@luna/api";
import { useQueryClient } from "@tanstack/react-query";
import { createContext, useCallback, useContext, useEffect, useMemo, useRef, useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Icon } from "./icons";
import { messageOf } from "./states";
import { isStanding, useRobots, useStopPoll, type Robot } from "./robots";

const ANSWER_TIMEOUT = 2000; // ms, then it is sent again
const PAUSE = 500; // ms after an attempt that failed at once
const MAX_ATTEMPTS = 15;
const PROOF_TIMEOUT = 2000;

interface Stop {
  stopAll: () => void;
  stopOne: (robotId: string) => void;
  sending: boolean;
  failure: string | null;
  pressedAt: number | null;
}
const Context = createContext<Stop | null>(null);

export function useStop(): Stop {
  const stop = useContext(Context);
  if (!stop) throw new Error("no StopProvider above");
  return stop;
}

export function StopProvider({ children }: { children: ReactNode }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const [pressedAt, setPressedAt] = useState<number | null>(null);
  const order = useCallback(
    async (robotId: string | null) => {
      setPressedAt(Date.now());
      setSending(true);
      setFailure(null);
      const failed = (error: unknown) => setFailure(error instanceof ApiProblem && error.status !== 0 ? messageOf(error) : t("state.unreachable"));
      try {
        await sendStop(robotId, t("stop.reason"), failed);
        setFailure(null);
      } catch (error) {
        failed(error);
      } finally {
        setSending(false);
        void client.invalidateQueries({ queryKey: ["robots"] });
      }
    },
    [client, t],
  );
  const stopAll = useCallback(() => void order(null), [order]);
  const stopOne = useCallback((robotId: string) => void order(robotId), [order]);
  useEffect(() => {
    const chord = (event: KeyboardEvent) => {
      if (!(event.ctrlKey && event.shiftKey && event.code === "Space")) return;
      event.preventDefault();
      event.stopPropagation();
      stopAll();
    };
    window.addEventListener("keydown", chord, { capture: true });
    return () => window.removeEventListener("keydown", chord, { capture: true });
  }, [stopAll]);
  const value = useMemo(() => ({ stopAll, stopOne, sending, failure, pressedAt }), [stopAll, stopOne, sending, failure, pressedAt]);
  return <Context value={value}>{children}</Context>;
}

/** Send the order until it is answered, and report each failure at once; an order that arrives twice changes nothing. */
async function sendStop(robotId: string | null, reason: string, failed: (error: unknown) => void): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const signal = AbortSignal.timeout(ANSWER_TIMEOUT);
    try {
      if (robotId === null) await dataOf(api.POST("/api/v1/robot/emergency-stop", { body: { reason }, signal }));
      else await dataOf(api.POST("/api/v1/robot/emergency-stop/{robot_id}", { params: { path: { robot_id: robotId } }, body: { reason }, signal }));
      return;
    } catch (error) {
      const refused = error instanceof ApiProblem && [403, 404, 422].includes(error.status);
      if (refused || attempt >= MAX_ATTEMPTS) throw error;
      failed(error);
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

export function StopButton() {
  const { t } = useTranslation();
  const { stopAll } = useStop();
  return (
    <button type="button" className="stop-button" onClick={stopAll} aria-keyshortcuts="Control+Shift+Space" title="Ctrl+Shift+Space">
      <Icon name="stop" size={22} />
      <span>{t("stop.all")}</span>
    </button>
  );
}

/** The button in the browser's top layer, above every dialog and overlay. */
export function TopStopButton() {
  const layer = useRef<HTMLDivElement>(null);
  useEffect(() => layer.current?.showPopover?.(), []);
  return (
    <div ref={layer} popover="manual" className="stop-layer">
      <StopButton />
    </div>
  );
}

const stoppedOnes = (robots: Robot[]) => robots.filter((robot) => robot.stopped);

/** What the last order and the robots say; nothing while no robot is stopped. */
export function StopPanel({ onResume }: { onResume: () => void }) {
  const { t } = useTranslation();
  const { sending, failure, pressedAt, stopAll } = useStop();
  const stopped = useRobots(stoppedOnes).data ?? [];
  const late = useLate(pressedAt, stopped);
  useStopPoll(stopped, pressedAt !== null);
  if (!sending && failure === null && !stopped.length) return null;
  const standing = stopped.filter(isStanding).length;
  return (
    <section className="stop-panel" aria-label={t("stop.panel")}>
      {failure !== null && (
        <div role="alert" className="stop-failure">
          <strong>{t("stop.failed")}</strong> {failure} {t("stop.useButton")}
          <button type="button" className="panel-button" onClick={stopAll}>{t("action.retry")}</button>
        </div>
      )}
      {late.length > 0 && (
        <p role="alert" className="stop-failure">
          {late.map((robot) => t("stop.notStanding", { name: robot.robot_name, place: robot.current_location ?? t("robot.noPlace") })).join(" ")} {t("stop.useButton")}
        </p>
      )}
      <div className="between wrap">
        <p role="status"><strong>{sending && !stopped.length ? t("stop.sending") : t("stop.count", { standing, total: stopped.length })}</strong></p>
        {stopped.length > 0 && <button type="button" className="panel-button" onClick={onResume}>{t("stop.resume")}</button>}
      </div>
      <ul className="plain proofs">
        {stopped.map((robot) => <Proof key={robot.id} robot={robot} />)}
      </ul>
    </section>
  );
}

const PROOFS = { REQUESTED: "clock", RECEIVED: "play", MOTION_STOPPED: "check", UNREACHABLE: "alert" } as const;

function Proof({ robot }: { robot: Robot }) {
  const { t } = useTranslation();
  const state = (robot.stop_state ?? "REQUESTED") as keyof typeof PROOFS;
  return (
    <li className={`proof ${state.toLowerCase()}`}>
      <Icon name={PROOFS[state]} size={16} /> {robot.robot_name}: {t(`stop.${state}`)}
      {robot.current_location && <span> · {robot.current_location}</span>}
    </li>
  );
}

/** Robots that have not proved to stand 2 s after the order. */
function useLate(pressedAt: number | null, stopped: Robot[]): Robot[] {
  const [due, setDue] = useState(false);
  useEffect(() => {
    setDue(false);
    const timer = setTimeout(() => setDue(true), PROOF_TIMEOUT);
    return () => clearTimeout(timer);
  }, [pressedAt]);
  return due ? stopped.filter((robot) => !isStanding(robot)) : [];
}
