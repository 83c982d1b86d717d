// How much of a list is shown stands in the address: back and a reload show as much as before, at the same place.
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useDrawn, useReturn } from "@luna/ui";
import { useEffect } from "react";

export const MAX_PAGES = 50;

/** The pages to draw, read until as many are there as the address asks for; whether more are being read. */
export function usePages<Page>(query: UseInfiniteQueryResult<InfiniteData<Page>>, wanted: number): { pages: Page[] | undefined; isReading: boolean } {
  const read = query.data?.pages.length ?? 0;
  const isReading = read > 0 && read < wanted && query.hasNextPage && !query.isError;
  const { fetchNextPage, isFetching } = query;
  useEffect(() => {
    if (isReading && !isFetching) void fetchNextPage();
  }, [isReading, isFetching, fetchNextPage]);
  const pages = useDrawn(query.data?.pages);
  useReturn(!!pages && pages.length === read && !isReading);
  return { pages, isReading };
}
