import { describe, expect, it } from "vitest";
import { ApiError, hasCode, messageFor, problemFrom } from "./problem";

describe("problemFrom", () => {
  it("keeps code, detail, request id and Retry-After", () => {
    const body = { type: "about:blank", title: "Conflict", code: "stream_busy", detail: "Already live.", request_id: "r1" };
    expect(problemFrom(409, body, "7")).toMatchObject(
      { status: 409, code: "stream_busy", message: "Already live.", requestId: "r1", retryAfterS: 7 });
  });

  it("names the fields that a validation refused", () => {
    const body = { code: "invalid_request", detail: "Mend it.", errors: [{ field: "email", message: "No address." }, { field: 3 }] };
    expect(problemFrom(422, body, null).fields).toEqual({ email: "No address." });
  });

  it.each([null, "<html>", [], { detail: 4 }])("has words for an answer that is no problem: %s", (body) => {
    const error = problemFrom(502, body, "Wed, 21 Oct 2026 07:28:00 GMT");
    expect(error).toMatchObject({ code: "unexpected", retryAfterS: null });
    expect(error.message).toContain("502");
  });

  it("falls back to the title", () => {
    expect(problemFrom(500, { code: "internal", title: "Internal Server Error" }, null).message).toBe("Internal Server Error");
  });
});

it("hasCode tells errors apart", () => {
  const error = new ApiError(401, "expired_token", "Expired.");
  expect(hasCode(error, "invalid_token", "expired_token")).toBe(true);
  expect(hasCode(error, "forbidden")).toBe(false);
  expect(hasCode(new Error("expired_token"), "expired_token")).toBe(false);
});

it("messageFor has words for whatever was thrown", () => {
  expect(messageFor(new Error("Said."))).toBe("Said.");
  expect(messageFor("thrown text")).toContain("Try again");
});
