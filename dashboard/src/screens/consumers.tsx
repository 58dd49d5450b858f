// Each consumer: how it is, how far behind, what became of its events, and what can be done.
import { useAnswer } from "../live/ask.ts";
import { Actions, type Act } from "../parts/act.tsx";
import { Body, Panel } from "../parts/panel.tsx";
import { Chip, count, Moment, span, type Tone } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { to, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";

interface Counts {
  applied: number;
  skipped: number;
  redelivered: number;
  republished: number;
  replayed: number;
  parked: number;
  letters: number;
  retries: number;
}

interface Summary {
  consumer: string;
  state: "running" | "paused" | "tripped" | "unowned";
  why: string | null;
  since: string | null;
  lag: { events: number; isMore: boolean; parkedEvents: number; seconds: number | null; trend: string; catchUpSeconds: number | null };
  unowned: string[];
  parked: { streams: number; behindLetters: number; events: number };
  openLetters: number;
  counts: Counts;
  claims: number;
}

interface Partition {
  topic: string;
  partition: number;
  nextOffset: number | null;
  position: number | null;
  owner: { node: string | null; isAlive: boolean; silentSince: string | null };
  claims: number;
  movedAt: string | null;
  lagEvents: number;
  isMore: boolean;
  lagSeconds: number | null;
  counts: Counts;
}

interface ParkedStream {
  streamId: string;
  depth: number;
  retries: number;
  dueInSeconds: number | null;
  letterId: string | null;
  error: string;
}

interface Detail extends Summary {
  partitions: Partition[];
  parkedStreams: ParkedStream[];
}

const TONES: Record<Summary["state"], Tone> = { running: "good", paused: "warn", tripped: "bad", unowned: "bad" };

function behind(events: number, isMore: boolean): string {
  return `${isMore ? "over " : ""}${count(events)}`;
}

function duplicates(counts: Counts): number {
  return counts.redelivered + counts.republished + counts.replayed;
}

const COLUMNS: Column<Summary>[] = [
  { head: "Consumer", cell: (row) => <a href={to("consumers", row.consumer)}>{row.consumer}</a>, by: (row) => row.consumer },
  { head: "State", cell: (row) => <Chip tone={TONES[row.state]}>{row.state}</Chip>, by: (row) => row.state },
  { head: "Behind", kind: "number", cell: (row) => behind(row.lag.events, row.lag.isMore), by: (row) => row.lag.events },
  { head: "Oldest", kind: "number", cell: (row) => span(row.lag.seconds), by: (row) => row.lag.seconds },
  { head: "Trend", cell: (row) => trend(row.lag), by: (row) => row.lag.trend },
  { head: "Applied", kind: "number", cell: (row) => count(row.counts.applied), by: (row) => row.counts.applied },
  { head: "Duplicates", kind: "number", cell: (row) => count(duplicates(row.counts)), by: (row) => duplicates(row.counts) },
  { head: "Set aside", kind: "number", cell: (row) => count(row.parked.events), by: (row) => row.parked.events },
  { head: "Dead letters", kind: "number", cell: (row) => (row.openLetters > 0 ? <a href={to("dead-letters", { consumer: row.consumer })}>{count(row.openLetters)}</a> : "0"), by: (row) => row.openLetters },
  { head: "Why", kind: "wide", cell: (row) => row.why ?? "" },
];

function trend(lag: Summary["lag"]): string {
  if (lag.trend === "falling") return `↓ done in ${span(lag.catchUpSeconds)}`;
  return lag.trend === "growing" ? "↑ growing" : lag.trend === "steady" ? "→ steady" : "not known yet";
}

function List() {
  const answer = useAnswer<{ consumers: Summary[] }>("consumers");
  return (
    <Panel title="Consumers" answer={answer}>
      {({ consumers }) => <Table name="consumers" rows={consumers} id={(row) => row.consumer} columns={COLUMNS} empty="No consumer is known." />}
    </Panel>
  );
}

function One({ name }: { name: string }) {
  const answer = useAnswer<Detail>(question("consumers/show", { consumer: name }));
  return (
    <Body answer={answer}>
      {(one) => (
        <>
          <section class="panel" aria-label={one.consumer}>
            <header>
              <h2>{one.consumer}</h2>
              <Chip tone={TONES[one.state]}>{one.state}</Chip>
              <Actions acts={acts(one)} seen={one.state} />
            </header>
            {one.why && <p class="notice">{one.why}</p>}
            <dl class="facts">
              <dt>Behind</dt>
              <dd>
                {behind(one.lag.events, one.lag.isMore)} events, of which {count(one.lag.parkedEvents)} are set aside; the oldest is {span(one.lag.seconds)} old; {trend(one.lag)}
              </dd>
              <dt>Set aside</dt>
              <dd>
                {count(one.parked.streams)} streams, {count(one.parked.behindLetters)} of them behind dead letters
              </dd>
              <dt>Dead letters</dt>
              <dd>
                <a href={to("dead-letters", { consumer: one.consumer })}>{count(one.openLetters)} open</a>
              </dd>
              <dt>Claims</dt>
              <dd>{count(one.claims)}</dd>
            </dl>
          </section>
          <Ledger counts={one.counts} />
          <section class="panel" aria-label="Partitions">
            <h2>Partitions</h2>
            <Table name="partitions" rows={one.partitions} id={(row) => `${row.topic} ${row.partition}`} columns={PARTITIONS} empty="It has no partitions." />
          </section>
          <section class="panel" aria-label="Streams set aside">
            <h2>Streams set aside</h2>
            <Table name="parked" rows={one.parkedStreams} id={(row) => row.streamId} columns={PARKED} empty="None: every stream goes on." />
          </section>
        </>
      )}
    </Body>
  );
}

/** What became of every event that was delivered, and why some were delivered more than once. */
function Ledger({ counts }: { counts: Counts }) {
  const again = duplicates(counts);
  const delivered = counts.applied + counts.skipped + again;
  const rows: [string, number, string][] = [
    ["Applied", counts.applied, "took effect, once each"],
    ["Skipped", counts.skipped, "of a type it does not read"],
    ["Redelivered", counts.redelivered, "came again after a rebalance or a restart, and were suppressed"],
    ["Republished", counts.republished, "stand in the topic twice, and were suppressed the second time"],
    ["Replayed", counts.replayed, "came from an operator, and were known already"],
    ["Set aside", counts.parked, "with their stream, ever"],
    ["Dead letters", counts.letters, "ever"],
    ["Retries", counts.retries, "of single events, ever"],
  ];
  return (
    <section class="panel" aria-label="Duplicate ledger">
      <header>
        <h2>Duplicate ledger</h2>
        <span class="quiet small">
          {delivered > 0 ? `${count(again)} of ${count(delivered)} deliveries were duplicates; none took effect twice` : "nothing was delivered yet"}
        </span>
      </header>
      <Table
        name="ledger"
        rows={rows}
        id={([name]) => name}
        columns={[
          { head: "What became of it", cell: ([name]) => name },
          { head: "Events", kind: "number", cell: ([, events]) => count(events) },
          { head: "Meaning", kind: "wide", cell: ([, , meaning]) => meaning },
        ]}
        empty=""
      />
    </section>
  );
}

const PARTITIONS: Column<Partition>[] = [
  { head: "Topic", cell: (row) => row.topic, by: (row) => row.topic },
  { head: "Partition", kind: "number", cell: (row) => row.partition, by: (row) => row.partition },
  { head: "Worked by", cell: (row) => (row.owner.isAlive ? row.owner.node : <Chip tone="bad">{row.owner.node ? `${row.owner.node} is silent` : "nobody"}</Chip>) },
  { head: "Next offset", kind: "number", cell: (row) => count(row.nextOffset), by: (row) => row.nextOffset },
  { head: "Position", kind: "number", cell: (row) => count(row.position), by: (row) => row.position },
  { head: "Behind", kind: "number", cell: (row) => behind(row.lagEvents, row.isMore), by: (row) => row.lagEvents },
  { head: "Oldest", kind: "number", cell: (row) => span(row.lagSeconds), by: (row) => row.lagSeconds },
  { head: "Applied", kind: "number", cell: (row) => count(row.counts.applied), by: (row) => row.counts.applied },
  { head: "Duplicates", kind: "number", cell: (row) => count(duplicates(row.counts)), by: (row) => duplicates(row.counts) },
  { head: "Claims", kind: "number", cell: (row) => count(row.claims), by: (row) => row.claims },
  { head: "Moved", cell: (row) => <Moment at={row.movedAt} />, by: (row) => row.movedAt },
];

const PARKED: Column<ParkedStream>[] = [
  { head: "Stream", cell: (row) => (row.streamId.startsWith("order:") ? <a href={to("orders", row.streamId.slice(6))}>{row.streamId}</a> : row.streamId) },
  { head: "Events", kind: "number", cell: (row) => count(row.depth), by: (row) => row.depth },
  { head: "Waits for", cell: (row) => (row.letterId ? <a href={to("dead-letters", row.letterId)}>a dead letter</a> : `try ${row.retries + 1} in ${span(row.dueInSeconds)}`), by: (row) => row.dueInSeconds },
  { head: "Error", kind: "wide", cell: (row) => row.error },
];

function acts(one: Detail): Act[] {
  const args = { consumer: one.consumer };
  return [
    { action: "consumers pause", label: "Pause", args },
    { action: "consumers resume", label: "Resume", args },
    {
      action: "consumers seek",
      label: "Seek…",
      args: { ...args, topic: one.partitions[0]?.topic ?? "", partition: 0, offset: 0 },
      fields: [
        { name: "topic", label: "Topic", value: one.partitions[0]?.topic ?? "" },
        { name: "partition", label: "Partition", kind: "number", value: "0" },
        { name: "offset", label: "Record to be read next", kind: "number", value: "0" },
      ],
    },
  ];
}

export const consumers: Screen = {
  id: "consumers",
  title: "Consumers",
  key: "c",
  question: (place) => (place.path[1] ? question("consumers/show", { consumer: place.path[1] }) : "consumers"),
  cli: (place) => (place.path[1] ? `ordo consumers show ${word(place.path[1])}` : "ordo consumers list"),
  render: (place: Place) => (place.path[1] ? <One key={place.path[1]} name={place.path[1]} /> : <List />),
};
