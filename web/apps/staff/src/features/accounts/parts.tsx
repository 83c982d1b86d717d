import { ApiProblem, saveExport, type Schemas } from "@luna/api";
import { Refusal, useToast, fieldsOf } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Conflict } from "../../parts/Conflict";
import { ROLES } from "../../parts/roles";
import { fetchAccount, useChangeAccount, useCreateAccount, useEraseAccount, type Account, type TaggedAccount } from "./queries";

const text = (form: FormData, name: string) => String(form.get(name) ?? "").trim();
const roleOf = (form: FormData) => text(form, "role") as Schemas["Role"];

function Fields({ account, error }: { account: Account | null; error: unknown }) {
  const { t } = useTranslation();
  const fields = fieldsOf(error);
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

/** What the form of an account holds, as texts. */
function valuesOf({ first_name, last_name, phone_number, role, is_active }: Pick<Account, "first_name" | "last_name" | "phone_number" | "role" | "is_active">) {
  return { first_name, last_name, phone_number: phone_number ?? "", role, is_active: is_active ? "✓" : "" };
}

export function EditAccount({ account, onDone }: { account: TaggedAccount; onDone: () => void }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [base, setBase] = useState(account);
  const [shown, setShown] = useState<Account>(account); // what the form begins with
  const [theirs, setTheirs] = useState<TaggedAccount | null>(null);
  const change = useChangeAccount(account.id);
  const submit = (form: FormData) => {
    const body = { first_name: text(form, "first_name"), last_name: text(form, "last_name"), phone_number: text(form, "phone_number") || null, role: roleOf(form), is_active: form.get("is_active") === "on" };
    change.mutate({ body, tag: base.tag }, {
      onSuccess: (saved) => { setBase(saved); toast(t("accounts.saved")); },
      onError: async (error) => {
        if (!(error instanceof ApiProblem) || error.status !== 412) return;
        setShown({ ...base, ...body });
        setTheirs(await fetchAccount(account.id));
      },
    });
  };
  const resolve = (merged: Record<string, string>, saved: TaggedAccount) => {
    setBase(saved);
    setShown({ ...saved, ...merged, is_active: merged.is_active !== "" } as Account);
    setTheirs(null);
    change.reset();
  };
  const labels = { first_name: t("auth.firstName"), last_name: t("auth.lastName"), phone_number: t("profile.phone"), role: t("members.role"), is_active: t("accounts.active") };
  if (theirs) return <Conflict labels={labels} mine={valuesOf(shown)} before={valuesOf(base)} theirs={valuesOf(theirs)} onResolve={(merged) => resolve(merged, theirs)} />;
  return (
    <div className="stack">
      <form className="stack" onSubmit={(event) => { event.preventDefault(); if (!change.isPending) submit(new FormData(event.currentTarget)); }}>
        <Fields account={shown} error={change.error} />
        <label className="tick-row"><input type="checkbox" name="is_active" defaultChecked={shown.is_active} />{t("accounts.mayUse")}</label>
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
