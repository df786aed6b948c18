import { expect, test } from "vitest";
import { checked, matrix } from "./Rights";

const right = (row: string, column: string) => ({ module: "Finance", row, column });

test("rights of one row stand in one row", () => {
  const rights = [right("Invoicing", "Edit"), right("Products", "Inquire")];
  expect(matrix([...rights, right("Invoicing", "Inquire")])).toEqual([
    { module: "Finance", row: "Invoicing", cells: { Edit: undefined, Inquire: undefined } },
    { module: "Finance", row: "Products", cells: { Inquire: undefined } },
  ]);
});

test("a checklist marks what ConnectWise lacks, and the rest as granted", () => {
  const rights = [right("Invoicing", "Edit"), right("Invoicing", "Inquire")];
  const list = checked(rights, ["Finance > Invoicing: Edit"]);
  expect(matrix(list)[0]?.cells).toEqual({ Edit: "missing", Inquire: "granted" });
});
