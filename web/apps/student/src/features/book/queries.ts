import { api, dataOf } from "@luna/api";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

export function useBook(bookId: string) {
  return useQuery({
    queryKey: ["book", bookId],
    queryFn: () => dataOf(api.GET("/api/v1/books/{book_id}", { params: { path: { book_id: bookId }, query: { actions: true } } })),
  });
}

export function useAvailability(bookId: string) {
  return useQuery({
    queryKey: ["availability", bookId],
    queryFn: () => dataOf(api.GET("/api/v1/books/{book_id}/availability", { params: { path: { book_id: bookId } } })),
  });
}

/** Join the queue for a book that has no free copy. */
export function usePlaceHold(bookId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => dataOf(api.POST("/api/v1/holds", { body: { book_id: bookId } })),
    onSuccess: () => {
      for (const name of ["holds", "book", "loan-summary"]) void client.invalidateQueries({ queryKey: [name] });
    },
  });
}
