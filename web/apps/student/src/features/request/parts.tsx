import { formatTime } from "@luna/i18n";
import { Icon } from "@luna/ui";
import { useTranslation } from "react-i18next";
import { useQuote } from "./queries";

/** When the book would be at the place, as the server sees it now; nothing until it has answered. */
export function Quote({ bookId, place }: { bookId: string; place: string | null }) {
  const { t } = useTranslation();
  const quote = useQuote(bookId, place).data;
  if (!quote) return null;
  const { possible, eta_earliest: earliest, eta_latest: latest, queue_ahead: ahead } = quote;
  if (!possible) return <p className="notice tone-need" role="status"><Icon name="alert" />{t("quote.impossible")}</p>;
  const range = earliest && latest && [...new Set([formatTime(earliest), formatTime(latest)])].join("–");
  return (
    <p className="quote" role="status">
      <strong className="figures">{range ? t("quote.arrives", { range }) : t("quote.noTime")}</strong>
      {ahead > 0 && <span className="dim small"> {t("quote.ahead", { count: ahead })}</span>}
    </p>
  );
}
