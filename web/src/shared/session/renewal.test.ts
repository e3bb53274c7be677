import { expect, it } from "vitest";
import { ApiError, networkError } from "../api/problem";
import type { Tokens } from "../api/types";
import { recordFrom, type SessionRecord } from "./record";
import { makeRenewal, type RenewalPorts } from "./renewal";

const USER: Tokens["user"] = {
  user_id: "u", email: "e@x.test", display_name: "E", roles: [], status: "active", created_at: "",
};

/** A browser with one storage and one lock for all its tabs, and a server that allows each refresh token once. */
class Browser {
  stored: SessionRecord | null = recordFrom(this.tokens(0), 0);
  spent: string[] = [];
  refusal: ApiError | null = null;
  private lock: Promise<unknown> = Promise.resolve();

  tab(): (wanting: string) => Promise<SessionRecord | null> {
    const ports: RenewalPorts = {
      load: () => this.stored,
      save: (record) => {
        this.stored = record;
      },
      end: () => {
        this.stored = null;
      },
      exclusively: (work) => {
        const mine = this.lock.then(work);
        this.lock = mine.catch(() => null);
        return mine;
      },
      refresh: async (token) => {
        if (this.refusal) throw this.refusal;
        if (this.spent.includes(token)) throw new ApiError(401, "invalid_refresh_token", "Spent.");
        this.spent.push(token);
        return this.tokens(this.spent.length);
      },
      now: () => 0,
    };
    return makeRenewal(ports);
  }

  private tokens(number: number): Tokens {
    return {
      access_token: `a${number}`, token_type: "Bearer", expires_in: 900, refresh_token: `r${number}`,
      refresh_expires_in: 604_800, user: USER,
    };
  }
}

it("asks once for many callers in one tab", async () => {
  const browser = new Browser();
  const renew = browser.tab();
  const records = await Promise.all([renew("a0"), renew("a0"), renew("a0")]);
  expect(records.map((record) => record?.accessToken)).toEqual(["a1", "a1", "a1"]);
  expect(browser.spent).toEqual(["r0"]);
});

it("never spends a refresh token twice, however many tabs there are", async () => {
  const browser = new Browser();
  const records = await Promise.all(Array.from({ length: 5 }, () => browser.tab()("a0")));
  expect(new Set(records.map((record) => record?.accessToken))).toEqual(new Set(["a1"]));
  expect(browser.spent).toEqual(["r0"]);
});

it("ends the session when the server does", async () => {
  const browser = new Browser();
  browser.refusal = new ApiError(401, "invalid_refresh_token", "Spent.");
  await expect(browser.tab()("a0")).resolves.toBeNull();
  expect(browser.stored).toBeNull();
});

it("keeps the session when the server cannot be reached, and can try again", async () => {
  const browser = new Browser();
  browser.refusal = networkError();
  const renew = browser.tab();
  await expect(renew("a0")).rejects.toMatchObject({ code: "network" });
  browser.refusal = null;
  await expect(renew("a0")).resolves.toMatchObject({ accessToken: "a1" });
});

it("gives null to a guest", async () => {
  const browser = new Browser();
  browser.stored = null;
  await expect(browser.tab()("a0")).resolves.toBeNull();
});
