import { keepPreviousData, type QueryKey, useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import { contentOf } from "../api/client";
import { useAddress } from "./address";

interface Page<T> {
  items: T[];
  next_cursor: string | null;
  /** A search ended early; not every list is searched. */
  is_partial?: boolean;
}

export interface Pages<T> {
  items: T[];
  page: number;
  known: number;
  hasMore: boolean;
  isPartial: boolean;
  isLoading: boolean;
  error: Error | null;
  goTo(page: number): void;
  refresh(): void;
}

/**
 * Follow a list of the API up to the page that the address names.
 *
 * A cursor is known only from the page before, so that a reload of page three reads three.
 */
export function usePages<T>(
  key: QueryKey,
  read: (cursor: string | undefined) => Promise<{
    data?: Page<T>;
    error?: unknown;
    response: Response;
  }>,
  { everySeconds }: { everySeconds?: (items: T[]) => number | false } = {},
): Pages<T> {
  const { page, set } = useAddress();
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ pageParam }) => contentOf(read(pageParam)),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor ?? undefined,
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => {
      const seconds = everySeconds?.(state.data?.pages.flatMap((each) => each.items) ?? []);
      return seconds ? seconds * 1000 : false;
    },
  });
  const known = query.data?.pages.length ?? 0;
  const { hasNextPage, isFetching, fetchNextPage, isError } = query;
  useEffect(() => {
    if (known > 0 && known < page && hasNextPage && !isFetching && !isError) {
      fetchNextPage();
    }
  }, [known, page, hasNextPage, isFetching, isError, fetchNextPage]);
  const shown = Math.min(page, Math.max(known, 1));
  const isLoading = query.isPending || query.isPlaceholderData || (known < page && hasNextPage);
  return {
    items: isLoading ? [] : (query.data?.pages[shown - 1]?.items ?? []),
    page: shown,
    known,
    hasMore: hasNextPage,
    isPartial: query.data?.pages[shown - 1]?.is_partial ?? false,
    isLoading,
    error: query.error,
    goTo: (wanted) => set({ page: wanted > 1 ? String(wanted) : "" }),
    refresh: () => void query.refetch(),
  };
}
