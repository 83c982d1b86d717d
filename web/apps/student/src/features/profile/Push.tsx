import { Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useTranslation } from "react-i18next";
import { canPush, isSubscribed, subscribe, unsubscribe } from "../../parts/push";

const KEY = ["push"];

/** Messages on this device; nothing where the library or the browser offers none. */
export function Push({ publicKey }: { publicKey: string | null }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const present = useQuery({ queryKey: KEY, enabled: publicKey !== null && canPush(), queryFn: isSubscribed });
  const onSettled = () => void client.invalidateQueries({ queryKey: KEY });
  const begin = useMutation({ mutationFn: () => subscribe(publicKey ?? ""), onSettled });
  const end = useMutation({ mutationFn: unsubscribe, onSettled });
  if (publicKey === null || present.data === undefined) return null;
  return (
    <div className="stack-sm">
      {present.data ? (
        <>
          <p role="status">{t("push.isOn")}</p>
          <Button variant="default" size="md" loading={end.isPending} onClick={() => end.mutate()}>{t("push.off")}</Button>
        </>
      ) : (
        <Button variant="default" size="md" loading={begin.isPending} onClick={() => begin.mutate()}>{t("push.on")}</Button>
      )}
      {begin.data === false && <p role="alert">{t("push.denied")}</p>}
      <Refusal error={begin.error ?? end.error} />
    </div>
  );
}
