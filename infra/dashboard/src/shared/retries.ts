import { texts } from "../texts";
import { count } from "./format";

const words = texts.problems;

export interface RetryOutcome {
  retried: number;
  /** Why the others were refused, each reason once. */
  refusals: string[];
}

/** Try each once, one after the other; what is refused does not keep the others from it. */
export async function retryAll(
  ids: string[],
  retry: (id: string) => Promise<unknown>,
): Promise<RetryOutcome> {
  let retried = 0;
  const refusals = new Set<string>();
  for (const id of ids) {
    try {
      await retry(id);
      retried += 1;
    } catch (error) {
      refusals.add(error instanceof Error ? error.message : texts.failures.other);
    }
  }
  return { retried, refusals: [...refusals] };
}

export function outcomeOf({ retried, refusals }: RetryOutcome): string {
  return [`${words.retried} ${count(retried)}.`, ...refusals].join(" ");
}
