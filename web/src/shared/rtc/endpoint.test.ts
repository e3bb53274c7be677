import { afterEach, expect, test, vi } from "vitest";
import { isLost } from "./endpoint";

const SESSION = "http://localhost/whep/stream/1.session";

function answers(response: Response | Error) {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => {
    if (response instanceof Error) throw response;
    return response;
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

function problem(status: number, code: string): Response {
  return new Response(JSON.stringify({ code, detail: "…" }), { status });
}

afterEach(() => vi.unstubAllGlobals());

test("a session that takes a candidate is there", async () => {
  const fetched = answers(new Response(null, { status: 204 }));
  expect(await isLost(SESSION, async () => "token")).toBe(false);
  const [url, init] = fetched.mock.calls[0] ?? [];
  expect(url).toBe(SESSION);
  expect(init).toMatchObject({ method: "PATCH", body: "a=end-of-candidates" });
  expect(init?.headers).toMatchObject({ "If-Match": "*", Authorization: "Bearer token" });
});

test("a session that the server does not know is lost", async () => {
  answers(problem(404, "unknown_session"));
  expect(await isLost(SESSION, async () => null)).toBe(true);
});

test("what can't be found out is no loss: ICE will tell", async () => {
  answers(problem(503, "unavailable"));
  expect(await isLost(SESSION, async () => null)).toBe(false);
  answers(new TypeError("network"));
  expect(await isLost(SESSION, async () => null)).toBe(false);
});
