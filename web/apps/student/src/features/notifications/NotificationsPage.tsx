import type { Schemas } from "@luna/api";
import { formatMoment } from "@luna/i18n";
import { Aged, EmptyState, ErrorState, Refusal, Skeletons } from "@luna/ui";
import { Button } from "@mantine/core";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { usePages } from "../../parts/more";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { useMarkAllRead, useMarkRead, useNotifications } from "./queries";

export function NotificationsPage() {
  const { t } = useTranslation();
  const { pages: wanted = 1 } = useSearch({ from: "/app/notifications" });
  const navigate = useNavigate({ from: "/notifications" });
  const query = useNotifications();
  const { pages, isReading } = usePages(query, wanted);
  const showMore = () => void navigate({ search: { pages: wanted + 1 }, replace: true, resetScroll: false });
  const readAll = useMarkAllRead();
  const items = pages?.flatMap((page) => page.items);
  return (
    <div className="stack-lg">
      <ScreenTitle title={t("notifications.title")}>
        {items?.some((each) => !each.is_read) && (
          <Button variant="default" size="md" loading={readAll.isPending} onClick={() => readAll.mutate(undefined)}>{t("notifications.readAll")}</Button>
        )}
      </ScreenTitle>
      <Refusal error={readAll.error} />
      {query.isError && !items && <ErrorState error={query.error} retry={() => void query.refetch()} />}
      {!items && !query.isError && <Skeletons count={5} height={72} />}
      {items?.length === 0 && <EmptyState icon="bell" title={t("notifications.none")} text={t("notifications.noneText")} />}
      {!!items?.length && <Aged fetchedAt={query.dataUpdatedAt}><ul className="plain rows">{items.map((each) => <Notification key={each.id} notification={each} />)}</ul></Aged>}
      {query.hasNextPage && (
        <Button variant="default" size="lg" loading={isReading} onClick={query.isFetchNextPageError ? () => void query.fetchNextPage() : showMore}>{t("search.more")}</Button>
      )}
    </div>
  );
}

function Notification({ notification }: { notification: Schemas["NotificationRead"] }) {
  const { t } = useTranslation();
  const markRead = useMarkRead();
  const { request_id: requestId, return_id: returnId } = notification.payload as { request_id?: string; return_id?: string };
  const read = () => {
    if (!notification.is_read) markRead.mutate(notification.id);
  };
  const title = requestId ? (
    <Link to="/requests/$requestId" params={{ requestId }} className="cover-link" onClick={read}>{notification.title}</Link>
  ) : returnId ? (
    <Link to="/returns/$returnId" params={{ returnId }} className="cover-link" onClick={read}>{notification.title}</Link>
  ) : (
    notification.title
  );
  return (
    <li className={notification.is_read ? "row-link" : "row-link unread"}>
      <div className="grow stack-sm">
        <h2>{title}</h2>
        <p>{notification.message}</p>
        <time className="small dim" dateTime={notification.created_at}>{formatMoment(notification.created_at)}</time>
      </div>
      {!notification.is_read && (
        <button type="button" className="mark" onClick={read} aria-label={t("notifications.read", { title: notification.title })}><i /></button>
      )}
    </li>
  );
}
