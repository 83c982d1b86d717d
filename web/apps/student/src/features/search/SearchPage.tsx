import { formatNumber } from "@luna/i18n";
import { EmptyState, ErrorState, Icon, Skeletons } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useDebouncedCallback } from "@mantine/hooks";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { BookCard } from "./parts";
import { useBooks, type Search } from "./queries";

const TYPING_PAUSE = 250; // ms

export function SearchPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/" });
  const navigate = useNavigate({ from: "/" });
  const change = (next: Search, replace = false) => void navigate({ search: { ...search, ...next }, replace });
  useEffect(() => {
    document.title = `${search.q ?? t("search.title")} · LUNA`;
  }, [search.q, t]);
  return (
    <div className="stack">
      <h1 className="hero">{t("search.heading")}</h1>
      <SearchBox key={search.q === undefined ? "empty" : "filled"} value={search.q ?? ""} onSearch={(q) => change({ q: q || undefined }, true)} />
      <div className="row" role="group" aria-label={t("search.filters")}>
        <button type="button" className="chip" aria-pressed={!!search.available} onClick={() => change({ available: search.available ? undefined : true })}>
          <Icon name="check" size={16} />{t("search.availableOnly")}
        </button>
        {search.subject && (
          <button type="button" className="chip" aria-pressed="true" onClick={() => change({ subject: undefined })}>
            {search.subject}<Icon name="cross" size={16} /><span className="visually-hidden">{t("search.removeFilter")}</span>
          </button>
        )}
      </div>
      <Results search={search} onReset={() => void navigate({ search: {} })} />
    </div>
  );
}

function SearchBox({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState(value);
  const later = useDebouncedCallback(onSearch, TYPING_PAUSE);
  return (
    <form role="search" onSubmit={(event) => { event.preventDefault(); onSearch(text.trim()); }}>
      <TextInput
        size="lg" radius="xl" type="search" name="q" enterKeyHint="search" autoComplete="off" spellCheck={false}
        aria-label={t("search.label")} placeholder={t("search.placeholder")} leftSection={<Icon name="search" size={22} />}
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          later(event.currentTarget.value.trim());
        }}
      />
    </form>
  );
}

function Results({ search, onReset }: { search: Search; onReset: () => void }) {
  const { t } = useTranslation();
  const books = useBooks(search);
  if (books.isError && !books.data) return <ErrorState error={books.error} retry={() => void books.refetch()} />;
  if (!books.data) return <Skeletons count={5} height={116} />;
  const items = books.data.pages.flatMap((page) => page.items);
  const total = books.data.pages[0]?.pagination.total ?? 0;
  if (!items.length)
    return (
      <EmptyState
        icon="books" title={t("search.none")} text={t("search.noneText")}
        action={<Button variant="default" size="md" onClick={onReset}>{t("search.reset")}</Button>}
      />
    );
  return (
    <div className={books.isPlaceholderData ? "stack stale" : "stack"} aria-busy={books.isFetching}>
      <p className="dim small" role="status">{t("search.count", { total: formatNumber(total) })}</p>
      <ul className="plain books">
        {items.map((book) => <BookCard key={book.id} book={book} />)}
      </ul>
      {books.hasNextPage && (
        <Button variant="default" size="lg" loading={books.isFetchingNextPage} onClick={() => void books.fetchNextPage()}>
          {t("search.more")}
        </Button>
      )}
    </div>
  );
}
