import { Icon, useTitle } from "@luna/ui";
import { useRouter } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

/** The page's heading and the title of the document, with a way back where there is one. */
export function ScreenTitle({ title, back, children }: { title: string; back?: boolean; children?: ReactNode }) {
  const { t } = useTranslation();
  const router = useRouter();
  useTitle(title);
  return (
    <div className="screen-title">
      {back && (
        <button type="button" className="icon-button" aria-label={t("action.back")} onClick={() => router.history.back()}>
          <Icon name="back" size={24} />
        </button>
      )}
      <h1 className="grow">{title}</h1>
      {children}
    </div>
  );
}
