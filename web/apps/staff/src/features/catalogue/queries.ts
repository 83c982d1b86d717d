import { api, dataOf, pageOf, tagOf, type Schemas } from "@luna/api";
import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export type Book = Schemas["BookDetail"];
export const FIELDS = ["title", "subtitle", "author", "isbn", "publisher", "publication_year", "edition", "language", "shelf_location", "call_number", "description"] as const;
export type Field = (typeof FIELDS)[number];
export type Form = Record<Field, string>;

export function useCatalogue(q: string | undefined, page: number) {
  return useQuery({
    queryKey: ["catalogue", q, page],
    placeholderData: keepPreviousData,
    queryFn: () => pageOf(api.GET("/api/v1/books", { params: { query: { q, page, limit: 50 } } })),
  });
}

export function useBook(bookId: string) {
  return useQuery({
    queryKey: ["book", bookId],
    refetchInterval: false,
    refetchOnWindowFocus: false, // a form must not change under the hands
    queryFn: () => fetchBook(bookId),
  });
}

export function fetchBook(bookId: string): Promise<Book> {
  return dataOf(api.GET("/api/v1/books/{book_id}", { params: { path: { book_id: bookId } } }));
}

export function formOf(book: Book | null): Form {
  return Object.fromEntries(FIELDS.map((field) => [field, String(book?.[field] ?? "")])) as Form;
}

function bodyOf(form: Form, fields: readonly Field[]) {
  return Object.fromEntries(
    fields.map((field) => {
      const text = form[field].trim();
      return [field, text === "" ? null : field === "publication_year" ? Number(text) : text];
    }),
  );
}

/** Save the fields that were changed, if nobody else has changed the book since it was read. */
export function useSaveBook(book: Book) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ form, version }: { form: Form; version: number }) => {
      const before = formOf(book);
      const changed = FIELDS.filter((field) => form[field] !== before[field]);
      return dataOf(
        api.PUT("/api/v1/books/{book_id}", {
          params: { path: { book_id: book.id }, header: { "If-Match": tagOf({ version }) } },
          body: bodyOf(form, changed) as Schemas["BookUpdate"],
        }),
      );
    },
    onSuccess: (saved) => {
      client.setQueryData(["book", saved.id], saved);
      void client.invalidateQueries({ queryKey: ["catalogue"] });
    },
  });
}

export function useCreateBook() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ form, copies }: { form: Form; copies: number }) =>
      dataOf(
        api.POST("/api/v1/books", {
          body: { ...bodyOf(form, FIELDS.filter((field) => form[field] !== "")), copies } as Schemas["BookCreate"],
        }),
      ),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["catalogue"] }),
  });
}

export function useCopies(bookId: string) {
  return useQuery({
    queryKey: ["copies", bookId],
    queryFn: async () => (await pageOf(api.GET("/api/v1/books/{book_id}/copies", { params: { path: { book_id: bookId }, query: { limit: 100 } } }))).items,
  });
}

export function useAddCopy(bookId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/books/{book_id}/copies", { params: { path: { book_id: bookId } }, body: {} })),
    onSettled: () => void client.invalidateQueries({ queryKey: ["copies", bookId] }),
  });
}

/** A copy as the scanner sees it: who has it, and what may be done now. */
export function useScanned(barcode: string | null) {
  return useQuery({
    queryKey: ["scanned", barcode],
    enabled: barcode !== null,
    queryFn: () => dataOf(api.GET("/api/v1/copies/{barcode}", { params: { path: { barcode: barcode ?? "" } } })),
  });
}

function useThenRefetch<Input, Output>(mutationFn: (input: Input) => Promise<Output>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn,
    onSettled: () => {
      for (const key of ["copies", "scanned", "book", "catalogue"]) void client.invalidateQueries({ queryKey: [key] });
    },
  });
}

export function useShelve(copy: Schemas["CopyRead"]) {
  const path = { book_id: copy.book_id, copy_id: copy.id };
  return useThenRefetch(() => dataOf(api.PUT("/api/v1/books/{book_id}/copies/{copy_id}/shelve", { params: { path, header: { "If-Match": tagOf(copy) } } })));
}

/** Move copies and holds to another title; this one's address leads there. */
export function useMerge(bookId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (into: string) => dataOf(api.POST("/api/v1/books/{book_id}/merge", { params: { path: { book_id: bookId } }, body: { into } })),
    onSuccess: () => void client.invalidateQueries({ queryKey: ["catalogue"] }), // this page stays as it was, to undo it
  });
}

export function useUnmerge() {
  return useThenRefetch((mergeId: string) => api.DELETE("/api/v1/books/merges/{merge_id}", { params: { path: { merge_id: mergeId } } }));
}
