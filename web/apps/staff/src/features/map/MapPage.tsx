import type { LiveMessage, Schemas } from "@luna/api";
import { formatAge, formatPercent } from "@luna/i18n";
import { EmptyState, FloorMap, Icon, Loaded, Pill, useRobots, type MapHandle, type MapPose, type MapRobot, type Robot, type Tone, type IconName } from "@luna/ui";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { memo, useCallback, useEffect, useMemo, useRef, useState, type RefObject } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { Edges, useEdges } from "./Edges";
import { RobotDetail } from "./RobotDetail";
import { useMap } from "./queries";

type Pose = Schemas["Pose"];

export function MapPage() {
  const { t } = useTranslation();
  const drawn = useRef<MapHandle>(null);
  const map = useMap(({ event, data }: LiveMessage) => {
    if (event === "robot.position" && data?.pose) drawn.current?.move(String(data.id), inMetres(data.pose as unknown as Pose, data.last_heartbeat));
  });
  const robots = useRobots();
  return (
    <>
      <Heading title={t("staff.map")} />
      <Loaded query={robots}>
        {(found) => <Loaded query={map}>{(plan) => <Fleet robots={found} map={plan} drawn={drawn} />}</Loaded>}
      </Loaded>
    </>
  );
}

function Fleet({ robots, map, drawn }: { robots: Robot[]; map: Schemas["MapRead"]; drawn: RefObject<MapHandle | null> }) {
  const { t } = useTranslation();
  const { robot: selected, floor: chosen } = useSearch({ from: "/app/map" });
  const navigate = useNavigate({ from: "/map" });
  const now = useNow();
  const edges = useEdges(map, now);
  const [choosing, setChoosing] = useState(false); // a way to close
  const [edge, setEdge] = useState<string | null>(null);
  const current = robots.find((robot) => robot.id === selected);
  const floor = chosen ?? poseOf(current)?.floor ?? map.floors[0]?.floor ?? 1;
  const places = useMemo(
    () => map.waypoints.filter((place) => (place.floor ?? 1) === floor && place.kind !== "JUNCTION")
      .map((place) => ({ code: place.location_code, name: place.name, x: place.x_coordinate, y: place.y_coordinate, floor })),
    [map, floor],
  );
  const shown = useMemo(() => edges.filter((each) => each.floors.every((end) => end === floor) && (each.closed || choosing)), [edges, floor, choosing]);
  const words = useWords();
  const marks = robots.flatMap((robot) => markOf(robot, floor, robot.connectivity === "STALE" ? stateLabel(robot, now, words) : undefined));
  const select = useCallback((id: string) => void navigate({ search: ({ robot }) => ({ robot: id === robot ? undefined : id }) }), [navigate]);
  if (!robots.length) return <EmptyState icon="robot" title={t("map.noRobots")} text={t("map.noRobotsText")} />;
  return (
    <div className="columns map-columns">
      <div className="stack">
        <div className="row" role="group" aria-label={t("map.floors")}>
          {map.floors.map((each) => (
            <button key={each.floor} type="button" className="tab-button" aria-pressed={each.floor === floor} onClick={() => void navigate({ search: { robot: selected, floor: each.floor } })}>
              {each.name} <span className="figures">{robots.filter((robot) => poseOf(robot)?.floor === each.floor).length}</span>
            </button>
          ))}
        </div>
        <FloorMap ref={drawn} label={t("map.label")} floor={map.floors.find((each) => each.floor === floor) ?? null} places={places} robots={marks} selected={selected} onSelect={select} edges={shown} chosenEdge={edge} onChooseEdge={choosing ? setEdge : undefined} />
        <Edges edges={edges} floor={floor} chosen={edge} onChoose={setEdge} choosing={choosing} onChoosing={setChoosing} />
      </div>
      <div className="stack">
        <RobotList robots={robots} selected={selected} now={now} onSelect={select} />
        {current && <RobotDetail robot={current} />}
      </div>
    </div>
  );
}

function RobotList({ robots, selected, now, onSelect }: { robots: Robot[]; selected?: string; now: number; onSelect: (id: string) => void }) {
  const { t } = useTranslation();
  const words = useWords();
  return (
    <ul className="plain rows" aria-label={t("map.list")}>
      {robots.map((robot) => (
        <RobotRow
          key={robot.id} id={robot.id} name={robot.robot_name} selected={robot.id === selected} onSelect={onSelect} status={robot.status} stopped={robot.stopped}
          connectivity={robot.connectivity} battery={robot.battery_level} label={stateLabel(robot, now, words)}
          place={robot.current_location ?? (poseOf(robot) ? words.onTheWay : words.noPosition)}
        />
      ))}
    </ul>
  );
}

