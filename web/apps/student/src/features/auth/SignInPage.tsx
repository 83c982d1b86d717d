import { session, useSession } from "@luna/api";
import { CampusSignIn, challengeOf, Refusal, SecondFactor, useTitle, useWelcome } from "@luna/ui";
import { Button, PasswordInput, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { Link, Navigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";

export function SignInPage() {
  const { t } = useTranslation();
  useTitle(t("auth.signIn"));
  const welcome = useWelcome(t("auth.welcome"));
  const state = useSession();
  const { then } = useSearch({ from: "/visitors/sign-in" });
  // of a campus sign-in that leads back here
  const [handed, setHanded] = useState(() => new URLSearchParams(location.hash.slice(1)).get("challenge"));
  const signIn = useMutation({
    mutationFn: (form: FormData) => session.signIn(String(form.get("email")), String(form.get("password"))),
  });
  if (state.status === "signed-in") return <Navigate to={then?.startsWith("/") ? then : "/"} replace />;
  const challenge = challengeOf(signIn.error) ?? handed;
  if (challenge) return <SecondFactor challenge={challenge} onBack={() => { signIn.reset(); setHanded(null); }} />;
  return (
    <form
      className="stack card auth"
      onSubmit={(event) => {
        event.preventDefault();
        if (!signIn.isPending) signIn.mutate(new FormData(event.currentTarget));
      }}
    >
      <h1>{t("auth.signIn")}</h1>
      <p className="dim">{welcome}</p>
      <TextInput name="email" type="email" label={t("auth.email")} autoComplete="username" required size="lg" />
      <PasswordInput
        name="password" label={t("auth.password")} autoComplete="current-password" required size="lg"
        visibilityToggleButtonProps={{ "aria-label": t("auth.showPassword"), tabIndex: 0 }}
      />
      <Refusal error={signIn.error} />
      <Button type="submit" size="lg" loading={signIn.isPending}>{t("auth.signIn")}</Button>
      <CampusSignIn />
      <p className="small"><Link to="/forgot-password">{t("auth.forgot")}</Link></p>
      <p className="small">{t("auth.noAccount")} <Link to="/register">{t("auth.register")}</Link></p>
    </form>
  );
}
