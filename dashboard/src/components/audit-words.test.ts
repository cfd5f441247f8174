import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
// biome-ignore lint/style/noRestrictedImports: the test plays the server, which speaks the generated types
import { AuditEventSchema } from "../gen/peal/admin/v1/audit_pb";
import { filterOf, isFiltered, readAuditSearch } from "./audit-search";
import { actionInWords, actorInWords, differencesOf, targetOf } from "./audit-words";

test("an action can be read, whether this version knows it or not", () => {
  expect(actionInWords("app.settings_changed")).toBe("App settings changed");
  expect(actionInWords("walrus.fed")).toBe("Walrus fed");
});

test("what was and what is, field by field", () => {
  const event = create(AuditEventSchema, {
    target: "7",
    via: "apply",
    before: { name: "Chat", "limits.connections": null, enabled: true },
    after: {
      name: "Talk",
      "limits.connections": 5,
      origins: ["https://a.example", "https://b.example"],
      rules: [],
    },
  });
  expect(differencesOf(event)).toEqual([
    { field: "enabled", before: "on", after: undefined },
    { field: "limits.connections", before: "default", after: "5" },
    { field: "name", before: "Chat", after: "Talk" },
    { field: "origins", before: undefined, after: "https://a.example, https://b.example" },
    { field: "rules", before: undefined, after: "none" },
  ]);
  expect(targetOf(event)).toEqual({ name: "Talk", id: "7" });
  expect(actorInWords(event)).toBe("Command on the host (apply)");
});

test("an address says what is looked for", () => {
  const search = readAuditSearch({ q: 7, who: "", action: "app", time: "7d", event: "12", other: "x" });
  expect(search).toEqual({ q: "7", action: "app", time: "7d", event: "12" });
  expect(readAuditSearch({ action: "DROP TABLE", time: "any" })).toEqual({});
  const now = Date.UTC(2026, 4, 8);
  expect(filterOf(search, now)).toEqual({
    text: "7",
    actor: "",
    action: "app",
    target: "",
    since: new Date(Date.UTC(2026, 4, 1)),
  });
  expect(isFiltered({ event: "12" })).toBe(false);
  expect(isFiltered({ q: "x" })).toBe(true);
});
