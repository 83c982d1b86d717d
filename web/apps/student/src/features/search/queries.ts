import { api, dataOf, type Schemas } from "@luna/api";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";

const PAGE_SIZE = 20;
const MIN_SUGGEST = 2; // letters
export interface Search { q?: string; available?: boolean; subject?: string; language?: string; exact?: boolean }
export type Facet = Schemas["Facet"];
export type Book = Schemas["BookFound"];

export function useBooks({ q, available, subject, language, exact }: Search) {
  return useInfiniteQuery({
    queryKey: ["books", { q, available, subject, language, exact }],
    initialPageParam: 1,
    placeholderData: keepPreviousData,
    queryFn: async ({ pageParam, signal }) => {
      const query = { q, available, subject, language, exact, facets: pageParam === 1, page: pageParam, limit: PAGE_SIZE };
      const { data } = await api.GET("/api/v1/books", { signal, params: { query } });
      if (!data) throw new Error("an answer without data");
      return data;
    },
    getNextPageParam: ({ pagination }) => (pagination.page < pagination.total_pages ? pagination.page + 1 : undefined),
  });
}

/** Completions of what is being typed. */
export function useSuggestions(text: string) {
  return useQuery({
    queryKey: ["suggestions", text],
    enabled: text.length >= MIN_SUGGEST,
    placeholderData: keepPreviousData,
    staleTime: 60_000,
    queryFn: ({ signal }) => dataOf(api.GET("/api/v1/books/suggest", { signal, params: { query: { q: text, limit: 8 } } })),
  });
}
