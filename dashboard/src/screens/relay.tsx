// How far the log is published.
import { useAnswer } from "../live/ask.ts";
import { Panel } from "../parts/panel.tsx";
import { Chip, count, Moment, span } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { to } from "../route.ts";
import type { Screen } from "../screen.ts";

interface Partition {
  key: string;
  partition: number;
  head: number;
  published: number;
  behind: number;
  oldestSeconds: number | null;
  owner: { node: string | null; isAlive: boolean };
  isLed: boolean;
  epoch: number | null;
  movedAt: string | null;
}

interface Topic {
  key: string;
  topic: string;
  partition: number;
  nextOffset: number;
  position: number;
  movedAt: string;
}

const PARTITIONS: Column<Partition>[] = [
  { head: "Partition", kind: "number", cell: (row) => row.partition, by: (row) => row.partition },
  { head: "Head of the log", kind: "number", cell: (row) => <a href={to("events", { partition: String(row.partition) })}>{count(row.head)}</a>, by: (row) => row.head },
  { head: "Published", kind: "number", cell: (row) => count(row.published), by: (row) => row.published },
  { head: "Waiting", kind: "number", cell: (row) => count(row.behind), by: (row) => row.behind },
  { head: "Oldest", kind: "number", cell: (row) => span(row.oldestSeconds), by: (row) => row.oldestSeconds },
  { head: "Published by", cell: (row) => (row.isLed ? row.owner.node : <Chip tone="bad">{row.owner.node ? `${row.owner.node}, whose lease is over` : "nobody"}</Chip>) },
  { head: "Changed hands", kind: "number", cell: (row) => count(row.epoch), by: (row) => row.epoch },
  { head: "Moved", cell: (row) => <Moment at={row.movedAt} />, by: (row) => row.movedAt },
];

const TOPICS: Column<Topic>[] = [
  { head: "Topic", cell: (row) => row.topic, by: (row) => row.topic },
  { head: "Partition", kind: "number", cell: (row) => row.partition, by: (row) => row.partition },
  { head: "Next offset", kind: "number", cell: (row) => count(row.nextOffset), by: (row) => row.nextOffset },
  { head: "Position of the last record", kind: "number", cell: (row) => count(row.position), by: (row) => row.position },
  { head: "Acknowledged", cell: (row) => <Moment at={row.movedAt} />, by: (row) => row.movedAt },
];

function View() {
  const answer = useAnswer<{ behind: number; partitions: Partition[]; topics: Topic[] }>("relay");
  return (
    <>
      <Panel title="From the log to Kafka" answer={answer}>
        {({ behind, partitions }) => (
          <>
            <p class={`sentence ${behind === 0 ? "good" : "warn"}`}>{behind === 0 ? "Everything in the log is published." : `${count(behind)} events of the log are not published yet.`}</p>
            <Table name="partitions" rows={partitions} id={(row) => row.key} columns={PARTITIONS} empty="The log has no partitions." />
          </>
        )}
      </Panel>
      <Panel title="Acknowledged by each topic" answer={answer}>
        {({ topics }) => <Table name="topics" rows={topics} id={(row) => row.key} columns={TOPICS} empty="Nothing was published yet." />}
      </Panel>
    </>
  );
}

export const relay: Screen = {
  id: "relay",
  title: "Relay",
  key: "r",
  question: () => "relay",
  cli: () => "ordo relay",
  render: () => <View />,
};
