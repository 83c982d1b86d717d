import { api, dataOf } from "@luna/api";
import { useQuery } from "@tanstack/react-query";

export function useBook(bookId: string) {
  return useQuery({
    queryKey: ["book", bookId],
    queryFn: () => dataOf(api.GET("/api/v1/books/{book_id}", { params: { path: { book_id: bookId } } })),
  });
}

export function useAvailability(bookId: string) {
  return useQuery({
    queryKey: ["availability", bookId],
    queryFn: () => dataOf(api.GET("/api/v1/books/{book_id}/availability", { params: { path: { book_id: bookId } } })),
  });
}
