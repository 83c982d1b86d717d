import { ApiProblem, saveExport, type Schemas } from "@luna/api";
import { Refusal, useToast } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { ROLES } from "../../parts/roles";
import { useChangeAccount, useCreateAccount, useEraseAccount, type Account } from "./queries";

const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
const roleOf = (form: FormData) => text(form, "role") as Schemas["Role"];

function Fields({ account, error }: { account: Account | null; error: unknown }) {
  const { t } = useTranslation();
  const fields = error instanceof ApiProblem ? error.fields : {};
  return (
    <>
      <div className="fields">
        {!account && <TextInput name="email" type="email" label={t("auth.email")} required error={fields.email} />}
        <TextInput name="first_name" label={t("auth.firstName")} defaultValue={account?.first_name} required error={fields.first_name} />
        <TextInput name="last_name" label={t("auth.lastName")} defaultValue={account?.last_name} required error={fields.last_name} />
        <TextInput name="phone_number" type="tel" label={t("profile.phone")} defaultValue={account?.phone_number ?? ""} error={fields.phone_number} />
      </div>
      <label className="field">
        {t("members.role")}
        <select name="role" defaultValue={account?.role ?? "STUDENT"}>
          {ROLES.map((each) => <option key={each} value={each}>{t(`role.${each}`)}</option>)}
        </select>
      </label>
      {!Object.keys(fields).length && <Refusal error={error} />}
    </>
  );
}

/** A new account has no password: its owner receives a link to choose one. */
export function NewAccount({ onDone }: { onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const create = useCreateAccount();
  const submit = (form: FormData) =>
    create.mutate(
      { email: text(form, "email"), first_name: text(form, "first_name"), last_name: text(form, "last_name"), phone_number: text(form, "phone_number") || null, role: roleOf(form) },
      { onSuccess: () => { toast(t("accounts.created")); onDone(); } },
    );
  return (
    <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!create.isPending) submit(new FormData(event.currentTarget)); }}>
      <p className="dim">{t("accounts.addText")}</p>
      <Fields account={null} error={create.error} />
      <div className="row"><Button type="submit" loading={create.isPending}>{t("accounts.add")}</Button></div>
    </form>
  );
}

export function EditAccount({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const change = useChangeAccount(account.id);
  const submit = (form: FormData) =>
    change.mutate(
      {
        first_name: text(form, "first_name"), last_name: text(form, "last_name"), phone_number: text(form, "phone_number") || null,
        role: roleOf(form), is_active: form.get("is_active") === "on",
      },
      { onSuccess: () => toast(t("accounts.saved")) },
    );
  return (
    <div className="stack">
      <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!change.isPending) submit(new FormData(event.currentTarget)); }}>
        <Fields account={account} error={change.error} />
        <label className="tick-row"><input type="checkbox" name="is_active" defaultChecked={account.is_active} />{t("accounts.mayUse")}</label>
        <div className="row"><Button type="submit" loading={change.isPending}>{t("profile.save")}</Button></div>
      </form>
      <Privacy account={account} onDone={onDone} />
    </div>
  );
}

function Privacy({ account, onDone }: { account: Account; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const erase = useEraseAccount(account.id);
  const save = useMutation({ mutationFn: () => saveExport(account.id) });
  return (
    <section className="raised stack-sm">
      <h3>{t("privacy.title")}</h3>
      <div className="row">
        <Button variant="default" loading={save.isPending} onClick={() => save.mutate()}>{t("privacy.export")}</Button>
        {!asking && <Button variant="default" onClick={() => setAsking(true)}>{t("accounts.erase")}</Button>}
      </div>
      {asking && (
        <div className="stack-sm">
          <p>{t("accounts.eraseText")}</p>
          <div className="row">
            <Button color="red.9" loading={erase.isPending} onClick={() => erase.mutate(undefined, { onSuccess: () => { toast(t("accounts.erased"), "wait"); onDone(); } })}>{t("accounts.eraseYes")}</Button>
            <Button variant="default" onClick={() => setAsking(false)}>{t("action.back")}</Button>
          </div>
        </div>
      )}
      <Refusal error={erase.error ?? save.error} />
    </section>
  );
}
