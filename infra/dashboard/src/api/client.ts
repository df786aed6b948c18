import createClient, { type Client } from "openapi-fetch";
import { createContext, useContext } from "react";
import type { Session } from "../session";
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

export function newApi(session: Session): Api {
  const api = createClient<paths>({ baseUrl: "" });
  api.use({
    async onRequest({ request }) {
      request.headers.set("Authorization", `Bearer ${await session.token()}`);
      return request;
    },
  });
  return api;
}

/** Return the content of a good answer. Throws `ApiError` for every other one. */
export async function contentOf<T>(
  answer: Promise<{ data?: T; error?: unknown; response: Response }>,
): Promise<T> {
  const { data, error, response } = await answer.catch((cause: unknown) => {
    throw cause instanceof ApiError ? cause : new ApiError(texts.failures.unreachable, 0);
  });
  if (!response.ok) {
    throw refusal(response.status, error);
  }
  return data as T;
}

/** The problem document's own sentences, field by field where it names fields. */
export function refusal(status: number, body: unknown): ApiError {
  const problem = isRecord(body) ? body : {};
  const fields = Array.isArray(problem.errors) ? problem.errors.filter(isRecord) : [];
  const sentences = fields.map((each) => `${each.field}: ${each.message}`);
  if (sentences.length === 0 && typeof problem.detail === "string") {
    sentences.push(problem.detail);
  }
  const message = sentences.join(" ") || texts.failures.byStatus[status] || texts.failures.other;
  return new ApiError(message, status, problem);
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
