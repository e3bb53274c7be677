/** Mutual exclusion across the tabs of one browser. */

const LEASE_MS = 10_000;
const POLL_MS = 50;

export async function exclusively<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  // Web Locks exist in secure contexts only; a page served by plain HTTP to the LAN has none.
  if (navigator.locks) return await navigator.locks.request(name, work);
  return await underLease(name, work);
}

/** A lease in localStorage: taken when free or run out, checked again after other tabs had time to write. */
async function underLease<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  const key = `lease:${name}`;
  const me = Math.random().toString(36).slice(2);
  for (;;) {
    const [, until] = (localStorage.getItem(key) ?? "").split(" ");
    if (!(Number(until) > Date.now())) {
      localStorage.setItem(key, `${me} ${Date.now() + LEASE_MS}`);
      await pause(POLL_MS);
      if (localStorage.getItem(key)?.startsWith(`${me} `)) break;
    }
    await pause(POLL_MS);
  }
  try {
    return await work();
  } finally {
    localStorage.removeItem(key);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
