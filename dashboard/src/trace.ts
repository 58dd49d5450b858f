// What `order trace` answers, for the screens that show it.
import type { Tone } from "./parts/show.tsx";

export type Outcome = "not_reached" | "applied" | "parked" | "dead" | "discarded" | "passed";

export interface Effect {
  lane: string;
  outcome: Outcome;
  at: string | null;
  duplicates: number;
  lastCause: string | null;
  letterId: string | null;
  behind: number;
}

export interface TraceEvent {
  eventId: string;
  streamId: string;
  version: number;
  eventType: string;
  partition: number;
  position: number;
  recordedAt: string;
  causedBy: string | null;
  correlationId: string | null;
  traceId: string | null;
  topic: string | null;
  isPublished: boolean;
  offset: number | null;
  payload: unknown;
  effects: Effect[];
}

export interface Trace {
  orderId: string;
  sentence: string;
  code: string;
  status: string | null;
  lanes: string[];
  events: TraceEvent[];
  states: { version: number; eventType: string; at: string; state: Record<string, unknown> }[];
  next: { command: string; why: string | null }[];
}

export const OUTCOMES: Record<Outcome, { word: string; tone: Tone }> = {
  not_reached: { word: "not yet", tone: "warn" },
  applied: { word: "applied", tone: "good" },
  parked: { word: "set aside", tone: "warn" },
  dead: { word: "dead letter", tone: "bad" },
  discarded: { word: "discarded", tone: "plain" },
  passed: { word: "applied, details pruned", tone: "good" },
};
