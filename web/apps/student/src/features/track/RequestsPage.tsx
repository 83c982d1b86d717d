import type { Schemas } from "@luna/api";
import { formatMoment, formatTime } from "@luna/i18n";
import { EmptyState, Icon, Loaded, TaskPill } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { useRequests } from "./queries";

export function RequestsPage() {
  const { t } = useTranslation();
  const requests = useRequests();
  return (
    <div className="stack-lg">
      <ScreenTitle title={t("requests.title")} />
      <Loaded query={requests}>
        {(found) =>
          found.length ? (
            <>
              <Group title={t("requests.open")} requests={found.filter(isOpen)} />
              <Group title={t("requests.closed")} requests={found.filter((each) => !isOpen(each))} />
            </>
          ) : (
            <EmptyState icon="robot" title={t("requests.none")} text={t("requests.noneText")} action={<Link to="/" className="main-action">{t("requests.find")}</Link>} />
          )
        }
      </Loaded>
    </div>
  );
}

function isOpen(request: Schemas["RequestRead"]): boolean {
  return request.status !== "COMPLETED" && request.status !== "CANCELLED";
}

function Group({ title, requests }: { title: string; requests: Schemas["RequestRead"][] }) {
  const { t } = useTranslation();
  if (!requests.length) return null;
  return (
    <section className="stack-sm">
      <h2>{title}</h2>
      <ul className="plain rows">
        {requests.map((request) => (
          <li key={request.id} className="row-link">
            <div className="grow stack-sm">
              <Link to="/requests/$requestId" params={{ requestId: request.id }} className="cover-link">{request.book_title}</Link>
              <span className="small dim">{t("requests.to", { place: request.request_location })} · {formatMoment(request.requested_at)}</span>
              <span className="row">
                <TaskPill task={request.task} />
                {isOpen(request) && request.task.eta && <time className="small" dateTime={request.task.eta}>{t("track.about", { time: formatTime(request.task.eta) })}</time>}
              </span>
            </div>
            <Icon name="next" />
          </li>
        ))}
      </ul>
    </section>
  );
}
