const MESSAGES: Readonly<Record<string, string>> = {
  NotAllowedError: "The browser may not use the camera or microphone. Allow it in the address bar, then try again.",
  NotFoundError: "No camera or microphone was found. Connect one, then try again.",
  NotReadableError: "Another program is using the camera or microphone. Close it, then try again.",
  OverconstrainedError: "That device is no longer connected. Pick another one.",
};

/** What to do when the browser gave no picture or sound. */
export function captureMessage(error: unknown): string {
  const name = error instanceof Error ? error.name : "";
  return MESSAGES[name] ?? "The camera or screen could not be opened. Try again.";
}
