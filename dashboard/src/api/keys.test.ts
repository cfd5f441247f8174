// @vitest-environment node
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { KeySchema, KeyState } from "../gen/peal/admin/v1/keys_pb";
import { activeFirst, allows, KeyScope, keyForStart } from "./keys";

const { ACTIVE, RETIRING, REVOKED } = KeyState;

test("active keys come first, then those that retire, each kind oldest first", () => {
  const keys = [REVOKED, ACTIVE, RETIRING, REVOKED, ACTIVE].map((state, at) =>
    create(KeySchema, { key: `k${at}`, state }),
  );
  expect(activeFirst(keys).map(({ key }) => key)).toEqual(["k1", "k4", "k2", "k0", "k3"]);
});

test("get started takes an active key that may listen, and rather one that may publish too", () => {
  const key = (name: string, state: KeyState, ...scopes: KeyScope[]) =>
    create(KeySchema, { key: name, state, scopes });
  const publishes = key("publishes", ACTIVE, KeyScope.PUBLISH);
  const listens = key("listens", ACTIVE, KeyScope.SUBSCRIBE);
  const both = key("both", ACTIVE, KeyScope.SUBSCRIBE, KeyScope.PUBLISH);
  const retiring = key("retiring", RETIRING, KeyScope.ALL);
  const all = key("all", ACTIVE, KeyScope.ALL);
  expect(keyForStart([retiring, publishes, listens, both, all])?.key).toBe("both");
  expect(keyForStart([publishes, listens])?.key).toBe("listens");
  expect(keyForStart([publishes, retiring])).toBeUndefined();
  expect(allows(all, KeyScope.QUERY)).toBe(true);
  expect(allows(both, KeyScope.QUERY)).toBe(false);
});
