// A floor in metres: plan, places, robots. y points up on the floor and down on the screen.
// Robots are elements that only `transform` moves: the browser's compositor draws their way, so that
// a fleet costs the main thread nothing between two reports.
import type { Schemas } from "@luna/api";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { placeNames, type Mark, type Placed } from "./names";

export interface MapPlace { code: string; name: string; x: number; y: number; floor: number }
export interface MapRobot {
  id: string; name: string; x: number; y: number; theta: number; floor: number;
  state: "normal" | "stale" | "offline" | "stopped"; note?: string;
}
export interface MapEdge { id: string; from: readonly [x: number, y: number]; to: readonly [x: number, y: number]; closed: boolean }
type Floor = Schemas["FloorBody"] | Schemas["FloorRead"];
interface Props {
  floor: Floor | null;
  places: MapPlace[];
  robots: MapRobot[];
  destination?: string | null;
  selected?: string | null;
  edges?: MapEdge[];
  chosenEdge?: string | null;
  onChooseEdge?: (id: string) => void;
  /** For pointers only: a list beside the map offers the same by keyboard. */
  onSelect?: (id: string) => void;
  label: string;
}
interface Bounds { x: number; y: number; width: number; height: number }

const MARGIN = 3; // metres around places when there is no plan
const MAX_NAMES = 40; // of robots: with more, names would cover each other

export function FloorMap({ floor, places, robots, destination, selected, onSelect, edges = [], chosenEdge, onChooseEdge, label }: Props) {
  const { t } = useTranslation();
  const bounds = useMemo(() => boundsOf(floor, [...places, ...robots]), [floor, places, robots]);
  const plan = planOf(floor);
  const image = useImage(plan);
  const top = bounds ? bounds.y + bounds.height : 0;
  const marks = robots.map((robot) => ({ ...robot, left: (100 * (robot.x - (bounds?.x ?? 0))) / (bounds?.width ?? 1), down: (100 * (top - robot.y)) / (bounds?.width ?? 1) }));
  const names = useNames(marks, selected);
  if (!bounds) return <p className="dim">{t("map.nothing")}</p>;
  const unit = bounds.width / (plan ? 44 : 30); // marks keep their size on floors of any size
  return (
    <figure>
      <div className="map" role="img" aria-label={label} style={{ aspectRatio: `${bounds.width} / ${bounds.height}` }}>
        {image && <img src={image} alt="" className="plan" />}
        <svg viewBox={`0 0 ${bounds.width} ${bounds.height}`} aria-hidden="true">
          <g transform={`translate(${-bounds.x} ${top}) scale(1 -1)`}>
            {edges.map((edge) => <Edge key={edge.id} edge={edge} chosen={edge.id === chosenEdge} onChoose={onChooseEdge} />)}
            {places.map((place) => (
              <Place key={place.code} place={place} unit={unit} plan={plan !== ""} target={place.name === destination || place.code === destination} />
            ))}
          </g>
        </svg>
        {marks.map((mark) => (
          <Robot
            key={mark.id} id={mark.id} name={names.has(mark.id) ? (names.get(mark.id)?.text ?? mark.name) : ""} side={names.get(mark.id)?.side ?? "hidden"} note={mark.note} state={mark.state} selected={mark.id === selected}
            onSelect={onSelect} left={mark.left} down={mark.down} degrees={(-mark.theta * 180) / Math.PI}
          />
        ))}
      </div>
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

function Edge({ edge: { id, from, to, closed }, chosen, onChoose }: { edge: MapEdge; chosen: boolean; onChoose?: (id: string) => void }) {
  const ends = { x1: from[0], y1: from[1], x2: to[0], y2: to[1] };
  const choose = onChoose && !closed ? () => onChoose(id) : undefined;
  return (
    <>
      <line {...ends} className={`edge${closed ? " closed" : ""}${chosen ? " chosen" : ""}`} />
      {choose && <line {...ends} className="edge-target" data-edge={id} onPointerDown={choose} />}
    </>
  );
}

/** The names that are shown: all of a small fleet for which there is room, and that of the chosen robot. */
function useNames(marks: Mark[], selected?: string | null): Map<string, Placed> {
  const before = useRef<Map<string, Placed>>(new Map());
  const names = placeNames(marks.length <= MAX_NAMES ? marks : marks.filter(({ id }) => id === selected), before.current);
  useEffect(() => {
    before.current = names;
  });
  return names;
}

interface RobotProps { id: string; name: string; side: string; note?: string; state: MapRobot["state"]; left: number; down: number; degrees: number; selected: boolean; onSelect?: (id: string) => void }

/** Drawn again only when it has moved or changed; `left` and `down` in per cent of the map's width. */
const Robot = memo(function Robot({ id, name, side, note, state, left, down, degrees, selected, onSelect }: RobotProps) {
  return (
    <span className={`robot ${state}${selected ? " selected" : ""}`} style={{ transform: `translate(${left}cqw, ${down}cqw)` }} onPointerDown={onSelect && (() => onSelect(id))}>
      <i className="body" style={{ rotate: `${degrees}deg` }} />
      {name && <b className={`name ${side}`}>{name}</b>}
      {note && <small className="note">{note}</small>}
    </span>
  );
});

function planOf(floor: Floor | null): string {
  return floor?.svg || (floor?.plan?.startsWith("<svg") ? floor.plan : "");
}

/** The address of a drawing as an image: its scripts can never run. */
function useImage(svg: string): string | null {
  const [address, setAddress] = useState<string | null>(null);
  useEffect(() => {
    const made = svg ? URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" })) : null;
    setAddress(made);
    return () => {
      if (made) URL.revokeObjectURL(made);
    };
  }, [svg]);
  return address;
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
