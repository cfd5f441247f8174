import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import { ViolationsSchema } from "../gen/buf/validate/validate_pb";
import { explain, isPassing, isSignedOut } from "./errors";

function refused(code: Code, ...violations: { path: string[]; ruleId?: string; message: string }[]) {
  const details = {
    desc: ViolationsSchema,
    value: create(ViolationsSchema, {
      violations: violations.map(({ path, ruleId = "", message }) => ({
        field: { elements: path.map((fieldName) => ({ fieldName })) },
        ruleId,
        message,
      })),
    }),
  };
  return new ConnectError("refused", code, { "x-request-id": "r-1" }, [details]);
}

describe("fields", () => {
  test("are named as in the generated types, and carry whole sentences", () => {
    const problem = explain(
      refused(
        Code.InvalidArgument,
        { path: ["tenant_name"], message: "use another name" },
        { path: ["limits", "max_sockets"], message: "Must be positive." },
      ),
    );
    expect(problem.fields).toEqual({
      tenantName: "Use another name.",
      "limits.maxSockets": "Must be positive.",
    });
    expect(problem.kind).toBe("invalid");
    expect(problem.requestId).toBe("r-1");
  });

  test("in a list are named with their place", () => {
    const value = create(ViolationsSchema, {
      violations: [
        {
          field: {
            elements: [
              { fieldName: "origins" },
              { fieldName: "the_list", subscript: { case: "index", value: 2n } },
            ],
          },
          message: "not an origin",
        },
      ],
    });
    const error = new ConnectError("refused", Code.InvalidArgument, {}, [{ desc: ViolationsSchema, value }]);
    expect(explain(error).fields).toEqual({ "origins.theList.2": "Not an origin." });
  });

  test("say one thing at a time", () => {
    const problem = explain(
      refused(
        Code.InvalidArgument,
        { path: ["name"], message: "too short" },
        { path: ["name"], message: "wrong characters" },
      ),
    );
    expect(problem.fields).toEqual({ name: "Too short." });
  });

  test("come with every code, so that a taken email is marked too", () => {
    const problem = explain(
      refused(Code.AlreadyExists, { path: ["email"], message: "has an account already" }),
    );
    expect(problem.fields["email"]).toBe("Has an account already.");
  });

  test.each([
    [
      "string.pattern",
      "does not match regex pattern `^[^x]*$`",
      "This has characters that are not allowed here.",
    ],
    ["string.email", "value must be a valid email address", "This is not an email address."],
    ["string.min_len", "value length must be at least 8 characters", "Must be at least 8 characters."],
    ["string.min_len", "must be at least 8 characters", "Must be at least 8 characters."],
    ["required", "value is required", "Fill this in."],
  ])("put the wording of rule %s into ours", (ruleId, message, words) => {
    expect(explain(refused(Code.InvalidArgument, { path: ["f"], ruleId, message })).fields["f"]).toBe(words);
  });
});

test("an unknown failure says nothing of the inside", () => {
  const problem = explain(
    new ConnectError("pq: relation does not exist", Code.Internal, { "x-request-id": "r-2" }),
  );
  expect(problem.kind).toBe("broken");
  expect(JSON.stringify(problem)).not.toContain("relation");
  expect(problem.requestId).toBe("r-2");
});

test("what the server says about a state is passed on", () => {
  const problem = explain(new ConnectError("the key is revoked already", Code.FailedPrecondition));
  expect(problem.message).toBe("The key is revoked already.");
  expect(problem.requestId).toBe("");
});

test("no answer at all is told apart from a bad one", () => {
  const offline = ConnectError.from(new TypeError("Failed to fetch"));
  expect(explain(offline).title).toBe("No answer from the server");
  expect(isPassing(offline)).toBe(true);
  expect(isPassing(new ConnectError("x", Code.Unavailable))).toBe(true);
  expect(isPassing(new ConnectError("x", Code.NotFound))).toBe(false);
  expect(isPassing(new Error("x"))).toBe(false);
});

test("signed out", () => {
  expect(isSignedOut(new ConnectError("x", Code.Unauthenticated))).toBe(true);
  expect(isSignedOut(new ConnectError("x", Code.PermissionDenied))).toBe(false);
});
