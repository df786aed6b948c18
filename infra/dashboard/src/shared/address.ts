import { useCallback } from "react";
import { useSearchParams } from "wouter";

/** Filters and page stand in the address, so that a reload or a shared link shows the same. */
export interface AddressState {
  get(name: string): string | undefined;
  /** Change values; an empty one is taken out. Another filter begins at the first page. */
  set(values: Record<string, string | undefined>): void;
  page: number;
}

const PAGE = "page";
const MAX_PAGE = 500;

export function useAddress(): AddressState {
  const [params, setParams] = useSearchParams();
  const set = useCallback(
    (values: Record<string, string | undefined>) =>
      setParams((before) => changed(before, values), { replace: !(PAGE in values) }),
    [setParams],
  );
  return { get: (name) => params.get(name) || undefined, set, page: pageOf(params) };
}

export function changed(
  before: URLSearchParams,
  values: Record<string, string | undefined>,
): URLSearchParams {
  const after = new URLSearchParams(before);
  for (const [name, value] of Object.entries({ [PAGE]: undefined, ...values })) {
    if (value) {
      after.set(name, value);
    } else {
      after.delete(name);
    }
  }
  return after;
}

export function pageOf(params: URLSearchParams): number {
  const page = Number(params.get(PAGE) ?? "1");
  return Number.isInteger(page) && page >= 1 && page <= MAX_PAGE ? page : 1;
}
