// The session has ended while a page was open: the page stays beneath, with what was typed in it.
import { session, useSession } from "@luna/api";
import { Button, PasswordInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { useTranslation } from "react-i18next";
import { challengeOf, SecondFactor } from "./second-factor";
import { Refusal } from "./states";

/** Covers the page until its user has signed in again. */
export default function SignInAgain() {
  const { t } = useTranslation();
  const state = useSession();
  const email = state.status === "expired" ? state.user.email : "";
  const signIn = useMutation({ mutationFn: (password: string) => session.signIn(email, password) });
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => input.current?.focus(), []);
  if (state.status !== "expired") return null;
  const challenge = challengeOf(signIn.error);
  return (
    <div className="expired" role="dialog" aria-modal="true" aria-label={t("expired.title")}>
      {challenge ? (
        <SecondFactor challenge={challenge} onBack={signIn.reset} />
      ) : (
        <form
          className="stack card auth"
          onSubmit={(event) => {
            event.preventDefault();
            if (!signIn.isPending) signIn.mutate(String(new FormData(event.currentTarget).get("password")));
          }}
        >
          <h1>{t("expired.title")}</h1>
          <p className="dim">{t("expired.text", { email })}</p>
          <input type="hidden" name="email" autoComplete="username" value={email} readOnly />
          <PasswordInput
            name="password" label={t("auth.password")} autoComplete="current-password" required size="lg" ref={input}
            visibilityToggleButtonProps={{ "aria-label": t("auth.showPassword"), tabIndex: 0 }}
          />
          <Refusal error={signIn.error} />
          <Button type="submit" size="lg" loading={signIn.isPending}>{t("auth.signIn")}</Button>
          <Button variant="default" size="md" onClick={() => void session.signOut()}>{t("expired.leave")}</Button>
        </form>
      )}
    </div>
  );
}
