// A floor in metres: plan, places, robots. y points up on the floor and down on the screen.
// Robots are elements that only `transform` moves: the browser's compositor draws their way, so that
// a fleet costs the main thread nothing between two reports. A report moves its mark directly, past React;
// all else of a mark (name, state, note) is drawn by React, as seldom as its parent gives it.
import type { Schemas } from "@luna/api";
import { memo, useCallback, useEffect, useImperativeHandle, useLayoutEffect, useMemo, useRef, useState, type Ref } from "react";
import { useTranslation } from "react-i18next";
import { Marks, type Spot } from "./marks";
import { placeNames, type Mark, type Placed } from "./names";

export interface MapPlace { code: string; name: string; x: number; y: number; floor: number }
/** In metres; `at`: when it was reported, in ms. */
export interface MapPose { x: number; y: number; theta: number; floor: number; at?: number }
export interface MapRobot extends MapPose { id: string; name: string; state: "normal" | "stale" | "offline" | "stopped"; note?: string }
export interface MapHandle { move: (id: string, pose: MapPose) => void }
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
  /** Moves marks without drawing the map again. */
  ref?: Ref<MapHandle>;
}
interface Bounds { x: number; y: number; width: number; height: number }

const MARGIN = 3; // metres around places when there is no plan
const MAX_NAMES = 40; // of robots: with more, names would cover each other

export function FloorMap({ floor, places, robots, destination, selected, onSelect, edges = [], chosenEdge, onChooseEdge, label, ref }: Props) {
  const { t } = useTranslation();
  const bounds = useMemo(() => boundsOf(floor, [...places, ...robots]), [floor, places, robots]);
  const plan = planOf(floor);
  const image = useImage(plan);
  const top = bounds ? bounds.y + bounds.height : 0;
  const marks = robots.map((robot) => ({ ...robot, ...spotOf(robot, bounds) }));
  const names = useNames(marks, selected);
  const [layer, map] = useMarks(ref, bounds, marks);
  if (!bounds) return <p className="dim">{t("map.nothing")}</p>;
  const unit = bounds.width / (plan ? 44 : 30); // marks keep their size on floors of any size
  return (
    <figure>
      <div ref={map} className="map" role="img" aria-label={label} style={{ aspectRatio: `${bounds.width} / ${bounds.height}` }}>
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
            onSelect={onSelect} layer={layer}
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

function spotOf({ x, y, theta }: MapPose, bounds: Bounds | null): Spot {
  if (!bounds) return { left: 0, down: 0, degrees: 0 };
  return { left: (100 * (x - bounds.x)) / bounds.width, down: (100 * (bounds.y + bounds.height - y)) / bounds.width, degrees: (-theta * 180) / Math.PI };
}

/** Keep the marks where their robots are, in a map of any width; `ref` moves those of the floor that is shown. */
function useMarks(ref: Ref<MapHandle> | undefined, bounds: Bounds | null, robots: (MapRobot & Spot)[]): [Marks, Ref<HTMLDivElement>] {
  const [layer] = useState(() => new Marks());
  const floor = robots[0]?.floor;
  useImperativeHandle(ref, () => ({
    move: (id, pose) => {
      if (pose.floor === floor) layer.report(id, spotOf(pose, bounds), pose.at ?? 0);
    },
  }), [layer, bounds, floor]);
  const map = useCallback((element: HTMLDivElement) => {
    const observer = new ResizeObserver(() => layer.resize(element));
    layer.resize(element);
    observer.observe(element);
    return () => observer.disconnect();
  }, [layer]);
  useLayoutEffect(() => {
    for (const robot of robots) layer.move(robot.id, robot, robot.at ?? 0);
  });
  return [layer, map];
}

interface RobotProps { id: string; name: string; side: string; note?: string; state: MapRobot["state"]; selected: boolean; layer: Marks; onSelect?: (id: string) => void }

/** Drawn again only when something other than its position has changed. */
const Robot = memo(function Robot({ id, name, side, note, state, selected, layer, onSelect }: RobotProps) {
  const mark = useCallback((element: HTMLSpanElement) => {
    layer.attach(id, element);
    return () => layer.detach(id);
  }, [layer, id]);
  return (
    <span ref={mark} className={`robot ${state}${selected ? " selected" : ""}`} onPointerDown={onSelect && (() => onSelect(id))}>
      <i className="body" />
      {onSelect && <i className="reach" />}
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
