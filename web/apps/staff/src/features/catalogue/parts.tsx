import { Loaded, Pill, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { CopyDialog } from "./CopyDialog";
import { FIELDS, useAddCopy, useCopies, type Field, type Form } from "./queries";

interface ConflictProps { mine: Form; before: Form; theirs: Form; onResolve: (merged: Form) => void }

/** Somebody else saved first: the fields that differ, side by side, each to be chosen. */
export function Conflict({ mine, before, theirs, onResolve }: ConflictProps) {
  const { t } = useTranslation();
  const differing = FIELDS.filter((field) => theirs[field] !== mine[field] && (theirs[field] !== before[field] || mine[field] !== before[field]));
  const [keep, setKeep] = useState<Set<Field>>(() => new Set(differing.filter((field) => mine[field] !== before[field])));
  const choose = (field: Field, own: boolean) => setKeep((present) => new Set(own ? [...present, field] : [...present].filter((each) => each !== field)));
  const merged = () => Object.fromEntries(FIELDS.map((field) => [field, keep.has(field) ? mine[field] : theirs[field]])) as Form;
  return (
    <section className="card stack conflict" role="alert" aria-label={t("conflict.title")}>
      <h2>{t("conflict.title")}</h2>
      <p>{t("conflict.text")}</p>
      <div className="table-scroll">
        <table>
          <thead><tr><th>{t("conflict.field")}</th><th>{t("conflict.mine")}</th><th>{t("conflict.theirs")}</th></tr></thead>
          <tbody>
            {differing.map((field) => (
              <tr key={field}>
                <th scope="row">{t(`field.${field}`)}</th>
                <td><label className="tick-row"><input type="radio" name={field} checked={keep.has(field)} onChange={() => choose(field, true)} />{mine[field] || t("conflict.empty")}</label></td>
                <td><label className="tick-row"><input type="radio" name={field} checked={!keep.has(field)} onChange={() => choose(field, false)} />{theirs[field] || t("conflict.empty")}</label></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className="row"><Button onClick={() => onResolve(merged())}>{t("conflict.take")}</Button></div>
    </section>
  );
}

export function Copies({ bookId }: { bookId: string }) {
  const { t } = useTranslation();
  const copies = useCopies(bookId);
  const add = useAddCopy(bookId);
  const [shown, setShown] = useState<string | null>(null);
  return (
    <section className="stack-sm" aria-label={t("book.copiesLabel")}>
      <div className="between"><h2>{t("book.copiesLabel")}</h2><Button variant="default" size="sm" loading={add.isPending} onClick={() => add.mutate()}>{t("catalogue.addCopy")}</Button></div>
      <Refusal error={add.error} />
      <Loaded query={copies}>
        {(found) => (
          <div className="table-scroll" role="region" aria-label={t("book.copiesLabel")} tabIndex={0}>
            <table>
              <thead><tr><th>{t("task.barcode")}</th><th>{t("copy.custody")}</th><th>{t("copy.condition")}</th><th>{t("book.shelf")}</th><th>{t("book.callNumber")}</th></tr></thead>
              <tbody>
                {found.map((copy) => (
                  <tr key={copy.id}>
                    <th scope="row" className="figures"><button type="button" className="link-button" onClick={() => setShown(copy.barcode)}>{copy.barcode}</button></th>
                    <td><Pill tone={copy.custody === "ON_SHELF" ? "done" : "wait"} icon={copy.custody === "ON_SHELF" ? "check" : "clock"}>{t(`custody.${copy.custody}`)}</Pill></td>
                    <td>{t(`condition.${copy.condition}`)}</td><td>{copy.shelf_location}</td><td>{copy.call_number}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      <CopyDialog barcode={shown} onClose={() => setShown(null)} />
    </section>
  );
}
