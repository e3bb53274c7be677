import { send } from "./send";
import type { Tokens } from "./types";

export function login(email: string, password: string): Promise<Tokens> {
  return send<Tokens>("/auth/login", { method: "POST", body: { email, password } });
}

export function register(email: string, password: string, displayName: string): Promise<Tokens> {
  return send<Tokens>("/auth/register", {
    method: "POST",
    body: { email, password, display_name: displayName },
  });
}
