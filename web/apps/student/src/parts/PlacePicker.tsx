// Where the robot is to come: places by floor, the one used last first.
import { allOf, api, dataOf, type Schemas } from "@luna/api";
import { Icon, Loaded } from "@luna/ui";
import { TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";

export type Place = Schemas["LocationRead"];
const LAST_PLACE = "luna.last-place";

export function usePlaces() {
  return useQuery({
    queryKey: ["places"],
    staleTime: 300_000,
    queryFn: () => allOf((page) => api.GET("/api/v1/deliveries/locations", { params: { query: page } })),
  });
}

/** The plans of the floors; they change only with the building. */
export function useFloors() {
  return useQuery({ queryKey: ["floors"], staleTime: 3_600_000, queryFn: async () => (await dataOf(api.GET("/api/v1/deliveries/floors"))).floors });
}

export function lastPlace(): string | null {
  return localStorage.getItem(LAST_PLACE);
}

export function rememberPlace(code: string): void {
  localStorage.setItem(LAST_PLACE, code);
}

interface Props { value: string | null; onChange: (code: string) => void; legend: string }

export function PlacePicker({ value, onChange, legend }: Props) {
  const { t } = useTranslation();
  const places = usePlaces();
  const [filter, setFilter] = useState("");
  return (
    <fieldset className="places">
      <legend>{legend}</legend>
      <TextInput
        size="md" type="search" aria-label={t("place.filter")} placeholder={t("place.filter")}
        leftSection={<Icon name="search" />} value={filter} onChange={(event) => setFilter(event.currentTarget.value)}
      />
      <Loaded query={places}>
        {(found) => <PlaceList places={found.filter(isDeliveryPoint)} filter={filter} value={value} onChange={onChange} />}
      </Loaded>
    </fieldset>
  );
}

function isDeliveryPoint(place: Place): boolean {
  return place.kind === "DELIVERY_POINT";
}

function PlaceList({ places, filter, value, onChange }: { places: Place[]; filter: string; value: string | null; onChange: (code: string) => void }) {
  const { t } = useTranslation();
  const floors = useMemo(() => byFloor(places, filter), [places, filter]);
  if (!floors.length) return <p className="dim" role="status">{t("place.none")}</p>;
  return floors.map(([floor, list]) => (
    <div key={floor} className="stack-sm">
      <h3 className="dim small">{t("place.floor", { floor })}</h3>
      {list.map((place) => (
        <label key={place.id} className="place">
          <input type="radio" name="place" value={place.location_code} checked={value === place.location_code} onChange={() => onChange(place.location_code)} />
          <Icon name="place" />
          <span className="grow">{place.name}</span>
          {place.location_code === lastPlace() && <span className="tiny dim">{t("place.last")}</span>}
          <span className="tick"><Icon name="check" /></span>
        </label>
      ))}
    </div>
  ));
}

function byFloor(places: Place[], filter: string): [number, Place[]][] {
  const wanted = filter.trim().toLocaleLowerCase();
  const floors = new Map<number, Place[]>();
  for (const place of places) {
    const matches = `${place.name} ${place.location_code}`.toLocaleLowerCase().includes(wanted);
    if (matches) floors.set(place.floor, [...(floors.get(place.floor) ?? []), place]);
  }
  return [...floors].sort(([one], [other]) => one - other);
}
