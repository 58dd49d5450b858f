// Read models: how each stands, how its rebuild goes, what differs, and the way back.
import { useAnswer } from "../live/ask.ts";
import { Actions, type Act } from "../parts/act.tsx";
import { Body, Panel } from "../parts/panel.tsx";
import { Chip, count, Meter, Moment, rate, Said, span, type Tone } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { to, type Place } from "../route.ts";
import { word, type Screen } from "../screen.ts";

interface Version {
  projection: string;
  version: string;
  state: "active" | "written" | "building" | "paused" | "held" | "failed" | "left_behind" | "retired";
  phase: string | null;
  percent: number | null;
  eventsPerSecond: number | null;
  etaSeconds: number | null;
  atEvent: string | null;
  workers: number | null;
  rate: number | null;
  rowsCompared: number | null;
  rowsDifferent: number | null;
  leftOut: number | null;
  createdAt: string;
  why: string | null;
}

interface Diff {
  version: string | null;
  rowsCompared: number;
  rowsDifferent: number;
  rows: { key: string; active: Row | null; new: Row | null }[];
}

type Row = Record<string, unknown>;

const TONES: Record<Version["state"], Tone> = { active: "good", written: "info", building: "info", paused: "warn", held: "warn", failed: "bad", left_behind: "warn", retired: "plain" };
const MAKING = ["building", "paused", "held", "failed"];

function Progress({ version }: { version: Version }) {
  if (!version.phase || version.percent === null) return <>{version.phase ?? ""}</>;
  return (
    <div class="stack">
      <Meter percent={version.percent} label={`${version.projection} ${version.version}: ${version.percent} percent folded`} />
      <span class="small quiet">
        {version.phase}, {version.percent} %{version.eventsPerSecond !== null && ` at ${rate(version.eventsPerSecond)}`}
        {version.etaSeconds !== null && `, ${span(version.etaSeconds)} left`}
        {version.atEvent && `, events of ${version.atEvent.slice(0, 10)}`}
      </span>
    </div>
  );
}

const COLUMNS: Column<Version>[] = [
  { head: "Read model", cell: (row) => <a href={to("projections", row.projection)}>{row.projection}</a>, by: (row) => row.projection },
  { head: "Version", cell: (row) => row.version },
  { head: "State", cell: (row) => <Chip tone={TONES[row.state]}>{row.state.replace("_", " ")}</Chip>, by: (row) => row.state },
  { head: "Rebuild", kind: "wide", cell: (row) => <Progress version={row} /> },
  { head: "Rows differ", kind: "number", cell: (row) => count(row.rowsDifferent), by: (row) => row.rowsDifferent },
  { head: "Made", cell: (row) => <Moment at={row.createdAt} />, by: (row) => row.createdAt },
  { head: "Why, or what next", kind: "wide", cell: (row) => <Said text={row.why ?? ""} /> },
];

function List() {
  const answer = useAnswer<{ projections: Version[] }>("projections");
  return (
    <Panel title="Read models" answer={answer}>
      {({ projections }) => <Table name="projections" rows={projections} id={(row) => `${row.projection} ${row.version}`} columns={COLUMNS} empty="None." />}
    </Panel>
  );
}

function One({ name }: { name: string }) {
  const answer = useAnswer<{ versions: Version[] }>(`projections/${encodeURIComponent(name)}`);
  const isCompared = answer.value?.versions.some((version) => (version.rowsCompared ?? 0) > 0) ?? false;
  const diff = useAnswer<Diff>(isCompared ? `projections/${encodeURIComponent(name)}/diff` : undefined);
  return (
    <>
      <Body answer={answer}>
        {({ versions }) => (
          <section class="panel" aria-label={name}>
            <header>
              <h2>{name}</h2>
              <Actions acts={acts(name, versions)} seen={versions.map((version) => `${version.version} ${version.state} ${version.phase}`).join()} />
            </header>
            <Table name="versions" rows={versions} id={(row) => row.version} columns={COLUMNS.slice(1)} empty="It has no version." />
          </section>
        )}
      </Body>
      {isCompared && (
        <Panel title="Rows that differ" answer={diff}>
          {(diff) => (
            <>
              <p class={`sentence ${diff.rowsDifferent === 0 ? "good" : "bad"}`}>
                Version {diff.version}: {count(diff.rowsCompared)} rows compared with the one in use, {diff.rowsDifferent === 0 ? "all equal" : `${count(diff.rowsDifferent)} differ`}.
              </p>
              {diff.rows.map((row) => (
                <Difference key={row.key} row={row} />
              ))}
            </>
          )}
        </Panel>
      )}
    </>
  );
}

/** A row of both versions, field by field; equal fields are left out. */
function Difference({ row }: { row: Diff["rows"][number] }) {
  const fields = [...new Set([...Object.keys(row.active ?? {}), ...Object.keys(row.new ?? {})])];
  const different = fields.filter((field) => JSON.stringify(row.active?.[field]) !== JSON.stringify(row.new?.[field]));
  return (
    <div class="stack">
      <h3>
        <code>{row.key}</code> {row.active === null ? "is only in the new one" : row.new === null ? "is missing in the new one" : ""}
      </h3>
      <Table
        name={`row ${row.key}`}
        rows={different}
        id={(field) => field}
        columns={[
          { head: "Field", cell: (field) => field },
          { head: "In use", kind: "wide", cell: (field) => <code>{JSON.stringify(row.active?.[field]) ?? "none"}</code> },
          { head: "New", kind: "wide", cell: (field) => <code>{JSON.stringify(row.new?.[field]) ?? "none"}</code> },
        ]}
        empty="It was equal when it was looked at again."
      />
    </div>
  );
}

function acts(projection: string, versions: Version[]): Act[] {
  const args = { projection };
  const isMaking = versions.some((version) => MAKING.includes(version.state));
  const hasSpare = versions.some((version) => version.state === "written");
  const differs = versions.some((version) => (version.rowsDifferent ?? 0) > 0);
  const pace = [
    { name: "workers", label: "Pieces folded side by side, 1 to 64", kind: "number", value: "2" },
    { name: "rate", label: "Most events a second; 0 for as many as can be", kind: "number", value: "20000" },
  ] as const;
  const making: Act[] = [
    { action: "projections pause", label: "Pause", args },
    { action: "projections resume", label: "Resume", args },
    { action: "projections pace", label: "Pace…", args, fields: [...pace] },
    { action: "projections cancel", label: "Cancel", args, isDangerous: true },
  ];
  const spare: Act[] = [
    { action: "projections verify", label: "Compare again", args },
    { action: "projections promote", label: "Promote", args: differs ? { ...args, acceptDifferences: false } : args, ...(differs ? { fields: [{ name: "acceptDifferences", label: "although rows differ", kind: "flag" as const }] } : {}) },
    { action: "projections rollback", label: "Roll back", args },
  ];
  return [
    { action: "projections rebuild", label: "Rebuild…", args, fields: [...pace] },
    ...(isMaking ? making : []),
    ...(hasSpare ? spare : []),
    { action: "projections renew", label: "One row anew…", args: { ...args, key: "" }, fields: [{ name: "key", label: "Key of the row" }] },
  ];
}

export const projections: Screen = {
  id: "projections",
  title: "Projections",
  key: "p",
  question: (place) => (place.path[1] ? `projections/${encodeURIComponent(place.path[1])}` : "projections"),
  cli: (place) => (place.path[1] ? `ordo projections show ${word(place.path[1])}` : "ordo projections list"),
  render: (place: Place) => (place.path[1] ? <One key={place.path[1]} name={place.path[1]} /> : <List />),
};
