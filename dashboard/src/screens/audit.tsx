// Who did what, when and why.
import { useAnswer } from "../live/ask.ts";
import { Panel } from "../parts/panel.tsx";
import { Id, Moment } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { narrow, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";

interface Operation {
  operationId: string;
  at: string;
  caller: string;
  role: string;
  action: string;
  reason: string;
  args: string;
  outcome: string;
  node: string;
}

const COLUMNS: Column<Operation>[] = [
  { head: "When", cell: (row) => <Moment at={row.at} />, by: (row) => row.at },
  { head: "Who", cell: (row) => `${row.caller} (${row.role})`, by: (row) => row.caller },
  { head: "What", cell: (row) => <code>{row.action}</code>, by: (row) => row.action },
  { head: "Why", kind: "wide", cell: (row) => row.reason },
  { head: "To what", kind: "wide", cell: (row) => <code>{row.args}</code> },
  { head: "What came of it", kind: "wide", cell: (row) => <code>{row.outcome.length > 300 ? `${row.outcome.slice(0, 300)}…` : row.outcome}</code> },
  { head: "Audit", cell: (row) => <Id id={row.operationId} /> },
];

function asked(place: Place): string {
  return question("operations", { action: place.query.get("action"), limit: "200" });
}

function View({ place }: { place: Place }) {
  const answer = useAnswer<{ operations: Operation[] }>(asked(place));
  const tools = (
    <label>
      Action
      <input type="search" value={place.query.get("action") ?? ""} placeholder="consumers pause" onChange={(event) => narrow({ action: event.currentTarget.value.trim() || undefined })} />
    </label>
  );
  return (
    <Panel title="What operators did" answer={answer} tools={tools}>
      {({ operations }) => <Table name="operations" rows={operations} id={(row) => row.operationId} columns={COLUMNS} empty="Nothing that fits." />}
    </Panel>
  );
}

export const audit: Screen = {
  id: "audit",
  title: "Audit",
  key: "u",
  question: asked,
  cli: (place) => (place.query.get("action") ? `ordo operations --action ${word(place.query.get("action") ?? "")}` : "ordo operations"),
  render: (place) => <View place={place} />,
};
