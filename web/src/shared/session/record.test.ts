import { expect, it } from "vitest";
import type { Tokens } from "../api/types";
import { needsRenewal, parseRecord, recordFrom } from "./record";

const TOKENS: Tokens = {
  access_token: "a", token_type: "Bearer", expires_in: 900, refresh_token: "r", refresh_expires_in: 604_800,
  user: { user_id: "u", email: "e@x.test", display_name: "E", roles: ["viewer"], status: "active", created_at: "" },
};

it("comes back from storage as it was", () => {
  const record = recordFrom(TOKENS, 1_000);
  expect(record.accessExpiresAt).toBe(901_000);
  expect(parseRecord(JSON.stringify(record), 2_000)).toEqual(record);
});

it("asks for renewal a minute before the end", () => {
  const record = recordFrom(TOKENS, 0);
  expect(needsRenewal(record, 839_999)).toBe(false);
  expect(needsRenewal(record, 840_000)).toBe(true);
});

it.each([null, "", "{", "null", "{}", '{"accessToken":"a"}'])("%s is no record", (text) => {
  expect(parseRecord(text, 0)).toBeNull();
});

it("is of no use once the refresh token ran out", () => {
  expect(parseRecord(JSON.stringify(recordFrom(TOKENS, 0)), 604_800_000)).toBeNull();
});
