// The causal picture of one order: each event from its cause over the log and Kafka to what every reader made of it, with
// what has not happened yet drawn as such. The table below says the same.
import { useAnswer } from "../live/ask.ts";
import { Body } from "../parts/panel.tsx";
import { Moment, Said, span } from "../parts/show.tsx";
import { Table } from "../parts/table.tsx";
import { go, to } from "../route.ts";
import { word, type Screen } from "../screen.ts";
import { OUTCOMES, type Effect, type Trace, type TraceEvent } from "../trace.ts";
import { EffectChip, tone } from "./orders.tsx";

const LEFT = 130;
const COLUMN = 172;
const ROW = 46;
const TOP = 74;

function One({ id }: { id: string }) {
  const answer = useAnswer<Trace>(`orders/${encodeURIComponent(id)}/trace`);
  return (
    <Body answer={answer}>
      {(trace) => (
        <>
          <p class={`sentence ${tone(trace.code)}`}><Said text={trace.sentence} /></p>
          {trace.events.length > 0 && (
            <>
              <section class="panel" aria-label="Picture">
                <header>
                  <h2>What it caused</h2>
                  <span class="quiet small">filled: happened · dashed: not yet · square: given up · ring: came again and was suppressed</span>
                </header>
                <div class="picture" tabIndex={0} role="region" aria-label="The picture, scrolled sideways">
                  <Picture trace={trace} />
                </div>
              </section>
              <Twin trace={trace} />
            </>
          )}
          <p>
            <a href={to("orders", id)}>All of the order</a>
          </p>
        </>
      )}
    </Body>
  );
}

/** Columns are events in the order they were appended, rows are who has to do with them. */
function Picture({ trace }: { trace: Trace }) {
  const rows = ["request", "log", "Kafka", ...trace.lanes];
  const [width, height] = [LEFT + COLUMN * trace.events.length + 20, TOP + ROW * rows.length];
  const x = (index: number) => LEFT + COLUMN * index + COLUMN / 2;
  const y = (row: string) => TOP + ROW * rows.indexOf(row) + ROW / 2;
  const index = new Map(trace.events.map((event, place) => [event.eventId, place]));
  return (
    <svg class="trace" style={{ maxWidth: `${width}px`, minWidth: `${Math.min(width, 780)}px` }} viewBox={`0 0 ${width} ${height}`} role="group" aria-label={`${trace.events.length} events and what ${trace.lanes.join(", ")} made of them; the table below says the same`}>
      <defs>
        <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
          <path d="M0 0 L8 4 L0 8 z" class="tip" />
        </marker>
      </defs>
      {rows.map((row) => (
        <g key={row}>
          <line class="lane" x1={LEFT - 10} x2={width} y1={y(row)} y2={y(row)} />
          <text class="lane-name" x={LEFT - 18} y={y(row) + 4} text-anchor="end">
            {row}
          </text>
        </g>
      ))}
      {trace.events.map((event, place) => (
        <g key={event.eventId}>
          <text class="event" x={x(place)} y={20} text-anchor="middle">
            {event.eventType}
          </text>
          <text class="detail" x={x(place)} y={37} text-anchor="middle">
            {event.partition}:{event.position}
            {event.offset !== null ? ` · offset ${event.offset}` : ""}
          </text>
          <text class="detail" x={x(place)} y={53} text-anchor="middle">
            {place === 0 ? event.recordedAt.slice(11, 23) : `+${wait(trace.events[0], event)}`}
          </text>
          {event.causedBy === null ? (
            <>
              <circle class="mark happened" cx={x(place)} cy={y("request")} r={6} />
              <line class="edge" x1={x(place)} y1={y("request") + 7} x2={x(place)} y2={y("log") - 9} marker-end="url(#tip)" />
            </>
          ) : (
            <Cause from={index.get(event.causedBy)} place={place} event={event} trace={trace} x={x} y={y} />
          )}
          <circle class="mark happened" cx={x(place)} cy={y("log")} r={7} />
          <line class={`edge ${event.isPublished ? "" : "pending"}`} x1={x(place)} y1={y("log") + 8} x2={x(place)} y2={y("Kafka") - 9} marker-end="url(#tip)" />
          <circle class={`mark ${event.isPublished ? "happened" : "pending"}`} cx={x(place)} cy={y("Kafka")} r={7}>
            <title>{event.isPublished ? `published to ${event.topic ?? "no topic"}` : "not published yet"}</title>
          </circle>
          {event.effects.map((effect) => (
            <Mark key={effect.lane} effect={effect} x={x(place)} y={y(effect.lane)} />
          ))}
        </g>
      ))}
    </svg>
  );
}

