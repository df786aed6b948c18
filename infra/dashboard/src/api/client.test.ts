import { afterEach, expect, test, vi } from "vitest";
import type { Session } from "../session";
import { clockTime } from "../shared/format";
import { texts } from "../texts";
import { ApiError, contentOf, newApi, refusal } from "./client";

afterEach(() => vi.unstubAllGlobals());

test("a refusal is told in the problem document's own sentence", () => {
  const told = refusal(409, { type: "urn:x", detail: "The fetch was used already." });
  expect(told.message).toBe("The fetch was used already.");
  expect(told.problem.type).toBe("urn:x");
});

test("refused fields are named one by one", () => {
  const errors = [
    { field: "company_id", message: "must not be empty." },
    { field: "site_url", message: "must be an address." },
  ];
  const told = refusal(422, { detail: "Values break a stated limit.", errors });
  expect(told.message).toBe("company_id: must not be empty. site_url: must be an address.");
});

test.each([401, 403, 429, 500])("an answer %i without a document has a sentence too", (status) => {
  expect(refusal(status, undefined).message).toBe(texts.failures.byStatus[status]);
});

test("a server out of reach is a sentence that may pass", async () => {
  const failed = contentOf(Promise.reject(new TypeError("Failed to fetch")));
  await expect(failed).rejects.toMatchObject({
    message: texts.failures.unreachable,
    mayPass: true,
  });
});

test("a good answer is its content", async () => {
  const answer = { data: { id: "x" }, response: new Response(null, { status: 200 }) };
  expect(await contentOf(Promise.resolve(answer))).toEqual({ id: "x" });
});

test("a refused answer throws", async () => {
  const answer = { error: { detail: "No." }, response: new Response(null, { status: 404 }) };
  await expect(contentOf(Promise.resolve(answer))).rejects.toBeInstanceOf(ApiError);
});

test("a request too many says when it may come again", () => {
  vi.useFakeTimers({ now: Date.parse("2026-08-31T10:00:00Z") });
  const told = refusal(429, { detail: "That was too often." }, "30");
  vi.useRealTimers();
  const again = clockTime(Date.parse("2026-08-31T10:00:30Z"));
  expect(told.message).toBe(`That was too often. ${texts.failures.againAt} ${again}.`);
});

test("a fetch that is used up leaves the time to its countdown", () => {
  const told = refusal(429, { detail: "Used already.", free_at: "2026-08-31T10:00:00Z" }, "30");
  expect(told.message).toBe("Used already.");
});

function answering(...statuses: number[]) {
  const rest = [...statuses];
  vi.stubGlobal("fetch", async () => Response.json({ items: [] }, { status: rest.shift() }));
  const signInAgain = vi.fn(() => Promise.reject(new Error("left")));
  const session: Session = {
    email: "a@example.com",
    token: async () => "token",
    signInAgain,
    signOut: async () => {},
  };
  return { api: newApi(session, "https://page.example"), signInAgain };
}

test("a sign-in that ends leads to the hosted page", async () => {
  const { api, signInAgain } = answering(200, 401);
  await contentOf(api.GET("/v1/connections"));
  await expect(contentOf(api.GET("/v1/connections"))).rejects.toThrow();
  expect(signInAgain).toHaveBeenCalledOnce();
});

test("a sign-in that was never accepted is told, for it would be refused again", async () => {
  const { api, signInAgain } = answering(401);
  const told = contentOf(api.GET("/v1/connections"));
  await expect(told).rejects.toMatchObject({ status: 401, message: texts.failures.byStatus[401] });
  expect(signInAgain).not.toHaveBeenCalled();
});
