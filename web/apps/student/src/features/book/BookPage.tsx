import type { Schemas } from "@luna/api";
import { formatDate, inWords } from "@luna/i18n";
import { BookPill, Cover, Icon, Loaded, Refusal, Skeletons } from "@luna/ui";
import { Button } from "@mantine/core";
import { Link, useParams } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { useAvailability, useBook, usePlaceHold } from "./queries";

export function BookPage() {
  const { bookId } = useParams({ from: "/app/books/$bookId" });
  const book = useBook(bookId);
  return <Loaded query={book} skeleton={<Skeletons count={3} height={140} />}>{(data) => <Book book={data} />}</Loaded>;
}

function Book({ book }: { book: Schemas["BookDetail"] }) {
  return (
    <article className="stack-lg">
      <div className="book-head">
        <Cover title={book.title} author={book.author} width={112} />
        <div className="stack-sm grow">
          <ScreenTitle title={book.title} back />
          {book.subtitle && <p>{book.subtitle}</p>}
          <p className="dim">{[book.author, ...book.contributors].join(", ")}</p>
          <p><BookPill status={book.status} /></p>
        </div>
      </div>
      <Availability book={book} />
      {book.description && <p className="prose">{book.description}</p>}
      <Facts book={book} />
    </article>
  );
}

function Availability({ book }: { book: Schemas["BookDetail"] }) {
  const { t } = useTranslation();
  const query = useAvailability(book.id);
  const request = book.actions?.find((each) => each.name === "REQUEST");
  return (
    <Loaded query={query} skeleton={<Skeletons count={1} height={96} />}>
      {(now) => (
        <section className="stack" aria-label={t("book.availability")}>
          {request?.allowed ? (
            <Link to="/books/$bookId/request" params={{ bookId: book.id }} className="main-action">
              <Icon name="robot" size={24} />{t("book.request")}
            </Link>
          ) : (
            <div className="notice tone-wait">
              <Icon name="clock" />
              <div>
                <strong>{t("book.notNow")}</strong>
                {request?.reasons.map((reason) => <p key={reason.code}>{inWords(reason.message, reason.code)}</p>)}
                {!now.available && <p>{now.next_due_at ? t("book.nextDue", { date: formatDate(now.next_due_at) }) : t("book.noDate")}</p>}
              </div>
            </div>
          )}
          <JoinQueue book={book} />
          <Shelves now={now} />
        </section>
      )}
    </Loaded>
  );
}

/** The queue for a book without a free copy, where the server offers it. */
function JoinQueue({ book }: { book: Schemas["BookDetail"] }) {
  const { t } = useTranslation();
  const place = usePlaceHold(book.id);
  const action = book.actions?.find((each) => each.name === "PLACE_HOLD");
  if (place.data) return <p className="notice tone-done" role="status"><Icon name="check" /><span>{t("holds.placed", { position: place.data.position ?? 1 })} <Link to="/holds">{t("holds.see")}</Link></span></p>;
  if (!action?.allowed) return null;
  return (
    <>
      <Button size="lg" loading={place.isPending} onClick={() => place.mutate()}>{t("holds.join")}</Button>
      <Refusal error={place.error} />
    </>
  );
}

function Shelves({ now }: { now: Schemas["Availability"] }) {
  const { t } = useTranslation();
  return (
    <ul className="plain facts">
      <li><span>{t("book.copiesLabel")}</span><span className="figures">{t("book.copies", { available: now.copies_available, total: now.copies_total })}</span></li>
      {now.shelves.filter((shelf) => shelf.shelf_location).map((shelf) => (
        <li key={`${shelf.shelf_location}${shelf.status}`}><span>{t("book.shelf")}</span><span>{shelf.shelf_location}</span></li>
      ))}
      {now.holds_waiting > 0 && <li><span>{t("book.waiting")}</span><span className="figures">{now.holds_waiting}</span></li>}
    </ul>
  );
}

function Facts({ book }: { book: Schemas["BookDetail"] }) {
  const { t } = useTranslation();
  const facts = [
    [t("book.publisher"), [book.publisher, book.publication_year].filter(Boolean).join(", ")],
    [t("book.edition"), book.edition],
    [t("book.callNumber"), book.call_number],
    [t("book.language"), book.language],
    ["ISBN", book.isbn],
  ].filter(([, value]) => value);
  return (
    <section className="stack-sm" aria-label={t("book.details")}>
      <dl className="facts">
        {facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
      {book.subjects.length > 0 && (
        <p className="row">
          {book.subjects.map((subject) => <Link key={subject} to="/" search={{ subject }} className="chip">{subject}</Link>)}
        </p>
      )}
    </section>
  );
}
