// How the dependencies are, which processes there are, which alarms stand.
import { useAnswer } from "../live/ask.ts";
import { Actions } from "../parts/act.tsx";
import { Panel } from "../parts/panel.tsx";
import { Chip, Moment, span, type Tone } from "../parts/show.tsx";
import { Table } from "../parts/table.tsx";
import type { Screen } from "../screen.ts";

interface Finding {
  name: string;
  status: "ok" | "degraded" | "down";
  observed: string;
  expected: string;
  next?: string;
}

interface Node {
  nodeId: string;
  name: string;
  life: "alive" | "unknown" | "stopped";
  roles: string[];
  build: string;
  address: string;
  startedAt: string;
  heartbeatAt: string;
  silentSeconds: number;
  clockAheadMs: number;
}

interface Alarm {
  alarmId: string;
  code: string;
  state: string;
  place: string;
  why: string;
  times: number;
  node: string;
  raisedAt: string;
  lastAt: string;
}

const STATUS: Record<Finding["status"], Tone> = { ok: "good", degraded: "warn", down: "bad" };
const LIFE: Record<Node["life"], Tone> = { alive: "good", unknown: "bad", stopped: "plain" };

function View() {
  const health = useAnswer<{ status: string; findings: Finding[] }>("health");
  const nodes = useAnswer<{ nodes: Node[] }>("nodes");
  const alarms = useAnswer<{ alarms: Alarm[] }>("alarms");
  return (
    <>
      <Panel title="Alarms" answer={alarms}>
        {({ alarms }) => (
          <Table
            name="alarms"
            rows={alarms}
            id={(row) => row.alarmId}
            columns={[
              { head: "Alarm", cell: (row) => <code>{row.code}</code>, by: (row) => row.code },
              { head: "State", cell: (row) => <Chip tone={row.state === "standing" ? "bad" : "warn"}>{row.state}</Chip>, by: (row) => row.state },
              { head: "Where", cell: (row) => row.place },
              { head: "Why", kind: "wide", cell: (row) => row.why },
              { head: "Runbook", cell: (row) => <code>docs/runbooks/{row.code}.md</code> },
              { head: "Process", cell: (row) => row.node },
              { head: "Raised", cell: (row) => <Moment at={row.raisedAt} />, by: (row) => row.raisedAt },
              { head: "Do", cell: (row) => <Actions acts={[{ action: "alarms acknowledge", label: "Acknowledge", args: { alarmIds: [row.alarmId] } }]} seen={row.state} /> },
            ]}
            empty="None that nobody has acknowledged."
          />
        )}
      </Panel>
      <Panel title="Dependencies, as this process sees them" answer={health}>
        {({ findings }) => (
          <Table
            name="findings"
            rows={findings}
            id={(row) => row.name + row.observed}
            columns={[
              { head: "What", cell: (row) => row.name },
              { head: "How", cell: (row) => <Chip tone={STATUS[row.status]}>{row.status}</Chip>, by: (row) => row.status },
              { head: "Seen", kind: "wide", cell: (row) => row.observed },
              { head: "Expected", cell: (row) => row.expected },
              { head: "What to do", kind: "wide", cell: (row) => row.next ?? "" },
            ]}
            empty="Nothing was looked at."
          />
        )}
      </Panel>
      <Panel title="Processes" answer={nodes}>
        {({ nodes }) => (
          <Table
            name="nodes"
            rows={nodes}
            id={(row) => row.nodeId}
            columns={[
              { head: "Process", cell: (row) => row.name, by: (row) => row.name },
              { head: "Life", cell: (row) => <Chip tone={LIFE[row.life]}>{row.life}</Chip>, by: (row) => row.life },
              { head: "Heard", cell: (row) => `${span(row.silentSeconds)} ago`, by: (row) => row.silentSeconds },
              { head: "Roles", kind: "wide", cell: (row) => row.roles.join(", ") },
              { head: "Build", cell: (row) => row.build, by: (row) => row.build },
              { head: "Address", cell: (row) => <code>{row.address}</code> },
              { head: "Clock", cell: (row) => (Math.abs(row.clockAheadMs) > 2_000 ? <Chip tone="warn">{span(Math.abs(row.clockAheadMs) / 1_000)} {row.clockAheadMs > 0 ? "ahead" : "behind"}</Chip> : "right") },
              { head: "Started", cell: (row) => <Moment at={row.startedAt} />, by: (row) => row.startedAt },
            ]}
            empty="None was heard of."
          />
        )}
      </Panel>
    </>
  );
}

export const system: Screen = {
  id: "system",
  title: "System",
  key: "s",
  question: () => "health",
  cli: () => "ordo health",
  render: () => <View />,
};
