import { formatMoment } from "@luna/i18n";
import { Loaded, Pill, Refusal, useToast, fieldsOf } from "@luna/ui";
import { Button, PasswordInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { useTranslation } from "react-i18next";
import { changePassword, endOtherSessions, endSession, fetchSessions } from "./queries";

export function Password() {
  const { t } = useTranslation();
  const toast = useToast();
  const form = useRef<HTMLFormElement>(null);
  const change = useMutation({ mutationFn: changePassword, onSuccess: () => { form.current?.reset(); toast(t("profile.passwordChanged")); } });
  const fields = fieldsOf(change.error);
  const toggle = { "aria-label": t("auth.showPassword"), tabIndex: 0 };
  return (
    <form ref={form} className="card stack" onSubmit={(event) => { event.preventDefault(); if (!change.isPending) change.mutate(new FormData(event.currentTarget)); }}>
      <h2>{t("profile.password")}</h2>
      <PasswordInput size="md" name="current" label={t("profile.currentPassword")} autoComplete="current-password" required error={fields.current_password} visibilityToggleButtonProps={toggle} />
      <PasswordInput size="md" name="new" label={t("auth.newPassword")} description={t("auth.passwordRule")} autoComplete="new-password" minLength={8} required error={fields.new_password} visibilityToggleButtonProps={toggle} />
      {!Object.keys(fields).length && <Refusal error={change.error} />}
      <Button type="submit" size="md" loading={change.isPending}>{t("profile.changePassword")}</Button>
    </form>
  );
}

export function Sessions() {
  const { t } = useTranslation();
  const client = useQueryClient();
  const sessions = useQuery({ queryKey: ["sessions"], queryFn: fetchSessions });
  const onSettled = () => void client.invalidateQueries({ queryKey: ["sessions"] });
  const end = useMutation({ mutationFn: endSession, onSettled });
  const endOthers = useMutation({ mutationFn: endOtherSessions, onSettled });
  return (
    <section className="card stack">
      <h2>{t("profile.sessions")}</h2>
      <Loaded query={sessions}>
        {(found) => (
          <>
            <ul className="plain rows">
              {found.map((each) => (
                <li key={each.id} className="between">
                  <div className="grow">
                    <span className="agent">{each.user_agent ?? t("profile.unknownDevice")}</span>
                    <p className="small dim">{formatMoment(each.last_used_at)}</p>
                  </div>
                  {each.current ? <Pill tone="done" icon="check">{t("profile.thisDevice")}</Pill> : <Button variant="default" size="sm" onClick={() => end.mutate(each.id)}>{t("profile.signOut")}</Button>}
                </li>
              ))}
            </ul>
            {found.length > 1 && <Button variant="default" size="md" loading={endOthers.isPending} onClick={() => endOthers.mutate()}>{t("profile.signOutOthers")}</Button>}
          </>
        )}
      </Loaded>
      <Refusal error={end.error ?? endOthers.error} />
    </section>
  );
}
