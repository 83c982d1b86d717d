import type { Schemas } from "@luna/api";
import { Button } from "@mantine/core";
import { useTranslation } from "react-i18next";

interface Props { pagination: Schemas["Pagination"]; onPage: (page: number) => void }

/** Leads through the pages of a list; nothing for a list of one page. */
export function Pager({ pagination: { page, total_pages: pages }, onPage }: Props) {
  const { t } = useTranslation();
  if (pages <= 1) return null;
  return (
    <div className="row" role="group" aria-label={t("catalogue.pages")}>
      <Button variant="default" size="sm" disabled={page <= 1} onClick={() => onPage(page - 1)}>{t("catalogue.previous")}</Button>
      <span className="figures small">{t("catalogue.page", { page, pages })}</span>
      <Button variant="default" size="sm" disabled={page >= pages} onClick={() => onPage(page + 1)}>{t("catalogue.next")}</Button>
    </div>
  );
}
