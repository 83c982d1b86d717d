import { Button } from "@mantine/core";
import { useState } from "react";
import { useTranslation } from "react-i18next";

type Values = Record<string, string>;
/** `labels`: of the fields, in their order; `before`: what was read when the form was opened. */
interface Props { labels: Values; mine: Values; before: Values; theirs: Values; onResolve: (merged: Values) => void }

/** Somebody else saved first: the fields that differ, side by side, each to be chosen. */
export function Conflict({ labels, mine, before, theirs, onResolve }: Props) {
  const { t } = useTranslation();
  const fields = Object.keys(labels);
  const differing = fields.filter((field) => theirs[field] !== mine[field]);
  const [keep, setKeep] = useState<Set<string>>(() => new Set(differing.filter((field) => mine[field] !== before[field])));
  const choose = (field: string, own: boolean) => setKeep((present) => new Set(own ? [...present, field] : [...present].filter((each) => each !== field)));
  const merged = () => Object.fromEntries(fields.map((field) => [field, (keep.has(field) ? mine : theirs)[field] ?? ""]));
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
                <th scope="row">{labels[field]}</th>
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
