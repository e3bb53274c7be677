import { expect, it } from "vitest";
import { giftNote } from "./giftNote";

const ROSE = { gift_id: "rose", name: "Rose", emoji: "🌹", price_minor: 10, currency: "COIN" };
const QUIET = { refusal: null, receipt: null, chosen: ROSE, total: 10, balance: 500, isOwner: false, failed: false };

it.each([
  ["nothing", {}, ""],
  ["a refusal", { refusal: "Your balance is 480." }, "Your balance is 480."],
  ["what is missing", { balance: 480, total: 500 }, "You need 20 coins more for this."],
  ["nothing to a guest", { balance: null, total: 500 }, ""],
  ["an owner", { isOwner: true }, "This is your own stream: gifts come from others."],
  ["that gifts are missing", { chosen: null, failed: true }, "The gifts could not be loaded."],
])("says %s", (_, change, text) => {
  expect(giftNote({ ...QUIET, ...change }).text).toBe(text);
});
