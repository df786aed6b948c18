import type { Schemas } from "../api/client";

const MAX_PARTS = 200;

/** Work through what the API does in parts, until no cursor leads to another one. */
export async function allParts<Whole>(
  next: (cursor: string | undefined) => Promise<NoInfer<Whole> & { next_cursor: string | null }>,
  added: (whole: Whole | null, part: Whole) => Whole,
): Promise<Whole> {
  let whole: Whole | null = null;
  let cursor: string | undefined;
  for (let number = 0; number < MAX_PARTS; number++) {
    const part = await next(cursor);
    whole = added(whole, part);
    cursor = part.next_cursor ?? undefined;
    if (!cursor) {
      break;
    }
  }
  return whole as Whole;
}

export type Preview = Pick<Schemas["PreviewView"], "customers" | "invoices">;

/** Counts add up; sums of money are shown where one part holds them whole. */
export function addedPreview(first: Preview | null, second: Preview): Preview {
  if (!first) {
    return second;
  }
  const add = (kind: keyof Preview): Schemas["EffectView"] => ({
    ...first[kind],
    staying: first[kind].staying + second[kind].staying,
    leaving: first[kind].leaving + second[kind].leaving,
    returning: first[kind].returning + second[kind].returning,
    leaving_balances: [],
  });
  return { customers: add("customers"), invoices: add("invoices") };
}

const COUNTS = ["customer_count", "invoice_count", "contested_count"] as const;

export type Archived = Pick<Schemas["ArchivingView"], (typeof COUNTS)[number]>;

export function addedArchived(first: Archived | null, second: Archived): Archived {
  const sums = COUNTS.map((name) => [name, (first?.[name] ?? 0) + second[name]]);
  return Object.fromEntries(sums) as Archived;
}
