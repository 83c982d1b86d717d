// Ways of the map that robots must not use for a time: a wet floor, a fair in the hall.
import type { Schemas } from "@luna/api";
import { formatAge, formatMoment } from "@luna/i18n";
import { Refusal, useToast, type MapEdge } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { useCloseEdge, useOpenEdge } from "./queries";

export interface Edge extends MapEdge { name: string; floors: number[]; until: string | null; reason: string | null }

const HOURS = [1, 4, 24];
const BLOCKED = "PATH_BLOCKED"; // the reason of a robot that found the way blocked

/** The edges with the names and places of their ends; those whose time has passed are open. */
export function useEdges(map: Schemas["MapRead"], now: number): Edge[] {
  const minute = Math.floor(now / 60_000);
  return useMemo(() => {
    const places = new Map(map.waypoints.map((place) => [place.location_code, place]));
    return map.edges.flatMap((edge) => {
      const [from, to] = [places.get(edge.from), places.get(edge.to)];
      if (!from || !to || !edge.id) return [];
      const closed = !!edge.closed_until && Date.parse(edge.closed_until) > minute * 60_000;
      return [{
        id: edge.id, closed, name: `${from.name} – ${to.name}`, floors: [from.floor ?? 1, to.floor ?? 1],
        from: [from.x_coordinate, from.y_coordinate] as const, to: [to.x_coordinate, to.y_coordinate] as const,
        until: closed ? (edge.closed_until ?? null) : null, reason: closed ? (edge.closed_reason ?? null) : null,
      }];
    });
  }, [map, minute]);
}

interface Props { edges: Edge[]; floor: number; chosen: string | null; onChoose: (id: string | null) => void; choosing: boolean; onChoosing: (choosing: boolean) => void }

/** What is closed, on every floor, and the form that closes a way of this floor. */
export function Edges({ edges, floor, chosen, onChoose, choosing, onChoosing }: Props) {
  const { t } = useTranslation();
  const closed = edges.filter((edge) => edge.closed);
  return (
    <section className="card stack" aria-labelledby="edges-title">
      <h2 id="edges-title">{t("edge.title")}</h2>
      {closed.length > 0 ? <ul className="plain rows">{closed.map((edge) => <ClosedEdge key={edge.id} edge={edge} />)}</ul> : <p className="dim small">{t("edge.none")}</p>}
      <details open={choosing} onToggle={(event) => onChoosing(event.currentTarget.open)}>
        <summary>{t("edge.close")} …</summary>
        <CloseForm edges={edges.filter((edge) => !edge.closed && edge.floors.includes(floor))} chosen={chosen} onChoose={onChoose} />
      </details>
    </section>
  );
}

function ClosedEdge({ edge }: { edge: Edge }) {
  const { t } = useTranslation();
  const toast = useToast();
  const open = useOpenEdge();
  return (
    <li className="stack-sm">
      <div className="between wrap">
        <span className="grow">
          <strong>{edge.name}</strong>
          <span className="small dim block">{edge.reason === BLOCKED ? t("edge.blocked") : edge.reason}{edge.until && ` · ${t("edge.until", { time: formatMoment(edge.until) })}`}</span>
        </span>
        <Button variant="default" size="sm" loading={open.isPending} onClick={() => open.mutate(edge.id, { onSuccess: () => toast(t("edge.opened")) })}>
          {t("edge.open")}<span className="visually-hidden"> {edge.name}</span>
        </Button>
      </div>
      <Refusal error={open.error} />
    </li>
  );
}

function CloseForm({ edges, chosen, onChoose }: { edges: Edge[]; chosen: string | null; onChoose: (id: string | null) => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const close = useCloseEdge();
  const [reason, setReason] = useState("");
  const [hours, setHours] = useState(0);
  const present = edges.some((edge) => edge.id === chosen) ? chosen : null;
  const submit = () => {
    if (!present || close.isPending) return;
    close.mutate({ edgeId: present, reason: reason.trim(), hours }, {
      onSuccess: () => {
        onChoose(null);
        setReason("");
        toast(t("edge.closed"));
      },
    });
  };
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <p className="small dim">{t("edge.hint")}</p>
      <label className="stack-sm">
        {t("edge.which")}
        <select required value={present ?? ""} onChange={(event) => onChoose(event.target.value || null)}>
          <option value="">{t("edge.choose")}</option>
          {edges.map((edge) => <option key={edge.id} value={edge.id}>{edge.name}</option>)}
        </select>
      </label>
      <TextInput label={t("edge.reason")} required maxLength={500} value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
      <label className="stack-sm">
        {t("edge.duration")}
        <select value={hours} onChange={(event) => setHours(Number(event.target.value))}>
          <option value={0}>{t("edge.usual")}</option>
          {HOURS.map((each) => <option key={each} value={each}>{formatAge(each * 3600)}</option>)}
        </select>
      </label>
      <Refusal error={close.error} />
      <Button type="submit" disabled={!present || !reason.trim()} loading={close.isPending}>{t("edge.close")}</Button>
    </form>
  );
}
