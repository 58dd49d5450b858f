// What the tab shows, kept up to date: one stream for all its channels, polling where a stream does not last.
import { signal, type Signal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { ask, Problem, request, session } from "../api.ts";
import { wallClock, Watch } from "./hidden.ts";
import { patched, type Change, type Json } from "./patch.ts";
import { read, type Told } from "./stream.ts";

/** What is known of one question. Unknown is not zero: there is no value until one came. */
export interface Answer<T> {
  value: T | undefined;
  version: number;
  /** When this tab learned it, by its own clock that only goes forward. */
  at: number | undefined;
  problem: Problem | undefined;
}

const POLL = 5_000;
const AGAIN_FIRST = 500;
const AGAIN_MOST = 8_000;
/** A stream says something every second; one that is silent for so long is dead. */
const SILENT = 20_000;

interface Channel {
  answer: Signal<Answer<Json>>;
  users: number;
}

const channels = new Map<string, Channel>();
/** Whether an operator holds the picture still. */
export const isPaused = signal(false);
export const isStreaming = signal(false);

let current: AbortController | undefined;
let again: number | undefined;
let poll: number | undefined;
let failures = 0;
let isHidden = false;

/** What a question is answered, now and as it changes. `undefined` asks nothing. */
export function useAnswer<T>(question: string | undefined): Answer<T> {
  const channel = useMemo(() => (question === undefined ? undefined : known(question)), [question]);
  useEffect(() => {
    if (question === undefined || channel === undefined) return;
    channel.users += 1;
    channels.set(question, channel);
    restart();
    return () => {
      channel.users -= 1;
      if (channel.users === 0 && channels.get(question) === channel) channels.delete(question);
      restart();
    };
  }, [question, channel]);
  return (channel?.answer.value ?? NOTHING) as Answer<T>;
}

const NOTHING: Answer<Json> = { value: undefined, version: 0, at: undefined, problem: undefined };

/** The one channel of a question, however many parts of the page show it. It is asked once one of them is there. */
function known(question: string): Channel {
  let channel = channels.get(question);
  if (!channel) {
    channel = { answer: signal(NOTHING), users: 0 };
    channels.set(question, channel);
  }
  return channel;
}

function used(): string[] {
  return [...channels].filter(([, channel]) => channel.users > 0).map(([question]) => question);
}

async function refresh(question: string): Promise<void> {
  const channel = channels.get(question);
  if (!channel) return;
  try {
    told(channel, { value: await ask<Json>(question), version: 0, at: performance.now(), problem: undefined });
  } catch (error) {
    failed(channel, error);
  }
}

function told(channel: Channel, answer: Answer<Json>): void {
  channel.answer.value = answer;
}

function failed(channel: Channel, error: unknown): void {
  const problem = error instanceof Problem ? error : new Problem(0, "unreachable", String(error), undefined);
  told(channel, { ...channel.answer.peek(), problem });
}

let isRestarting = false;

/** The channels have changed: a new stream with the new ones. Changes of one moment are one restart. */
function restart(): void {
  if (isRestarting) return;
  isRestarting = true;
  queueMicrotask(() => {
    isRestarting = false;
    stop();
    if (used().length > 0 && !isPaused.peek() && !isHidden && session.peek()) void stream();
  });
}

function stop(): void {
  current?.abort();
  current = undefined;
  clearTimeout(again);
  clearInterval(poll);
  poll = undefined;
  isStreaming.value = false;
}

async function stream(): Promise<void> {
  const controller = new AbortController();
  current = controller;
  const asked = used();
  const query = asked.map((question) => `ask=${encodeURIComponent(question)}`).join("&");
  let lastHeard = performance.now();
  const silence = setInterval(() => {
    if (performance.now() - lastHeard > SILENT) controller.abort();
  }, 1_000);
  try {
    const answer = await request(`live?${query}`, { signal: controller.signal });
    if (!answer.body) throw new Problem(0, "no_stream", "this browser gives no stream", undefined);
    await read(answer.body, (event) => {
      lastHeard = performance.now();
      failures = 0;
      isStreaming.value = true;
      clearInterval(poll);
      poll = undefined;
      hear(asked, event);
    });
  } catch (error) {
    if (current === controller && error instanceof Problem) asked.forEach((question) => mark(question, error));
  } finally {
    clearInterval(silence);
  }
  if (current !== controller) return;
  isStreaming.value = false;
  failures += 1;
  if (failures > 1) startPolling();
  const pause = Math.min(AGAIN_FIRST * 2 ** (failures - 1), AGAIN_MOST) * (0.5 + Math.random() / 2);
  again = setTimeout(() => void stream(), pause) as unknown as number;
}

function mark(question: string, problem: Problem): void {
  const channel = channels.get(question);
  if (channel) failed(channel, problem);
}

function startPolling(): void {
  if (poll !== undefined) return;
  poll = setInterval(() => used().forEach((question) => void refresh(question)), POLL) as unknown as number;
}

interface Heard {
  channel: number;
  version: number;
  /** How long ago the server looked. */
  ageMs?: number;
  value?: Json;
  changes?: Change[];
  status?: number;
  code?: string;
  detail?: string;
  next?: string;
}

function hear(asked: string[], event: Told): void {
  if (event.name === "bye") return;
  const heard = JSON.parse(event.data) as Heard;
  const question = asked[heard.channel];
  const channel = question === undefined ? undefined : channels.get(question);
  if (!channel || question === undefined) return;
  const before = channel.answer.peek();
  const at = performance.now() - (heard.ageMs ?? 0);
  switch (event.name) {
    case "snapshot":
      told(channel, { value: heard.value ?? null, version: heard.version, at, problem: undefined });
      break;
    case "same":
      if (before.version === heard.version) told(channel, { ...before, at, problem: undefined });
      break;
    case "patch":
      if (before.version === heard.version - 1 && before.value !== undefined) {
        const value = patched(before.value, heard.changes ?? []);
        told(channel, { value, version: heard.version, at, problem: undefined });
      } else restart(); // Something was missed: a new stream begins with everything.
      break;
    case "problem":
      failed(channel, new Problem(heard.status ?? 0, heard.code ?? "error", heard.detail ?? "", heard.next));
      break;
  }
}

/** Holds the picture still, or lets it go on. */
export function pause(held: boolean): void {
  isPaused.value = held;
  restart();
}

const watch = new Watch(
  wallClock,
  () => {
    isHidden = true;
    restart();
  },
  () => {
    isHidden = false;
    restart();
  },
);
document.addEventListener("visibilitychange", () => watch.seen(document.visibilityState === "visible"));
session.subscribe(() => restart());
