import { Cover, Loaded, Refusal } from "@luna/ui";
import { Button } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { lastPlace, PlacePicker, rememberPlace } from "../../parts/PlacePicker";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { useCreateReturn, useLoan } from "./queries";

export function NewReturnPage() {
  const { t } = useTranslation();
  const { loanId } = useParams({ from: "/app/loans/$loanId/return" });
  const navigate = useNavigate();
  const loan = useLoan(loanId);
  const create = useCreateReturn();
  const [place, setPlace] = useState(lastPlace);
  const isSent = create.isPending || create.isSuccess; // until the next page is there
  return (
    <Loaded query={loan}>
      {(data) => (
        <form
          className="stack-lg"
          onSubmit={(event) => {
            event.preventDefault();
            if (!place || isSent) return;
            create.mutate({ bookId: data.book_id, place }, {
              onSuccess: (created) => {
                rememberPlace(place);
                void navigate({ to: "/returns/$returnId", params: { returnId: created.id }, replace: true });
              },
            });
          }}
        >
          <ScreenTitle title={t("return.title")} back />
          <div className="row raised">
            <Cover title={data.book_title} author="" width={40} />
            <strong className="grow">{data.book_title}</strong>
          </div>
          <PlacePicker legend={t("return.where")} value={place} onChange={setPlace} />
          <p className="dim">{t("return.when")}</p>
          <Refusal error={create.error} />
          <div className="sticky-action">
            <Button type="submit" size="lg" fullWidth disabled={!place} loading={isSent}>{t("return.confirm")}</Button>
          </div>
        </form>
      )}
    </Loaded>
  );
}
