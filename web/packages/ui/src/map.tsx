// A floor in metres: plan, places, robots. y points up on the floor and down on the screen.
import type { Schemas } from "@luna/api";
import { memo, useMemo } from "react";
import { useTranslation } from "react-i18next";

export interface MapPlace { code: string; name: string; x: number; y: number; floor: number }
export interface MapRobot {
  id: string; name: string; x: number; y: number; theta: number; floor: number;
  state: "normal" | "stale" | "offline" | "stopped"; note?: string;
}
type Floor = Schemas["FloorBody"] | Schemas["FloorRead"];
interface Props {
  floor: Floor | null;
  places: MapPlace[];
  robots: MapRobot[];
  destination?: string | null;
  selected?: string | null;
  onSelect?: (id: string) => void;
  label: string;
}
interface Bounds { x: number; y: number; width: number; height: number }

const MARGIN = 3; // metres around places when there is no plan

export function FloorMap({ floor, places, robots, destination, selected, onSelect, label }: Props) {
  const { t } = useTranslation();
  const bounds = useMemo(() => boundsOf(floor, [...places, ...robots]), [floor, places, robots]);
  const plan = usePlan(floor);
  if (!bounds) return <p className="dim">{t("map.nothing")}</p>;
  const unit = bounds.width / (plan ? 44 : 30); // marks keep their size on floors of any size
  const top = bounds.y + bounds.height;
  return (
    <figure style={{ margin: 0 }}>
      <svg className="map" viewBox={`0 0 ${bounds.width} ${bounds.height}`} role="group" aria-label={label}>
        {plan && <image href={plan} width={bounds.width} height={bounds.height} className="plan" />}
        <g transform={`translate(${-bounds.x} ${top}) scale(1 -1)`}>
          {places.map((place) => (
            <Place key={place.code} place={place} unit={unit} plan={plan !== null} target={place.name === destination || place.code === destination} />
          ))}
          {robots.map((robot) => (
            <Robot key={robot.id} {...robot} unit={unit} selected={robot.id === selected} onSelect={onSelect} />
          ))}
        </g>
      </svg>
      {!plan && <figcaption className="tiny dim">{t("map.noPlan")}</figcaption>}
    </figure>
  );
}

function Place({ place, unit, plan, target }: { place: MapPlace; unit: number; plan: boolean; target: boolean }) {
  if (plan && !target) return null;
  return (
    <g transform={`translate(${place.x} ${place.y}) scale(${unit} ${-unit})`}>
      <circle r={target ? 0.9 : 0.35} className={target ? "target" : "waypoint"} />
      {target && <text y="2.200" textAnchor="middle" className="name">{place.name}</text>}
    </g>
  );
}

interface RobotProps extends MapRobot { unit: number; selected: boolean; onSelect?: (id: string) => void }

/** Drawn again only when it has moved or changed: a fleet reports many times a second. */
const Robot = memo(function Robot({ id, name, x, y, theta, state, note, unit, selected, onSelect }: RobotProps) {
  const label = [name, note].filter(Boolean).join(", ");
  const interactive = onSelect
    ? {
        role: "button", tabIndex: 0, "aria-pressed": selected,
        onClick: () => onSelect(id),
        onKeyDown: (event: React.KeyboardEvent) => {
          if (event.key === "Enter" || event.key === " ") {
            event.preventDefault();
            onSelect(id);
          }
        },
      }
    : { role: "img" };
  return (
    <g className="robot" style={{ transform: `translate(${x}px, ${y}px)` }} {...interactive} aria-label={label}>
      <g transform={`scale(${unit} ${-unit})`} className={`mark ${state}${selected ? " selected" : ""}`}>
        <circle r="2.200" className="hit" />
        <g transform={`rotate(${(-theta * 180) / Math.PI})`}>
          <circle r="0.950" className="body" />
          <path d="M0.300 -0.450 L1 0 L0.300 0.450 Z" className="nose" />
        </g>
        {state === "offline" && <path d="M-1 -1 L1 1 M1 -1 L-1 1" className="crossed" />}
        <text y="-1.500" textAnchor="middle" className="name">{name}</text>
      </g>
    </g>
  );
});

/** The plan as an address of an image: drawn as an image, its scripts can never run. */
function usePlan(floor: Floor | null): string | null {
  return useMemo(() => {
    const svg = floor?.svg ?? (floor?.plan?.startsWith("<svg") ? floor.plan : null);
    return svg ? `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}` : null;
  }, [floor]);
}

function boundsOf(floor: Floor | null, places: { x: number; y: number }[]): Bounds | null {
  if (floor) {
    const [x = 0, y = 0] = floor.origin ?? [];
    return { x, y, width: floor.width_m, height: floor.height_m };
  }
  if (!places.length) return null;
  const xs = places.map((place) => place.x);
  const ys = places.map((place) => place.y);
  const x = Math.min(...xs) - MARGIN;
  const y = Math.min(...ys) - MARGIN;
  return { x, y, width: Math.max(...xs) + MARGIN - x, height: Math.max(...ys) + MARGIN - y };
}
