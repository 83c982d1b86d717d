import { api } from "@luna/api";
import { EmptyState, Refusal, useTitle, fieldsOf } from "@luna/ui";
import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

/** The link of the mail carries its token after `#`: it reaches no server and no log. */
export function ResetPasswordPage() {
  const { t } = useTranslation();
  useTitle(t("auth.reset"));
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token"));
  const reset = useMutation({
    mutationFn: (password: string) => api.POST("/api/v1/auth/reset-password", { body: { token: token ?? "", new_password: password } }),
  });
  if (!token) return <EmptyState icon="lock" title={t("auth.noToken")} action={<Link to="/forgot-password">{t("auth.forgot")}</Link>} />;
  if (reset.isSuccess) return <EmptyState icon="check" title={t("auth.resetDone")} action={<Link to="/sign-in" className="main-action">{t("auth.signIn")}</Link>} />;
  const fields = fieldsOf(reset.error);
  return (
    <form
      className="stack card auth"
      onSubmit={(event) => {
        event.preventDefault();
        if (!reset.isPending) reset.mutate(String(new FormData(event.currentTarget).get("password")));
      }}
    >
      <h1>{t("auth.reset")}</h1>
      <PasswordInput
        name="password" label={t("auth.newPassword")} description={t("auth.passwordRule")} autoComplete="new-password" minLength={8} required size="lg"
        error={fields.new_password} visibilityToggleButtonProps={{ "aria-label": t("auth.showPassword"), tabIndex: 0 }}
      />
      {!fields.new_password && <Refusal error={reset.error} />}
      <Button type="submit" size="lg" loading={reset.isPending}>{t("auth.resetSave")}</Button>
    </form>
  );
}
