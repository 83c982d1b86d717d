// Every dialog of the dashboard: the stop is inside it too, where Tab reaches it.
import { focusPage, StopButton } from "@luna/ui";
import { Modal } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";

interface Props { opened: boolean; onClose: () => void; title: string; size?: string; children: ReactNode }

export function Dialog({ opened, onClose, title, size = "md", children }: Props) {
  const { t } = useTranslation();
  return (
    <Modal opened={opened} onClose={onClose} title={title} size={size} yOffset="72px" onExitTransitionEnd={focusPage} closeButtonProps={{ "aria-label": t("action.close"), size: 40 }}>
      <div className="stack">
        {children}
        <div className="dialog-stop"><StopButton /></div>
      </div>
    </Modal>
  );
}
