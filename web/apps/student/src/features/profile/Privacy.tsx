import { saveExport, session } from "@luna/api";
import { Refusal, useToast } from "@luna/ui";
import { Button } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Dialog } from "../../parts/Dialog";
import { eraseAccount, resendVerification } from "./queries";

export function Privacy() {
  const { t } = useTranslation();
  const toast = useToast();
  const save = useMutation({ mutationFn: () => saveExport() });
  const resend = useMutation({ mutationFn: resendVerification, onSuccess: () => toast(t("privacy.mailSent")) });
  return (
    <section className="card stack">
      <h2>{t("privacy.title")}</h2>
      <p className="dim">{t("privacy.text")}</p>
      <Button variant="default" size="md" loading={save.isPending} onClick={() => save.mutate()}>{t("privacy.export")}</Button>
      <Button variant="default" size="md" loading={resend.isPending} onClick={() => resend.mutate()}>{t("privacy.resend")}</Button>
      <Refusal error={save.error ?? resend.error} />
      <Erase />
    </section>
  );
}

function Erase() {
  const { t } = useTranslation();
  const [opened, dialog] = useDisclosure(false);
  const erase = useMutation({ mutationFn: eraseAccount, onSuccess: () => session.signOut() });
  return (
    <>
      <Button variant="default" size="md" onClick={dialog.open}>{t("privacy.erase")}</Button>
      <Dialog opened={opened} onClose={dialog.close} title={t("privacy.eraseTitle")}>
        <p>{t("privacy.eraseText")}</p>
        <Refusal error={erase.error} />
        <Button color="red.9" size="lg" loading={erase.isPending} onClick={() => erase.mutate()}>{t("privacy.eraseYes")}</Button>
        <Button variant="default" size="lg" onClick={dialog.close}>{t("privacy.eraseNo")}</Button>
      </Dialog>
    </>
  );
}
