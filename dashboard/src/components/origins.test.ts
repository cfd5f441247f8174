import { expect, test } from "vitest";
import { filledRows, messagesByRow, splitOrigins } from "./origins";

test("origins are pasted by lines, spaces and commas", () => {
  expect(splitOrigins(" https://a.example,\n\nhttps://b.example  http://[::1]:3000;")).toEqual([
    "https://a.example",
    "https://b.example",
    "http://[::1]:3000",
  ]);
  expect(splitOrigins(" \n")).toEqual([]);
});

test("empty rows are not sent, and messages find their rows all the same", () => {
  const rows = ["https://a.example", " ", " bad ", ""].map((value) => ({ value }));
  const { list, rowOf } = filledRows(rows);
  expect(list).toEqual(["https://a.example", "bad"]);
  const fields = {
    "origins.list.1": "Not an origin.",
    "origins.list.7": "No such row.",
    "origins.list": "Too many.",
    other: "x",
  };
  expect(messagesByRow(fields, "origins.list", rowOf)).toEqual([{ row: 2, message: "Not an origin." }]);
});
