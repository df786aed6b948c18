import createClient, { type Client } from "openapi-fetch";
import { createContext, useContext } from "react";
import type { Session } from "../session";
import { clockTime } from "../shared/format";
import { texts } from "../texts";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];
export type Amount = Schemas["AmountView"];
export type Api = Client<paths>;

/** The API refused, or could not be reached; the message is a sentence for the person. */
export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number,
    /** Members of the problem document; empty where the answer was none. */
    readonly problem: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** Whether the same request may succeed by itself a little later. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 503;
  }
}

export function newApi(session: Session, baseUrl = ""): Api {
  const api = createClient<paths>({ baseUrl });
  let isAccepted = false;
  api.use({
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await session.token()}`);
      return request;
    },
    async onResponse({ response }) {
      // A sign-in that was never accepted would not be the next time either: that is told instead.
      if (response.status === 401 && isAccepted) await session.signInAgain();
      isAccepted ||= response.ok;
    },
  });
  return api;
}

export type Answer<T> = Promise<{ data?: T; error?: unknown; response: Response }>;

/** Return the content of a good answer. Throws `ApiError` for every other one. */
export async function contentOf<T>(answer: Answer<T>): Promise<T> {
  const { data, error, response } = await answer.catch((cause: unknown) => {
    throw cause instanceof ApiError ? cause : new ApiError(texts.failures.unreachable, 0);
  });
  if (!response.ok) {
    throw refusal(response.status, error, response.headers.get("Retry-After"));
  }
  return data as T;
}

/** The problem document's own sentences, field by field, and when a request too many may come again. */
export function refusal(status: number, body: unknown, retryAfter: string | null = null): ApiError {
  const problem = isRecord(body) ? body : {};
  const fields = Array.isArray(problem.errors) ? problem.errors.filter(isRecord) : [];
  const sentences = fields.map((each) => `${each.field}: ${each.message}`);
  if (sentences.length === 0 && typeof problem.detail === "string") {
    sentences.push(problem.detail);
  }
  if (sentences.length === 0) {
    sentences.push(texts.failures.byStatus[status] ?? texts.failures.other);
  }
  if (status === 429 && !problem.free_at && Number(retryAfter) > 0) {
    sentences.push(
      `${texts.failures.againAt} ${clockTime(Date.now() + Number(retryAfter) * 1000)}.`,
    );
  }
  return new ApiError(sentences.join(" "), status, problem);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = useContext(ApiContext);
  if (!api) {
    throw new Error("The page's parts stand below an ApiContext.");
  }
  return api;
}
