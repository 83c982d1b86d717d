import { api } from "@luna/api";
import { Icon, Refusal, useTitle } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

export function ForgotPasswordPage() {
  const { t } = useTranslation();
  useTitle(t("auth.forgot"));
  const ask = useMutation({ mutationFn: (email: string) => api.POST("/api/v1/auth/forgot-password", { body: { email } }) });
  return (
    <form
      className="stack card auth"
      onSubmit={(event) => {
        event.preventDefault();
        if (!ask.isPending) ask.mutate(String(new FormData(event.currentTarget).get("email")));
      }}
    >
      <h1>{t("auth.forgot")}</h1>
      <p className="dim">{t("auth.forgotText")}</p>
      <TextInput name="email" type="email" label={t("auth.email")} autoComplete="username" required size="lg" />
      <Refusal error={ask.error} />
      {ask.isSuccess && <div className="notice tone-done" role="status"><Icon name="check" />{t("auth.forgotSent")}</div>}
      <Button type="submit" size="lg" loading={ask.isPending}>{t("auth.forgotSend")}</Button>
      <p className="small"><Link to="/sign-in">{t("auth.signIn")}</Link></p>
    </form>
  );
}
