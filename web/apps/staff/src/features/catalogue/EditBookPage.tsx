import { ApiProblem } from "@luna/api";
import { Icon, Loaded, Refusal, useToast, fieldsOf } from "@luna/ui";
import { Button, Textarea, TextInput } from "@mantine/core";
import { useNavigate, useParams } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { Conflict } from "../../parts/Conflict";
import { Heading } from "../../parts/Heading";
import { Merge } from "./Merge";
import { Copies } from "./parts";
import { FIELDS, fetchBook, formOf, useBook, useCreateBook, useSaveBook, type Book, type Field, type Form } from "./queries";

const REQUIRED: Field[] = ["title", "author"];

export function EditBookPage() {
  const { bookId } = useParams({ from: "/app/catalogue/$bookId" });
  const book = useBook(bookId);
  return <Loaded query={book}>{(data) => <Edit key={data.id} book={data} />}</Loaded>;
}

function Edit({ book }: { book: Book }) {
  const { t } = useTranslation();
  const toast = useToast();
  const [base, setBase] = useState(book);
  const [form, setForm] = useState(() => formOf(book));
  const [theirs, setTheirs] = useState<Book | null>(null);
  const save = useSaveBook(base);
  const submit = () =>
    save.mutate({ form, version: base.version }, {
      onSuccess: (saved) => { setBase(saved); setForm(formOf(saved)); toast(t("catalogue.saved")); },
      onError: async (error) => { if (error instanceof ApiProblem && error.status === 412) setTheirs(await fetchBook(book.id)); },
    });
  return (
    <div className="stack-lg">
      <Heading title={base.title} />
      {theirs ? (
        <Conflict
          labels={Object.fromEntries(FIELDS.map((field) => [field, t(`field.${field}`)]))} mine={form} before={formOf(base)} theirs={formOf(theirs)}
          onResolve={(merged) => { setBase(theirs); setForm(merged as Form); setTheirs(null); save.reset(); }}
        />
      ) : (
        <Refusal error={save.error} />
      )}
      <BookForm form={form} onChange={setForm} errors={fieldsOf(save.error)} onSubmit={submit} busy={save.isPending} label={t("profile.save")} />
      <Copies bookId={book.id} />
      <Merge book={base} />
    </div>
  );
}

export function NewBookPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const [form, setForm] = useState(() => formOf(null));
  const [copies, setCopies] = useState("1");
  const create = useCreateBook();
  const isSent = create.isPending || create.isSuccess; // until the next page is there
  const submit = () => {
    if (isSent) return;
    create.mutate({ form, copies: Number(copies) }, { onSuccess: (book) => void navigate({ to: "/catalogue/$bookId", params: { bookId: book.id } }) });
  };
  return (
    <div className="stack-lg">
      <Heading title={t("catalogue.add")} />
      <Refusal error={create.error} />
      <BookForm form={form} onChange={setForm} errors={fieldsOf(create.error)} onSubmit={submit} busy={isSent} label={t("catalogue.create")}>
        <TextInput type="number" min={0} max={100} label={t("book.copiesLabel")} value={copies} onChange={(event) => setCopies(event.currentTarget.value)} required />
      </BookForm>
    </div>
  );
}

interface FormProps {
  form: Form; onChange: (form: Form) => void; errors: Record<string, string>; onSubmit: () => void; busy: boolean; label: string; children?: React.ReactNode;
}

function BookForm({ form, onChange, errors, onSubmit, busy, label, children }: FormProps) {
  const { t } = useTranslation();
  return (
    <form className="card stack" onSubmit={(event) => { event.preventDefault(); if (!busy) onSubmit(); }}>
      <div className="fields">
        {FIELDS.filter((field) => field !== "description").map((field) => (
          <TextInput
            key={field} label={t(`field.${field}`)} required={REQUIRED.includes(field)} error={errors[field]} inputMode={field === "publication_year" ? "numeric" : undefined}
            value={form[field]} onChange={(event) => onChange({ ...form, [field]: event.currentTarget.value })}
          />
        ))}
        {children}
      </div>
      <Textarea label={t("field.description")} rows={4} error={errors.description} value={form.description} onChange={(event) => onChange({ ...form, description: event.currentTarget.value })} />
      <div className="row"><Button type="submit" loading={busy} leftSection={<Icon name="check" size={16} />}>{label}</Button></div>
    </form>
  );
}
