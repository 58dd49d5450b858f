// A part of a screen that shows one answer: loading, failed, stale and empty each look like what they are.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { session } from "../api.ts";
import type { Answer } from "../live/ask.ts";
import { span } from "./show.tsx";

/** Beyond this an answer is called old. */
const OLD = 15;

interface Props<T> {
  title: string;
  answer: Answer<T>;
  tools?: ComponentChildren;
  children: (value: T) => ComponentChildren;
}

export function Panel<T>({ title, answer, tools, children }: Props<T>) {
  return (
    <section class="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        {tools}
        <Age at={answer.at} />
      </header>
      <Body answer={answer}>{children}</Body>
    </section>
  );
}

export function Body<T>({ answer, children }: { answer: Answer<T>; children: (value: T) => ComponentChildren }) {
  const { problem, value } = answer;
  return (
    <>
      {problem && (
        <p class={`notice ${problem.status === 404 || problem.status === 403 ? "" : "bad"}`} role="status">
          {problem.status === 404 ? "Not found: " : problem.status === 403 ? "Not for you: " : value === undefined ? "" : "What is below is old: "}
          {problem.message}
          {problem.next ? `. ${problem.next}` : ""}
        </p>
      )}
      {value === undefined ? problem ? null : <p class="empty">{session.value ? "Asking…" : ""}</p> : children(value)}
    </>
  );
}

/** How old what is shown is, counted by a clock that only goes forward. */
export function Age({ at }: { at: number | undefined }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  if (at === undefined) return <span class="quiet small">not known yet</span>;
  const seconds = Math.max(0, (now - at) / 1_000);
  return seconds > OLD ? <span class="chip warn">{span(seconds)} old</span> : <span class="quiet small">{seconds < 2 ? "now" : `${Math.round(seconds)} s ago`}</span>;
}
