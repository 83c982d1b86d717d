import { api, dataOf, taggedOf } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export function useBookTitle(bookId: string) {
  return useQuery({
    queryKey: ["book", bookId],
    queryFn: () => dataOf(api.GET("/api/v1/books/{book_id}", { params: { path: { book_id: bookId }, query: { actions: true } } })),
  });
}

/** Whether the book can be brought to a place now, and when it would arrive. */
export function useQuote(bookId: string, place: string | null) {
  return useQuery({
    queryKey: ["quote", bookId, place],
    enabled: place !== null,
    queryFn: () => dataOf(api.GET("/api/v1/requests/quote", { params: { query: { book_id: bookId, request_location: place ?? "" } } })),
  });
}

export function useCreateRequest(bookId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ place, notes }: { place: string; notes: string }) =>
      taggedOf(api.POST("/api/v1/requests", { body: { book_id: bookId, request_location: place, notes: notes || null } })),
    onSuccess: (request) => {
      client.setQueryData(["request", request.id], request);
      void client.invalidateQueries({ queryKey: ["requests"] });
      void client.invalidateQueries({ queryKey: ["availability", bookId] });
    },
  });
}