interface RowProps extends PillProps { id: string; name: string; place: string; label: string; battery: number | null; selected: boolean; onSelect: (id: string) => void }

const RobotRow = memo(function RobotRow({ id, name, place, label, battery, selected, onSelect, ...state }: RowProps) {
  const { t } = useTranslation();
  return (
    <li className="robot-item">
      <button type="button" className="robot-row" aria-pressed={selected} onClick={() => onSelect(id)}>
        <Icon name="robot" />
        <span className="grow">
          <strong>{name}</strong>
          <span className="small dim block">{place} · {label}</span>
        </span>
        <RobotPill {...state} />
        <span className="figures small">{battery === null ? t("robot.noBattery") : formatPercent(battery)}</span>
      </button>
    </li>
  );
});

const STATES: Record<Schemas["RobotStatus"], [Tone, IconName]> = {
  IDLE: ["wait", "clock"], BUSY: ["move", "robot"], NAVIGATING: ["move", "arrow"], ERROR: ["fail", "alert"], MAINTENANCE: ["wait", "edit"],
};

type PillProps = Pick<Robot, "status" | "stopped" | "connectivity">;

function RobotPill({ status, stopped, connectivity }: PillProps) {
  const { t } = useTranslation();
  if (stopped) return <Pill tone="fail" icon="stop">{t("robot.stopped")}</Pill>;
  if (connectivity === "OFFLINE" || connectivity === "NEVER_SEEN") return <Pill tone="fail" icon="offline">{t(`robot.${connectivity}`)}</Pill>;
  const [tone, icon] = STATES[status];
  return <Pill tone={tone} icon={icon}>{t(`robot.${status}`)}</Pill>;
}

function poseOf(robot: Robot | undefined): Pose | null {
  return robot?.pose && "x" in robot.pose ? (robot.pose as unknown as Pose) : null;
}

function markOf(robot: Robot, floor: number, note: string | undefined): MapRobot[] {
  const pose = poseOf(robot);
  if (!pose || (pose.floor ?? 1) !== floor) return [];
  const state = robot.connectivity === "OFFLINE" ? "offline" : robot.connectivity === "STALE" ? "stale" : robot.stopped ? "stopped" : "normal";
  return [{ id: robot.id, name: robot.robot_name, ...inMetres(pose, robot.last_heartbeat), state, note }];
}

function inMetres({ x, y, theta, floor }: Pose, reportedAt: unknown): MapPose {
  return { x, y, theta: theta ?? 0, floor: floor ?? 1, at: Date.parse(String(reportedAt)) || 0 };
}

interface Words { onTheWay: string; noPosition: string; online: string; neverSeen: string; seen: (age: string) => string }

/** The texts of the rows, looked up once and not for each robot at each report. */
function useWords(): Words {
  const { t } = useTranslation();
  return useMemo(
    () => ({
      onTheWay: t("robot.onTheWay"), noPosition: t("robot.noPosition"), online: t("robot.ONLINE"), neverSeen: t("robot.NEVER_SEEN"), seen: (age) => t("robot.seen", { age }),
    }),
    [t],
  );
}

function stateLabel(robot: Robot, now: number, words: Words): string {
  if (!robot.last_heartbeat) return words.neverSeen;
  const seconds = Math.max(0, (now - Date.parse(robot.last_heartbeat)) / 1000);
  return robot.connectivity === "ONLINE" && seconds < 10 ? words.online : words.seen(formatAge(seconds));
}

const MAX_AGE = 1200; // ms; reports usually draw the page once a second

/** The time of this drawing; without reports the page is drawn again soon, so that ages go on. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now());
  const drawnAt = useRef(now);
  const current = Math.max(now, Date.now());
  useEffect(() => {
    drawnAt.current = current;
  });
  useEffect(() => {
    const timer = setInterval(() => Date.now() - drawnAt.current > MAX_AGE && setNow(Date.now()), MAX_AGE / 3);
    return () => clearInterval(timer);
  }, []);
  return current;
}
