import { isStale, sendStep, type Schemas, type Tagged } from "@luna/api";
import { Loaded, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Push } from "./Push";
import { fetchPreferences, savePreferences } from "./queries";

type Choices = Tagged<Schemas["PreferencesRead"]>;
const KEY = ["preferences"];
const CHANNELS = ["in_app", "push", "email"] as const;

/** Which messages come where, and when none but urgent ones come. */
export function Preferences() {
  const { t } = useTranslation();
  const query = useQuery({ queryKey: KEY, queryFn: fetchPreferences, refetchInterval: false, refetchOnWindowFocus: false }); // a form must not change under the hands
  return (
    <section className="card stack">
      <h2>{t("preferences.title")}</h2>
      <Push publicKey={query.data?.push_public_key ?? null} />
      <Loaded query={query}>{(data) => <Form saved={data} />}</Loaded>
    </section>
  );
}

function Form({ saved }: { saved: Choices }) {
  const { t, i18n } = useTranslation();
  const toast = useToast();
  const client = useQueryClient();
  const [base, setBase] = useState(saved); // what the choices were made upon
  const [channels, setChannels] = useState(saved.channels);
  const [quiet, setQuiet] = useState(saved.quiet_hours);
  const reread = () => client.fetchQuery({ queryKey: KEY, queryFn: fetchPreferences, staleTime: 0 });
  const isSame = (fresh: Choices) => choicesOf(fresh) === choicesOf(base);
  const save = useMutation({
    mutationFn: () => sendStep(base, ({ tag }) => savePreferences({ quiet_hours: quiet, channels }, tag), reread, isSame),
    onSuccess: async () => {
      toast(t("preferences.saved"));
      client.setQueryData<Choices>(KEY, (before) => before && { ...before, channels, quiet_hours: quiet });
      setBase(await reread().catch(() => base));
    },
    onError: (error) => {
      const fresh = client.getQueryData<Choices>(KEY);
      if (!isStale(error) || !fresh) return;
      setChannels(fresh.channels.map((theirs) => mine(theirs, base.channels, channels)));
      if (JSON.stringify(quiet) === JSON.stringify(base.quiet_hours)) setQuiet(fresh.quiet_hours);
      setBase(fresh);
    },
  });
  const choose = (type: string, channel: (typeof CHANNELS)[number], wanted: boolean) =>
    setChannels((present) => present.map((each) => (each.notification_type === type ? { ...each, [channel]: wanted } : each)));
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!save.isPending) save.mutate(); }}>
      {channels.map((each) => (
        <fieldset key={each.notification_type} className="choice">
          <legend>{i18n.exists(`message.${each.notification_type}`) ? t(`message.${each.notification_type as "DELIVERY_TASK_ARRIVED"}`) : inWords(each.notification_type)}</legend>
          <div className="row">
            {CHANNELS.map((channel) => (
              <label key={channel} className="chip">
                <input type="checkbox" checked={each[channel]} disabled={channel === "in_app" && each.urgent} onChange={(event) => choose(each.notification_type, channel, event.currentTarget.checked)} />
                {t(`preferences.${channel}`)}
              </label>
            ))}
          </div>
        </fieldset>
      ))}
      <fieldset className="choice">
        <legend>{t("preferences.quiet")}</legend>
        <label className="chip"><input type="checkbox" checked={quiet !== null} onChange={(event) => setQuiet(event.currentTarget.checked ? { start: "22:00:00", end: "07:00:00" } : null)} />{t("preferences.quietOn")}</label>
        {quiet && (
          <div className="row">
            <input type="time" aria-label={t("preferences.from")} value={quiet.start.slice(0, 5)} onChange={(event) => setQuiet({ ...quiet, start: `${event.currentTarget.value}:00` })} />
            <input type="time" aria-label={t("preferences.to")} value={quiet.end.slice(0, 5)} onChange={(event) => setQuiet({ ...quiet, end: `${event.currentTarget.value}:00` })} />
          </div>
        )}
      </fieldset>
      <Refusal error={save.error} />
      <Button type="submit" size="md" loading={save.isPending}>{t("profile.save")}</Button>
    </form>
  );
}

type Channels = Choices["channels"][number];

/** What the form shows of them; the language, which they hold too, is chosen elsewhere. */
const choicesOf = ({ channels, quiet_hours }: Choices) => JSON.stringify([channels, quiet_hours]);

/** What is saved now, with what was chosen here. */
function mine(theirs: Channels, before: Channels[], chosen: Channels[]): Channels {
  const of = (list: Channels[]) => list.find((each) => each.notification_type === theirs.notification_type);
  const changed = CHANNELS.filter((channel) => of(chosen)?.[channel] !== of(before)?.[channel]);
  return { ...theirs, ...Object.fromEntries(changed.map((channel) => [channel, of(chosen)?.[channel]])) };
}

/** “Delivery task arrived”: a type that is newer than the texts. */
function inWords(type: string): string {
  const words = type.replaceAll("_", " ").toLowerCase();
  return words.charAt(0).toUpperCase() + words.slice(1);
}
