import { expect, test } from "vitest";
import { connectInput } from "./Connect";

const keys = { company_id: " acme ", public_key: "pub", private_key: "priv" };

test("what is left empty is left out", () => {
  const sent = connectInput({ ...keys, site_url: " ", date_from: "" });
  expect(sent).toEqual({ company_id: "acme", public_key: "pub", private_key: "priv" });
});

test("the earliest invoice date is a filter, and the site a trimmed address", () => {
  const form = { ...keys, site_url: " cw.example.com ", date_from: "2026-01-31" };
  expect(connectInput(form)).toMatchObject({
    site_url: "cw.example.com",
    filters: { invoices: { date_from: "2026-01-31" } },
  });
});
