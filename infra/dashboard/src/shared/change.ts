import { type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { type Answer, type Api, contentOf, useApi } from "../api/client";
import { useNotify } from "./notices";

/** Read one thing of the API; it is kept under the key. */
export function useRead<T>(key: QueryKey, read: (api: Api) => Answer<T>) {
  const api = useApi();
  return useQuery({ queryKey: key, queryFn: () => contentOf(read(api)) });
}

/**
 * Change something by the API, and tell the person what came of it.
 *
 * Everything on the screen is read again, for a refusal may mean that it is out of date.
 */
export function useChange<T, Input = void>(
  change: (api: Api, input: Input) => Promise<T>,
  { told, after }: { told?: (content: T) => ReactNode; after?: (content: T) => void } = {},
) {
  const api = useApi();
  const notify = useNotify();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (input: Input) => change(api, input),
    onSuccess: (content) => {
      if (told) notify("success", told(content));
      after?.(content);
    },
    onError: (error) => notify("error", error.message),
    onSettled: () => queries.invalidateQueries(),
  });
}
