import { api } from "@luna/api";
import { EmptyState, Refusal, useTitle } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

/** Confirmed by a press, not by opening the page: programs that check mails open links too. */
export function VerifyEmailPage() {
  const { t } = useTranslation();
  useTitle(t("verify.title"));
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token"));
  const verify = useMutation({ mutationFn: (value: string) => api.POST("/api/v1/auth/verify-email", { body: { token: value } }) });
  const home = <Link to="/" className="main-action">{t("verify.toApp")}</Link>;
  if (!token) return <EmptyState icon="lock" title={t("auth.noToken")} text={t("verify.again")} action={home} />;
  if (verify.isSuccess) return <EmptyState icon="check" title={t("verify.done")} action={home} />;
  return (
    <form className="stack card auth" onSubmit={(event) => { event.preventDefault(); if (!verify.isPending) verify.mutate(token); }}>
      <h1>{t("verify.title")}</h1>
      <p className="dim">{t("verify.text")}</p>
      <Refusal error={verify.error} />
      <Button type="submit" size="lg" loading={verify.isPending}>{t("verify.confirm")}</Button>
    </form>
  );
}
