import { expect, test } from "vitest";
import { texts } from "../texts";
import { ApiError, contentOf, refusal } from "./client";

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
