// The second step of signing in: a code of the authenticator app, or a recovery code.
import { ApiProblem, session } from "@luna/api";
import { Button, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { Refusal } from "./states";

/** The challenge of a sign-in that needs a code; null for every other answer. */
export function challengeOf(error: unknown): string | null {
  const needed = error instanceof ApiProblem && error.code === "SECOND_FACTOR_REQUIRED" ? error.details.challenge : null;
  return typeof needed === "string" ? needed : null;
}

export function SecondFactor({ challenge, onBack }: { challenge: string; onBack: () => void }) {
  const { t } = useTranslation();
  const confirm = useMutation({ mutationFn: (code: string) => session.confirmSignIn(challenge, code) });
  return (
    <form
      className="stack card auth"
      onSubmit={(event) => {
        event.preventDefault();
        if (!confirm.isPending) confirm.mutate(String(new FormData(event.currentTarget).get("code")).trim());
      }}
    >
      <h1>{t("factor.title")}</h1>
      <p className="dim">{t("factor.text")}</p>
      <TextInput name="code" label={t("factor.code")} autoComplete="one-time-code" spellCheck={false} required size="lg" />
      <Refusal error={confirm.error} />
      <Button type="submit" size="lg" loading={confirm.isPending}>{t("auth.signIn")}</Button>
      <Button variant="default" size="md" onClick={onBack}>{t("action.back")}</Button>
    </form>
  );
}
