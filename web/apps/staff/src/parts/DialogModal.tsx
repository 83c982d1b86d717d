import { focusPage, StopButton, useOpened } from "@luna/ui";
import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { DialogProps } from "./Dialog";

export default function DialogModal({ opened, size = "md", children, ...props }: DialogProps) {
  const { t } = useTranslation();
  return (
    <Modal {...props} opened={useOpened(opened)} size={size} yOffset="72px" onExitTransitionEnd={focusPage} closeButtonProps={{ "aria-label": t("action.close"), size: 40 }}>
      <div className="stack">
        {children}
        <div className="dialog-stop"><StopButton /></div>
      </div>
    </Modal>
  );
}
