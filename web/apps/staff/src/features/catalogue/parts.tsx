import { Loaded, Pill, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { CopyDialog } from "./CopyDialog";
import { useAddCopy, useCopies } from "./queries";

export function Copies({ bookId }: { bookId: string }) {
  const { t } = useTranslation();
  const copies = useCopies(bookId);
  const add = useAddCopy(bookId);
  const { copy: shown } = useSearch({ from: "/app/catalogue/$bookId" });
  const navigate = useNavigate({ from: "/catalogue/$bookId" });
  const show = (copy?: string) => void navigate({ search: { copy }, replace: copy === undefined });
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
                    <th scope="row" className="figures"><button type="button" className="link-button" onClick={() => show(copy.barcode)}>{copy.barcode}</button></th>
                    <td><Pill tone={copy.custody === "ON_SHELF" ? "done" : "wait"} icon={copy.custody === "ON_SHELF" ? "check" : "clock"}>{t(`custody.${copy.custody}`)}</Pill></td>
                    <td>{t(`condition.${copy.condition}`)}</td><td>{copy.shelf_location}</td><td>{copy.call_number}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      <CopyDialog barcode={shown ?? null} onClose={() => show()} />
    </section>
  );
}
