import { isStale, useUser } from "@luna/api";
import { changeLanguage, LANGUAGES, type Language } from "@luna/i18n";
import { Refusal, useToast, fieldsOf } from "@luna/ui";
import { Button, TextInput, useMantineColorScheme } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { signOut } from "../../shell";
import { Preferences } from "./Preferences";
import { Privacy } from "./Privacy";
import { Password, Sessions } from "./Security";
import { SecondFactorSection } from "./SecondFactorSection";
import { savePreferences, saveProfile } from "./queries";

const SCHEMES = ["auto", "light", "dark"] as const;

export function ProfilePage() {
  const { t } = useTranslation();
  return (
    <div className="stack-lg narrow">
      <ScreenTitle title={t("profile.title")} />
      <Person />
      <Appearance />
      <Preferences />
      <Password />
      <SecondFactorSection />
      <Sessions />
      <Privacy />
      <SignOut />
    </div>
  );
}

function Person() {
  const { t } = useTranslation();
  const user = useUser();
  const toast = useToast();
  const save = useMutation({ mutationFn: (form: FormData) => saveProfile(form, user.tag), onSuccess: () => toast(t("profile.saved")) });
  const fields = fieldsOf(save.error);
  return (
    <form
      className="card stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!save.isPending) save.mutate(new FormData(event.currentTarget));
      }}
    >
      <h2>{t("profile.person")}</h2>
      <p className="dim">{user.email}</p>
      <div className="two">
        <TextInput size="md" name="first_name" label={t("auth.firstName")} defaultValue={user.first_name} required autoComplete="given-name" error={fields.first_name} />
        <TextInput size="md" name="last_name" label={t("auth.lastName")} defaultValue={user.last_name} required autoComplete="family-name" error={fields.last_name} />
      </div>
      <TextInput size="md" name="phone_number" type="tel" label={t("profile.phone")} defaultValue={user.phone_number ?? ""} autoComplete="tel" error={fields.phone_number} />
      {!Object.keys(fields).length && <Refusal error={save.error} />}
      {isStale(save.error) && <p className="small">{t("profile.theirs", { saved: [user.first_name, user.last_name, user.phone_number].filter(Boolean).join(" · ") })}</p>}
      <Button type="submit" size="md" loading={save.isPending}>{t("profile.save")}</Button>
    </form>
  );
}

/** The language of the pages, and of the messages that LUNA sends. */
async function chooseLanguage(language: Language): Promise<void> {
  await changeLanguage(language);
  await savePreferences({ language });
}

function Appearance() {
  const { t, i18n } = useTranslation();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  return (
    <section className="card stack">
      <h2>{t("profile.appearance")}</h2>
      <Choice legend={t("profile.language")} name="language" options={LANGUAGES.map((each) => [each, t(`language.${each}`)])} value={i18n.language} onChange={(value) => void chooseLanguage(value as Language)} />
      <Choice legend={t("profile.theme")} name="theme" options={SCHEMES.map((each) => [each, t(`theme.${each}`)])} value={colorScheme} onChange={(value) => setColorScheme(value as (typeof SCHEMES)[number])} />
    </section>
  );
}

interface ChoiceProps { legend: string; name: string; options: [string, string][]; value: string; onChange: (value: string) => void }

function Choice({ legend, name, options, value, onChange }: ChoiceProps) {
  return (
    <fieldset className="choice">
      <legend>{legend}</legend>
      <div className="row">
        {options.map(([key, label]) => (
          <label key={key} className="chip">
            <input type="radio" name={name} value={key} checked={value === key} onChange={() => onChange(key)} />
            {label}
          </label>
        ))}
      </div>
    </fieldset>
  );
}

function SignOut() {
  const { t } = useTranslation();
  const out = useMutation({ mutationFn: signOut });
  return <Button variant="default" size="lg" loading={out.isPending} onClick={() => out.mutate()}>{t("profile.signOut")}</Button>;
}
