import { Icon, Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { SearchField } from "../../parts/SearchField";
import { useCatalogue, useMerge, useUnmerge, type Book } from "./queries";

/** The same work entered twice: choose the title that stays; it can be undone. */
export function Merge({ book }: { book: Book }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [q, setQ] = useState<string | undefined>(book.title);
  const merge = useMerge(book.id);
  const unmerge = useUnmerge();
  if (merge.data && !unmerge.isSuccess)
    return (
      <div className="notice tone-done" role="status">
        <Icon name="check" />
        <span className="grow">{t("catalogue.merged")} <Link to="/catalogue/$bookId" params={{ bookId: merge.data.into_id }}>{t("book.title")}</Link></span>
        <Button variant="default" size="sm" loading={unmerge.isPending} onClick={() => unmerge.mutate(merge.data.id, { onSuccess: () => { merge.reset(); toast(t("catalogue.unmerged")); } })}>{t("catalogue.unmerge")}</Button>
        <Refusal error={unmerge.error} />
      </div>
    );
  return (
    <details>
      <summary>{t("catalogue.merge")}</summary>
      <div className="stack-sm">
        <p className="dim">{t("catalogue.mergeText")}</p>
        <SearchField label={t("search.label")} value={q} onChange={setQ} />
        <Candidates book={book} q={q} busy={merge.isPending} onChoose={(into) => merge.mutate(into)} />
        <Refusal error={merge.error} />
      </div>
    </details>
  );
}

function Candidates({ book, q, busy, onChoose }: { book: Book; q: string | undefined; busy: boolean; onChoose: (id: string) => void }) {
  const { t } = useTranslation();
  const others = (useCatalogue(q, 1).data?.items ?? []).filter((each) => each.id !== book.id).slice(0, 8);
  return (
    <ul className="plain rows">
      {others.map((each) => (
        <li key={each.id} className="between">
          <span className="grow"><strong>{each.title}</strong> <span className="dim">{[each.author, each.publication_year, each.isbn].filter(Boolean).join(" · ")}</span></span>
          <Button variant="default" size="sm" disabled={busy} onClick={() => onChoose(each.id)}>{t("catalogue.mergeInto")}<span className="visually-hidden"> {each.title}</span></Button>
        </li>
      ))}
    </ul>
  );
}
