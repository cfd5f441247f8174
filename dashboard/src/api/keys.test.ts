// @vitest-environment node
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { KeySchema, KeyState } from "../gen/peal/admin/v1/keys_pb";
import { activeFirst } from "./keys";

test("active keys come first, both kinds oldest first", () => {
  const { ACTIVE, REVOKED } = KeyState;
  const keys = [REVOKED, ACTIVE, REVOKED, ACTIVE].map((state, at) =>
    create(KeySchema, { key: `k${at}`, state }),
  );
  expect(activeFirst(keys).map(({ key }) => key)).toEqual(["k1", "k3", "k0", "k2"]);
});