/** From what a reader made of the cause to the event that followed from it. */
function Cause({ from, place, event, trace, x, y }: { from: number | undefined; place: number; event: TraceEvent; trace: Trace; x: (index: number) => number; y: (row: string) => number }) {
  const cause = from === undefined ? undefined : trace.events[from];
  if (from === undefined || !cause) return null;
  const lane = decider(cause, event);
  const [x1, y1] = [x(from) + 8, y(lane)];
  const [x2, y2] = [x(place) - 9, y("log") + 2];
  return <path class="edge cause" d={`M${x1} ${y1} C${(x1 + x2) / 2} ${y1} ${(x1 + x2) / 2} ${y2} ${x2} ${y2}`} marker-end="url(#tip)" />;
}

/** Who read the cause and decided the event. */
function decider(cause: TraceEvent, event: TraceEvent): string {
  const kind = event.streamId.split(":")[0] ?? "";
  const lane = kind === "order" ? "orders" : kind;
  return cause.effects.some((effect) => effect.lane === lane) ? lane : "Kafka";
}

function Mark({ effect, x, y }: { effect: Effect; x: number; y: number }) {
  const { word } = OUTCOMES[effect.outcome];
  const title = `${effect.lane}: ${word}${effect.behind > 0 ? `, ${effect.behind} positions before it` : ""}${effect.duplicates > 0 ? `; came again ${effect.duplicates} times (${effect.lastCause ?? "unknown cause"}) and was suppressed` : ""}`;
  const kind = effect.outcome === "not_reached" || effect.outcome === "parked" ? "pending" : effect.outcome === "dead" ? "dead" : effect.outcome === "discarded" ? "discarded" : "happened";
  const shape = kind === "dead" || kind === "discarded" ? <rect class={`mark ${kind}`} x={x - 7} y={y - 7} width={14} height={14} /> : <circle class={`mark ${kind}`} cx={x} cy={y} r={7} />;
  const mark = (
    <>
      {effect.duplicates > 0 && <circle class="again" cx={x} cy={y} r={11} />}
      {shape}
      <text class="detail" x={x + 14} y={y + 4}>
        {effect.outcome === "applied" || effect.outcome === "passed" ? "" : word}
        {effect.duplicates > 0 ? ` ×${effect.duplicates + 1}` : ""}
      </text>
      <title>{title}</title>
    </>
  );
  return effect.letterId ? <a href={to("dead-letters", effect.letterId)}>{mark}</a> : <g data-effect={`${effect.lane} ${effect.outcome}`}>{mark}</g>;
}

function wait(first: TraceEvent | undefined, event: TraceEvent): string {
  return first ? span((Date.parse(event.recordedAt) - Date.parse(first.recordedAt)) / 1_000) : "";
}

function Twin({ trace }: { trace: Trace }) {
  return (
    <section class="panel" aria-label="The same as a table">
      <h2>The same as a table</h2>
      <Table
        name="trace"
        rows={trace.events}
        id={(event) => event.eventId}
        columns={[
          { head: "Event", cell: (event) => event.eventType },
          { head: "Stream and version", cell: (event) => `${event.streamId.split(":")[0]} ${event.version}` },
          { head: "Appended", cell: (event) => <Moment at={event.recordedAt} /> },
          { head: "Log", cell: (event) => `${event.partition}:${event.position}` },
          { head: "Kafka", cell: (event) => (event.isPublished ? `${event.topic ?? ""} ${event.partition}${event.offset !== null ? ` @ ${event.offset}` : ""}` : "not published yet") },
          { head: "Because of", cell: (event) => (event.causedBy === null ? "a request" : (trace.events.find((cause) => cause.eventId === event.causedBy)?.eventType ?? "another event")) },
          {
            head: "What readers made of it",
            kind: "wide",
            cell: (event) => (
              <span class="row">
                {event.effects.map((effect) => (
                  <EffectChip key={effect.lane} effect={effect} />
                ))}
              </span>
            ),
          },
        ]}
        empty=""
      />
    </section>
  );
}

function Ask() {
  return (
    <section class="panel" aria-label="Which order">
      <label class="field">
        Id of an order
        <input size={38} onChange={(event) => event.currentTarget.value.trim() && go(to("trace", event.currentTarget.value.trim()))} />
      </label>
      <p class="quiet">
        Or choose one among the <a href={to("orders")}>orders</a>.
      </p>
    </section>
  );
}

export const trace: Screen = {
  id: "trace",
  title: "Trace",
  key: "t",
  question: (place) => (place.path[1] ? `orders/${encodeURIComponent(place.path[1])}/trace` : "orders"),
  cli: (place) => (place.path[1] ? `ordo order trace ${word(place.path[1])}` : "ordo orders"),
  render: (place) => (place.path[1] ? <One key={place.path[1]} id={place.path[1]} /> : <Ask />),
};
