import { describe, expect, it } from "vitest";
import { ApiError, networkError } from "@shared/api/problem";
import type { GiftOrder } from "@shared/api/wallet";
import type { GiftReceipt } from "@shared/api/types";
import { ChatInterrupted, ChatRefusal } from "@shared/chat/refusal";
import { orderFor, outcomeUnknown, sendGift } from "./giftOrder";

const ORDER: GiftOrder = { request_id: "r1", gift_id: "rose", count: 2 };

function receiptFor(order: GiftOrder): GiftReceipt {
  return { ...order, transaction_id: "t", total_minor: 20, currency: "COIN", balance_minor: 480, posted_at: "" };
}

describe("sendGift", () => {
  it("goes by chat", async () => {
    const receipt = await sendGift(ORDER, {
      chat: async (order) => receiptFor(order),
      http: async () => Promise.reject(new Error("not asked")),
    });
    expect(receipt.request_id).toBe("r1");
  });

  it("goes by HTTP under the same id when the chat broke off", async () => {
    const asked: GiftOrder[] = [];
    await sendGift(ORDER, {
      chat: async () => Promise.reject(new ChatInterrupted()),
      http: async (order) => {
        asked.push(order);
        return receiptFor(order);
      },
    });
    expect(asked).toEqual([ORDER]);
  });

  it("takes a refusal as the answer", async () => {
    const refusal = new ChatRefusal("insufficient_funds", "Too little.");
    const sent = sendGift(ORDER, { chat: async () => Promise.reject(refusal), http: async (order) => receiptFor(order) });
    await expect(sent).rejects.toBe(refusal);
  });
});

describe("orderFor", () => {
  it("keeps the id of an order whose outcome is unknown", () => {
    expect(orderFor("rose", 2, ORDER, () => "r2")).toBe(ORDER);
  });

  it.each([["heart", 2], ["rose", 3]])("makes a new one for %s × %i", (giftId, count) => {
    expect(orderFor(giftId, count, ORDER, () => "r2")).toEqual({ request_id: "r2", gift_id: giftId, count });
  });
});

it("knows which failures leave the outcome open", () => {
  expect([new ChatInterrupted(), networkError(), new ApiError(500, "internal", "")].map(outcomeUnknown)).toEqual([true, true, true]);
  expect([new ChatRefusal("own_stream", ""), new ApiError(409, "insufficient_funds", "")].map(outcomeUnknown)).toEqual([false, false]);
});
