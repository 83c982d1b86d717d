import { useLiveStatus } from "@luna/api";
import { Cover, Loaded, Refusal } from "@luna/ui";
import { Button, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { lastPlace, PlacePicker, rememberPlace } from "../../parts/PlacePicker";
import { ScreenTitle } from "../../parts/ScreenTitle";
import { Quote } from "./parts";
import { useBookTitle, useCreateRequest } from "./queries";

export function RequestPage() {
  const { t } = useTranslation();
  const { bookId } = useParams({ from: "/app/books/$bookId/request" });
  const navigate = useNavigate();
  const book = useBookTitle(bookId);
  const create = useCreateRequest(bookId);
  const [place, setPlace] = useState(lastPlace);
  const [notes, setNotes] = useState("");
  const offline = useLiveStatus() === "offline";
  const isSent = create.isPending || create.isSuccess; // until the next page is there
  const submit = () => {
    if (!place || isSent) return;
    create.mutate({ place, notes: notes.trim() }, {
      onSuccess: (request) => {
        rememberPlace(place);
        void navigate({ to: "/requests/$requestId", params: { requestId: request.id }, replace: true });
      },
    });
  };
  return (
    <form className="stack-lg" onSubmit={(event) => { event.preventDefault(); submit(); }}>
      <ScreenTitle title={t("request.title")} back />
      <Loaded query={book}>
        {(data) => (
          <div className="row raised">
            <Cover title={data.title} author={data.author} width={40} />
            <div className="grow"><strong>{data.title}</strong><p className="dim small">{data.author}</p></div>
          </div>
        )}
      </Loaded>
      <PlacePicker legend={t("request.where")} value={place} onChange={setPlace} />
      <TextInput size="md" label={t("request.notes")} description={t("request.notesHint")} maxLength={500} value={notes} onChange={(event) => setNotes(event.currentTarget.value)} />
      <Refusal error={create.error} />
      <div className="sticky-action">
        <Quote bookId={bookId} place={place} />
        <Button type="submit" size="lg" fullWidth disabled={!place || offline} loading={isSent}>{t("request.confirm")}</Button>
        {(offline || !place) && <p className="small dim">{t(offline ? "request.offline" : "request.choose")}</p>}
      </div>
    </form>
  );
}
