import { formatAge } from "@luna/i18n";
import { EmptyState, Icon, Loaded } from "@luna/ui";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";
import { Heading } from "../../parts/Heading";
import { useAlerts } from "./queries";

export function AlertsPage() {
  const { t } = useTranslation();
  const alerts = useAlerts();
  return (
    <>
      <Heading title={t("staff.alerts")} />
      <Loaded query={alerts}>
        {({ tasks, robots }) =>
          tasks.length + robots.length ? (
            <ul className="plain stack-sm">
              {robots.map((robot) => (
                <li key={robot.id} className="notice tone-fail">
                  <Icon name={robot.stopped ? "stop" : "offline"} />
                  <div className="grow">
                    <strong>{t(robot.stopped ? "alert.stopped" : "alert.offline", { name: robot.robot_name })}</strong>
                    <p className="small">{[robot.current_location, robot.stop_reason].filter(Boolean).join(" · ")}</p>
                  </div>
                  <Link to="/map" search={{ robot: robot.id }}>{t("alert.showRobot")}</Link>
                </li>
              ))}
              {tasks.map((task) => (
                <li key={task.id} className="notice tone-need">
                  <Icon name="alert" />
                  <div className="grow">
                    <strong>{t("alert.failed", { title: task.book_title })}</strong>
                    <p className="small">{[task.reference, task.failure_reason, t("today.age", { age: formatAge((Date.now() - new Date(task.created_at).getTime()) / 1000) })].filter(Boolean).join(" · ")}</p>
                  </div>
                  <Link to="/" search={{ task: task.id }}>{t("alert.decide")}</Link>
                </li>
              ))}
            </ul>
          ) : (
            <EmptyState icon="check" title={t("alert.none")} text={t("alert.noneText")} />
          )
        }
      </Loaded>
    </>
  );
}
