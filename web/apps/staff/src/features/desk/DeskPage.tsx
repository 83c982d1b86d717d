import { ApiProblem } from "@luna/api";
import { formatDate } from "@luna/i18n";
import { Icon, Loaded, messageOf } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { ScanBox, ScanEntries, useScans, type Entry } from "../../parts/scans";
import { SearchField } from "../../parts/SearchField";
import { MemberLoans } from "./parts";
import { useCheckIn, useCheckOut, useMemberSearch, type Member, type Override } from "./queries";

/** Without a member, scans are returns; with one, they are loans to this member. */
export function DeskPage() {
  const { t } = useTranslation();
  const { q, member: chosen } = useSearch({ from: "/app/desk" });
  const navigate = useNavigate({ from: "/desk" });
  const members = useMemberSearch(q);
  const member = members.data?.find((each) => each.id === chosen);
  const checkOut = useCheckOut();
  const checkIn = useCheckIn();
  const lend = async (code: string, override: Override | null = null) => {
    const loan = await checkOut.mutateAsync({ memberId: member?.id ?? "", code, override });
    return t("desk.lent", { title: loan.book_title, date: formatDate(loan.due_at) });
  };
  const receive = async (code: string) => {
    const { book_title: title, destination, shelf_location: shelf, kept_for: kept } = await checkIn.mutateAsync(code);
    return `${t("desk.received", { title })} ${t(`desk.to.${destination}`, { place: shelf ?? t("pick.noShelf"), name: kept?.member_name ?? "" })}`;
  };
  const wait = () => Promise.reject(new Error(t("desk.unknown"))); // the address names a member: a scan is no return
  const [entries, scan] = useScans(member ? (code) => lend(code) : chosen ? wait : receive);
  return (
    <>
      <Heading title={t("staff.desk")} />
      <div className="columns">
        <section className="stack">
          <div className={`notice tone-${member ? "move" : "wait"}`} role="status">
            <Icon name={member ? "person" : "return"} />
            <span className="grow">{member ? t("desk.lending", { name: nameOf(member) }) : t(chosen ? "desk.unknown" : "desk.receiving")}</span>
            {chosen && <Button variant="default" size="sm" onClick={() => void navigate({ search: {} })}>{t("desk.done")}</Button>}
          </div>
          <ScanBox onScan={scan} label={t("load.scan")} />
          <ScanEntries entries={entries}>{(entry) => member && <LendAnyway key={entry.id} entry={entry} onLend={(override) => lend(entry.code, override)} />}</ScanEntries>
        </section>
        <section className="stack">
          <SearchField label={t("desk.member")} placeholder={t("members.search")} value={q} onChange={(text) => void navigate({ search: { q: text }, replace: true })} />
          {!member && q && <Loaded query={members}>{(found) => <Found members={found} onChoose={(id) => void navigate({ search: { q, member: id } })} />}</Loaded>}
          {member && <MemberLoans member={member} />}
        </section>
      </div>
    </>
  );
}

function nameOf(member: Member): string {
  return `${member.first_name} ${member.last_name}`;
}

function Found({ members, onChoose }: { members: Member[]; onChoose: (id: string) => void }) {
  const { t } = useTranslation();
  if (!members.length) return <p className="dim" role="status">{t("members.none")}</p>;
  return (
    <ul className="plain rows">
      {members.map((member) => (
        <li key={member.id} className="between">
          <span className="grow"><strong>{nameOf(member)}</strong> <span className="dim small block">{member.email} · {t("desk.openLoans", { count: member.open_loans })}</span></span>
          <Button variant="default" onClick={() => onChoose(member.id)}>{t("desk.lend")}<span className="visually-hidden"> {nameOf(member)}</span></Button>
        </li>
      ))}
    </ul>
  );
}

/** A refusal that staff may set aside, with a note. */
function LendAnyway({ entry, onLend }: { entry: Entry; onLend: (override: Override) => Promise<string> }) {
  const { t } = useTranslation();
  const [note, setNote] = useState("");
  const [answer, setAnswer] = useState<string | null>(null);
  const reasons = entry.error instanceof ApiProblem ? entry.error.reasons : [];
  if (!reasons.length) return null;
  if (answer) return <span role="status">{answer}</span>;
  const codes = reasons.map((reason) => reason.code) as Override["codes"];
  const submit = () => void onLend({ codes, note: note.trim() }).then(setAnswer, (error: unknown) => setAnswer(messageOf(error)));
  return (
    <details>
      <summary>{t("desk.anyway")}</summary>
      <form className="scan-box" onSubmit={(event) => { event.preventDefault(); submit(); }}>
        <TextInput label={t("desk.note")} required maxLength={500} value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        <Button type="submit" variant="default">{t("desk.lend")}</Button>
      </form>
    </details>
  );
}
