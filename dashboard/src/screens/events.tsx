// The log as it grows, and what comes how often.
import { useState } from "preact/hooks";
import { useAnswer } from "../live/ask.ts";
import { Panel } from "../parts/panel.tsx";
import { count, Id, Moment, rate } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { narrow, to, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";

interface Line {
  eventId: string;
  eventType: string;
  schemaVersion: number;
  streamId: string;
  version: number;
  partition: number;
  position: number;
  recordedAt: string;
  correlationId: string | null;
  payload: unknown;
}

interface Kind {
  name: string;
  events: number;
  perSecond: number | null;
}

const FILTERS = ["type", "stream", "partition", "id"];

function asked(place: Place): string {
  const args: Record<string, string | null> = {};
  for (const name of FILTERS) args[name] = place.query.get(name);
  return question("events", args);
}

function View({ place }: { place: Place }) {
  const answer = useAnswer<{ events: Line[]; kinds: Kind[]; lookedAt: number }>(asked(place));
  const [open, setOpen] = useState<string>();
  const columns: Column<Line>[] = [
    { head: "Appended", cell: (row) => <Moment at={row.recordedAt} />, by: (row) => row.recordedAt },
    { head: "Type", cell: (row) => `${row.eventType} v${row.schemaVersion}`, by: (row) => row.eventType },
    { head: "Stream", cell: (row) => (row.streamId.startsWith("order:") ? <a href={to("orders", row.streamId.slice(6))}><Id id={row.streamId} length={14} /></a> : <Id id={row.streamId} length={20} />) },
    { head: "Version", kind: "number", cell: (row) => row.version },
    { head: "Place", kind: "number", cell: (row) => `${row.partition}:${row.position}` },
    { head: "Story", cell: (row) => (row.correlationId ? <a href={to("events", { id: row.correlationId })}><Id id={row.correlationId} /></a> : "") },
    {
      head: "Payload",
      kind: "wide",
      cell: (row) =>
        open === row.eventId ? (
          <div class="stack">
            <pre tabIndex={0}>{JSON.stringify(row.payload, null, 2)}</pre>
            <button type="button" onClick={() => setOpen(undefined)}>
              Close
            </button>
          </div>
        ) : (
          <button type="button" class="plain" aria-label={`Show the payload of ${row.eventType} at ${row.partition}:${row.position}`} onClick={() => setOpen(row.eventId)}>
            Show
          </button>
        ),
    },
  ];
  return (
    <>
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        {FILTERS.map((name) => (
          <label key={name}>
            {name[0]?.toUpperCase() + name.slice(1)}
            <input type="search" value={place.query.get(name) ?? ""} onChange={(event) => narrow({ [name]: event.currentTarget.value.trim() || undefined })} />
          </label>
        ))}
      </form>
      <Panel title="What comes" answer={answer}>
        {({ kinds }) => (
          <Table
            name="kinds"
            rows={kinds}
            id={(row) => row.name}
            columns={[
              { head: "Type", cell: (row) => <a href={to("events", { type: row.name.split(" ")[0] })}>{row.name}</a>, by: (row) => row.name },
              { head: "Of the newest", kind: "number", cell: (row) => count(row.events), by: (row) => row.events },
              { head: "Rate", kind: "number", cell: (row) => rate(row.perSecond), by: (row) => row.perSecond },
            ]}
            empty="The log is empty."
          />
        )}
      </Panel>
      <Panel title="Newest first" answer={answer}>
        {({ events, lookedAt }) => <Table name="events" rows={events} id={(row) => row.eventId} columns={columns} empty={`None among the newest ${count(lookedAt)} of each partition.`} />}
      </Panel>
    </>
  );
}

export const events: Screen = {
  id: "events",
  title: "Events",
  key: "e",
  question: asked,
  cli: (place) => ["ordo events", ...FILTERS.filter((name) => place.query.get(name)).map((name) => `--${name} ${word(place.query.get(name) ?? "")}`)].join(" "),
  render: (place) => <View place={place} />,
};
