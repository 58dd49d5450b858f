// Orders, and one order: why it is where it is, what happened, what has yet to, and what may be asked of it.
import { useAnswer } from "../live/ask.ts";
import { Actions } from "../parts/act.tsx";
import { Body, Panel } from "../parts/panel.tsx";
import { Chip, Id, Moment, money, Said, span, type Tone } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { go, narrow, to, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";
import { OUTCOMES, type Effect, type Trace } from "../trace.ts";

interface Line {
  orderId: string;
  user: string;
  status: string;
  totalAmount: number;
  currency: string;
  lastEvent: string | null;
  lastAt: string | null;
  createdAt: string | null;
  stuckSeconds: number | null;
}

const STATUSES = ["processing", "confirmed", "rejected", "cancelled", "shipped", "delivered"];
const TONES: Record<string, Tone> = { processing: "info", confirmed: "good", rejected: "warn", cancelled: "plain", shipped: "good", delivered: "good" };

const COLUMNS: Column<Line>[] = [
  { head: "Order", cell: (row) => <a href={to("orders", row.orderId)}><Id id={row.orderId} /></a> },
  { head: "Status", cell: (row) => (<span class="row"><Chip tone={TONES[row.status] ?? "plain"}>{row.status}</Chip>{row.stuckSeconds !== null && <Chip tone="bad">for {span(row.stuckSeconds)}</Chip>}</span>), by: (row) => row.status },
  { head: "Customer", cell: (row) => <code>{row.user}</code>, by: (row) => row.user },
  { head: "Total", kind: "number", cell: (row) => money(row.totalAmount, row.currency), by: (row) => row.totalAmount },
  { head: "Last event", cell: (row) => row.lastEvent ?? "" },
  { head: "At", cell: (row) => <Moment at={row.lastAt} />, by: (row) => row.lastAt },
  { head: "Accepted", cell: (row) => <Moment at={row.createdAt} />, by: (row) => row.createdAt },
  { head: "Picture", cell: (row) => <a href={to("trace", row.orderId)}>Trace</a> },
];

function asked(place: Place): string {
  return question("orders", { status: place.query.get("status"), user: place.query.get("user"), after: place.query.get("after") });
}

function List({ place }: { place: Place }) {
  const answer = useAnswer<{ orders: Line[]; next: string | null }>(asked(place));
  return (
    <>
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          Order
          <input
            type="search"
            size={38}
            placeholder="its id"
            onChange={(event) => event.currentTarget.value.trim() && go(to("orders", event.currentTarget.value.trim()))}
          />
        </label>
        <label>
          Status
          <select value={place.query.get("status") ?? ""} onChange={(event) => narrow({ status: event.currentTarget.value || undefined, after: undefined })}>
            <option value="">any</option>
            {STATUSES.map((status) => (
              <option key={status}>{status}</option>
            ))}
          </select>
        </label>
        <label>
          Customer
          <input type="search" value={place.query.get("user") ?? ""} onChange={(event) => narrow({ user: event.currentTarget.value.trim() || undefined, after: undefined })} />
        </label>
      </form>
      <Panel title="Orders, newest first" answer={answer}>
        {({ orders, next }) => (
          <>
            <Table name="orders" rows={orders} id={(row) => row.orderId} columns={COLUMNS} empty="No order fits." />
            <div class="row">
              {place.query.get("after") && (
                <button type="button" onClick={() => narrow({ after: undefined })}>
                  Newest
                </button>
              )}
              {next && (
                <button type="button" onClick={() => narrow({ after: next })}>
                  Older
                </button>
              )}
            </div>
          </>
        )}
      </Panel>
    </>
  );
}

function traced(place: Place): string {
  return question(`orders/${encodeURIComponent(place.path[1] ?? "")}/trace`, { revealed: place.query.get("revealed") });
}

/** How grave the code of `why` is. */
export function tone(code: string): Tone {
  if (["ended", "no_automatic_step"].includes(code)) return "good";
  return ["queued", "unpublished", "parked", "paused"].includes(code) ? "warn" : "bad";
}

function One({ id, place }: { id: string; place: Place }) {
  const answer = useAnswer<Trace>(traced(place));
  return (
    <Body answer={answer}>
      {(trace) => (
        <>
          <p class={`sentence ${tone(trace.code)}`} data-code={trace.code}>
            <Said text={trace.sentence} />
          </p>
          <div class="row">
            {trace.status && <Chip tone={TONES[trace.status] ?? "plain"}>{trace.status}</Chip>}
            <a class="button" href={to("trace", id)}>
              Picture of what it caused
            </a>
            <a class="button" href={to("events", { stream: `order:${id}` })}>
              Events in the log
            </a>
            <Actions acts={[{ action: "personal reveal", label: "Show the customer", args: { subject: `order:${id}` }, done: (revealed) => narrow({ revealed }) }]} seen="" />
          </div>
          {trace.events.length > 0 && (
            <div class="columns">
              <Timeline trace={trace} />
              <States trace={trace} place={place} />
            </div>
          )}
          {trace.next.length > 0 && (
            <section class="panel" aria-label="What is allowed next">
              <h2>What is allowed next</h2>
              <Table
                name="next"
                rows={trace.next}
                id={(row) => row.command}
                columns={[
                  { head: "Request", cell: (row) => <code>{`POST /v1/orders/${id}/${row.command}`}</code> },
                  { head: "Now", cell: (row) => (row.why === null ? <Chip tone="good">allowed</Chip> : <Chip>refused</Chip>) },
                  { head: "Why", kind: "wide", cell: (row) => row.why ?? "" },
                ]}
                empty=""
              />
            </section>
          )}
        </>
      )}
    </Body>
  );
}

/** What happened, with what has yet to happen where it will. */
function Timeline({ trace }: { trace: Trace }) {
  return (
    <section class="panel" aria-label="Timeline">
      <h2>Timeline</h2>
      <ol class="timeline">
        {trace.events.map((event) => (
          <li key={event.eventId} class={event.streamId.startsWith("order:") ? "" : "other"}>
            <span class="row">
              <b>{event.eventType}</b>
              <span class="quiet small">
                version {event.version}, position {event.position} of partition {event.partition}, <Moment at={event.recordedAt} />
              </span>
            </span>
            <span class="row">
              {!event.isPublished && <Chip tone="warn">not published yet</Chip>}
              {event.effects.map((effect) => (
                <EffectChip key={effect.lane} effect={effect} />
              ))}
            </span>
          </li>
        ))}
        {trace.status === "processing" && (
          <li class="pending" key="pending">
            <span><Said text={trace.sentence} /></span>
          </li>
        )}
      </ol>
    </section>
  );
}

export function EffectChip({ effect }: { effect: Effect }) {
  const outcome = OUTCOMES[effect.outcome];
  const text = `${effect.lane}: ${outcome.word}${effect.duplicates > 0 ? `, ${effect.duplicates} duplicates` : ""}`;
  return <Chip tone={outcome.tone}>{effect.letterId ? <a href={to("dead-letters", effect.letterId)}>{text}</a> : text}</Chip>;
}

/** The order as it was after each of its events, and what that event changed. */
function States({ trace, place }: { trace: Trace; place: Place }) {
  const last = trace.states[trace.states.length - 1];
  if (!last) return null;
  const wanted = Number(place.query.get("at") ?? last.version);
  const index = Math.max(0, trace.states.findIndex((state) => state.version === wanted));
  const [state, before] = [trace.states[index] ?? last, trace.states[index - 1]];
  const fields = [...new Set([...Object.keys(before?.state ?? {}), ...Object.keys(state.state)])];
  return (
    <section class="panel" aria-label="State">
      <header>
        <h2>As it was at version {state.version}</h2>
        <span class="quiet small">
          {state.eventType}, <Moment at={state.at} />
        </span>
      </header>
      <label>
        Version
        <input
          type="range"
          min={trace.states[0]?.version ?? 1}
          max={last.version}
          value={state.version}
          aria-valuetext={`version ${state.version}, ${state.eventType}`}
          onInput={(event) => narrow({ at: event.currentTarget.value })}
        />
      </label>
      <Table
        name="state"
        rows={fields}
        id={(field) => field}
        columns={[
          { head: "Field", cell: (field) => field },
          { head: "Value", kind: "wide", cell: (field) => <code>{text(state.state[field])}</code> },
          {
            head: "Before",
            kind: "wide",
            cell: (field) => (before && text(before.state[field]) !== text(state.state[field]) ? <Chip tone="info">was {text(before.state[field])}</Chip> : ""),
          },
        ]}
        empty=""
      />
    </section>
  );
}

function text(value: unknown): string {
  return value === undefined ? "none" : typeof value === "string" ? value : JSON.stringify(value);
}

export const orders: Screen = {
  id: "orders",
  title: "Orders",
  key: "i",
  question: (place) => (place.path[1] ? traced(place) : asked(place)),
  cli: (place) => {
    if (place.path[1]) return `ordo order why ${word(place.path[1])}`;
    const flags = ["status", "user"].filter((name) => place.query.get(name)).map((name) => `--${name} ${word(place.query.get(name) ?? "")}`);
    return ["ordo orders", ...flags].join(" ");
  },
  render: (place) => (place.path[1] ? <One key={place.path[1]} id={place.path[1]} place={place} /> : <List place={place} />),
};
