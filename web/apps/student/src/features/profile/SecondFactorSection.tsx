import type { Schemas } from "@luna/api";
import { Loaded, Pill, Refusal, useToast } from "@luna/ui";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { confirmFactor, fetchFactor, newRecoveryCodes, removeFactor, startFactor } from "./queries";

const KEY = ["second-factor"];
const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();

/** Set up, renew the recovery codes, remove; the secret and the codes are shown once. */
export function SecondFactorSection() {
  const { t } = useTranslation();
  const factor = useQuery({ queryKey: KEY, queryFn: fetchFactor });
  return (
    <section className="card stack" id="second-factor">
      <h2>{t("factor.title")}</h2>
      <Loaded query={factor}>{(found) => (found.enabled ? <Present factor={found} /> : <Setup required={found.required} />)}</Loaded>
    </section>
  );
}

function Setup({ required }: { required: boolean }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const start = useMutation({ mutationFn: startFactor });
  const confirm = useMutation({ mutationFn: confirmFactor });
  const done = () => void client.invalidateQueries({ queryKey: KEY });
  if (confirm.data) return <RecoveryCodes codes={confirm.data} onDone={done} />;
  if (!start.data)
    return (
      <>
        <p className="dim">{t(required ? "factor.required" : "factor.why")}</p>
        <Button variant="default" size="md" loading={start.isPending} onClick={() => start.mutate()}>{t("factor.setUp")}</Button>
        <Refusal error={start.error} />
      </>
    );
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!confirm.isPending) confirm.mutate(text(new FormData(event.currentTarget), "code")); }}>
      <p>{t("factor.enter")}</p>
      <code className="secret">{start.data.secret}</code>
      <p><a href={start.data.otpauth_uri}>{t("factor.open")}</a></p>
      <TextInput size="md" name="code" label={t("factor.code")} inputMode="numeric" autoComplete="one-time-code" required />
      <Refusal error={confirm.error} />
      <Button type="submit" size="md" loading={confirm.isPending}>{t("factor.confirm")}</Button>
    </form>
  );
}

function Present({ factor }: { factor: Schemas["SecondFactorRead"] }) {
  const { t } = useTranslation();
  const toast = useToast();
  const client = useQueryClient();
  const onSuccess = () => void client.invalidateQueries({ queryKey: KEY });
  const renew = useMutation({ mutationFn: newRecoveryCodes });
  const remove = useMutation({ mutationFn: removeFactor, onSuccess: () => { toast(t("factor.removed"), "wait"); onSuccess(); } });
  if (renew.data) return <RecoveryCodes codes={renew.data} onDone={() => { renew.reset(); onSuccess(); }} />;
  return (
    <>
      <p className="row"><Pill tone="done" icon="check">{t("factor.on")}</Pill><span className="dim small">{t("factor.left", { count: factor.recovery_codes_left })}</span></p>
      <details>
        <summary>{t("factor.renew")}</summary>
        <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!renew.isPending) renew.mutate(text(new FormData(event.currentTarget), "code")); }}>
          <TextInput size="md" name="code" label={t("factor.code")} inputMode="numeric" autoComplete="one-time-code" required />
          <Refusal error={renew.error} />
          <Button type="submit" variant="default" size="md" loading={renew.isPending}>{t("factor.renew")}</Button>
        </form>
      </details>
      <details>
        <summary>{t("factor.remove")}</summary>
        <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!remove.isPending) remove.mutate(new FormData(event.currentTarget)); }}>
          <PasswordInput size="md" name="password" label={t("profile.currentPassword")} autoComplete="current-password" required visibilityToggleButtonProps={{ "aria-label": t("auth.showPassword"), tabIndex: 0 }} />
          <TextInput size="md" name="code" label={t("factor.code")} autoComplete="one-time-code" required />
          <Refusal error={remove.error} />
          <Button type="submit" variant="default" size="md" loading={remove.isPending}>{t("factor.remove")}</Button>
        </form>
      </details>
    </>
  );
}

function RecoveryCodes({ codes, onDone }: { codes: string[]; onDone: () => void }) {
  const { t } = useTranslation();
  return (
    <div className="stack" role="status">
      <p><strong>{t("factor.keep")}</strong></p>
      <ul className="plain figures">{codes.map((code) => <li key={code}><code className="secret">{code}</code></li>)}</ul>
      <Button size="md" onClick={onDone}>{t("factor.kept")}</Button>
    </div>
  );
}
