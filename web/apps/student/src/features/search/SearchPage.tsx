import { formatNumber } from "@luna/i18n";
import { Aged, EmptyState, ErrorState, Icon, Skeletons, useTitle, useTyped } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { memo } from "react";
import { useTranslation } from "react-i18next";
import { BookCard, Correction, Facets } from "./parts";
import { usePages } from "../../parts/more";
import { useBooks, useSuggestions, type Book, type Search } from "./queries";

export function SearchPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: "/app/" });
  const navigate = useNavigate({ from: "/" });
  const change = (next: Search, replace = false) => void navigate({ search: { ...search, pages: undefined, ...next }, replace });
  const showMore = () => void navigate({ search: { ...search, pages: (search.pages ?? 1) + 1 }, replace: true, resetScroll: false });
  useTitle(search.q ?? t("search.title"));
  return (
    <div className="stack">
      <h1 className="hero">{t("search.heading")}</h1>
      <SearchBox value={search.q ?? ""} onSearch={(q) => change({ q: q || undefined, exact: undefined }, true)} />
      <div className="row" role="group" aria-label={t("search.filters")}>
        <button type="button" className="chip" aria-pressed={!!search.available} onClick={() => change({ available: search.available ? undefined : true })}>
          <Icon name="check" size={16} />{t("search.availableOnly")}
        </button>
        {(["subject", "language"] as const).map((name) => search[name] && (
          <button key={name} type="button" className="chip" aria-pressed="true" onClick={() => change({ [name]: undefined })}>
            {search[name]}<Icon name="cross" size={16} /><span className="visually-hidden">{t("search.removeFilter")}</span>
          </button>
        ))}
      </div>
      <Results search={search} onChange={change} onMore={showMore} onReset={() => void navigate({ search: {} })} />
    </div>
  );
}

function SearchBox({ value, onSearch }: { value: string; onSearch: (text: string) => void }) {
  const { t } = useTranslation();
  const [text, type] = useTyped(value, onSearch);
  const suggestions = useSuggestions(text.trim()).data ?? [];
  return (
    <form role="search" onSubmit={(event) => { event.preventDefault(); onSearch(text.trim()); }}>
      <TextInput
        size="lg" radius="xl" type="search" name="q" enterKeyHint="search" autoComplete="off" spellCheck={false}
        aria-label={t("search.label")} placeholder={t("search.placeholder")} leftSection={<Icon name="search" size={22} />}
        value={text} list="suggestions"
        onChange={(event) => type(event.currentTarget.value)}
      />
      <datalist id="suggestions">
        {suggestions.map((each) => <option key={each.kind + each.text} value={each.text} label={t(`search.kind.${each.kind}`)} />)}
      </datalist>
    </form>
  );
}

interface ResultsProps { search: Search & { pages?: number }; onChange: (next: Search) => void; onMore: () => void; onReset: () => void }

function Results({ search, onChange, onMore, onReset }: ResultsProps) {
  const { t } = useTranslation();
  const books = useBooks(search);
  const { pages, isReading } = usePages(books, search.pages ?? 1);
  if (books.isError && !books.data) return <ErrorState error={books.error} retry={() => void books.refetch()} />;
  if (!pages) return <Skeletons count={5} height={116} />;
  const [first] = pages;
  const total = first?.pagination.total ?? 0;
  if (!first?.data.length)
    return (
      <EmptyState
        icon="books" title={t("search.none")} text={t("search.noneText")}
        action={<Button variant="default" size="md" onClick={onReset}>{t("search.reset")}</Button>}
      />
    );
  return (
    <div className={books.isPlaceholderData ? "stack stale" : "stack"} aria-busy={books.isFetching}>
      <Correction search={search} text={first.did_you_mean ?? null} onChange={onChange} />
      <Facets facets={first.facets ?? []} search={search} onChange={onChange} />
      <p className="dim small" role="status">{t("search.count", { count: total, total: formatNumber(total) })}</p>
      <Aged fetchedAt={books.dataUpdatedAt}>
        <Books pages={pages} />
      </Aged>
      {books.hasNextPage && (
        <Button variant="default" size="lg" loading={isReading} onClick={books.isFetchNextPageError ? () => void books.fetchNextPage() : onMore}>
          {t("search.more")}
        </Button>
      )}
    </div>
  );
}

const Books = memo(function Books({ pages }: { pages: { data: Book[] }[] }) {
  return <ul className="plain books">{pages.flatMap((page) => page.data.map((book) => <BookCard key={book.id} book={book} />))}</ul>;
});
