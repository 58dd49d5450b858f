// Requests to the listener this page came from: what is asked, what is done, and who asks.
import { signal } from "@preact/signals";

/** Who the server says is asking. */
export interface Session {
  name: string;
  role: "viewer" | "operator" | "admin";
  /** Sent with each action; none where no session is needed. */
  csrf: string | null;
  expiresAt: string | null;
  node: string;
  build: string;
  environment: string;
}

/** An error as the server tells it (RFC 9457), or that it did not answer. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly next: string | undefined,
  ) {
    super(message);
  }
}

/** `undefined` until the server has told; `null` when somebody has to log in. */
export const session = signal<Session | null | undefined>(undefined);
/** Why the last session ended, for whoever logs in again. */
export const ended = signal<string | undefined>(undefined);

/** Why it is not known who asks, while the server does not say. */
export const unanswered = signal<Problem | undefined>(undefined);

export const OPS = "/ops/v1/";

export async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  const answer = await request(path, options);
  return (await answer.json()) as T;
}

export async function request(path: string, options: RequestInit = {}): Promise<Response> {
  let answer: Response;
  try {
    answer = await fetch(OPS + path, { credentials: "same-origin", ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "unreachable", "the server does not answer", "it is asked again by itself");
  }
  if (answer.ok) return answer;
  const problem = await told(answer);
  if (answer.status === 401 && path !== "session") {
    if (session.peek()) ended.value = "The session has ended. Nothing was done with it.";
    session.value = null;
  }
  throw problem;
}

async function told(answer: Response): Promise<Problem> {
  const text = await answer.text();
  try {
    const body = JSON.parse(text) as { code?: string; detail?: string; next?: string };
    return new Problem(answer.status, body.code ?? "error", body.detail ?? answer.statusText, body.next);
  } catch {
    return new Problem(answer.status, "error", text.slice(0, 200) || answer.statusText, undefined);
  }
}

/** Sends a body, with what proves that this page and no other does. */
export function send<T>(path: string, body: unknown): Promise<T> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  const csrf = session.peek()?.csrf;
  if (csrf) headers["x-ordo-csrf"] = csrf;
  return ask<T>(path, { method: "POST", headers, body: JSON.stringify(body) });
}

export async function whoAmI(): Promise<void> {
  try {
    session.value = await ask<Session>("session");
    unanswered.value = undefined;
  } catch (error) {
    if (error instanceof Problem && error.status === 401) session.value = null;
    else {
      if (error instanceof Problem) unanswered.value = error;
      throw error;
    }
  }
}
