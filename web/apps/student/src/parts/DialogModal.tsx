import { focusPage, useOpened } from "@luna/ui";
import { Modal } from "@mantine/core";
import { useTranslation } from "react-i18next";
import type { DialogProps } from "./Dialog";

export default function DialogModal({ opened, children, ...props }: DialogProps) {
  const { t } = useTranslation();
  return (
    <Modal {...props} opened={useOpened(opened)} centered onExitTransitionEnd={focusPage} closeButtonProps={{ "aria-label": t("action.close"), size: 44 }}>
      <div className="stack">{children}</div>
    </Modal>
  );
}
