import { session, useSession } from "@luna/api";
import { EmptyState, Refusal, useTitle, fieldsOf } from "@luna/ui";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";
import { useTranslation } from "react-i18next";

export function RegisterPage() {
  const { t } = useTranslation();
  useTitle(t("auth.register"));
  const state = useSession();
  const register = useMutation({
    mutationFn: (form: FormData) =>
      session.register({
        first_name: String(form.get("first_name")),
        last_name: String(form.get("last_name")),
        email: String(form.get("email")),
        password: String(form.get("password")),
      }),
  });
  if (state.status === "signed-in") return <Navigate to="/" replace />;
  if (register.data === false) return <EmptyState icon="check" title={t("auth.checkMail")} text={t("auth.checkMailText")} action={<Link to="/sign-in">{t("auth.signIn")}</Link>} />;
  const fields = fieldsOf(register.error);
  return (
    <form
      className="stack card auth"
      onSubmit={(event) => {
        event.preventDefault();
        if (!register.isPending) register.mutate(new FormData(event.currentTarget));
      }}
    >
      <h1>{t("auth.register")}</h1>
      <div className="two">
        <TextInput name="first_name" label={t("auth.firstName")} autoComplete="given-name" required size="lg" error={fields.first_name} />
        <TextInput name="last_name" label={t("auth.lastName")} autoComplete="family-name" required size="lg" error={fields.last_name} />
      </div>
      <TextInput name="email" type="email" label={t("auth.email")} autoComplete="username" required size="lg" error={fields.email} />
      <PasswordInput
        name="password" label={t("auth.password")} description={t("auth.passwordRule")} autoComplete="new-password"
        minLength={8} required size="lg" error={fields.password}
        visibilityToggleButtonProps={{ "aria-label": t("auth.showPassword"), tabIndex: 0 }}
      />
      {!Object.keys(fields).length && <Refusal error={register.error} />}
      <Button type="submit" size="lg" loading={register.isPending}>{t("auth.register")}</Button>
      <p className="small">{t("auth.haveAccount")} <Link to="/sign-in">{t("auth.signIn")}</Link></p>
    </form>
  );
}
