// Every actor of every process: what it does, how often it was started again and why, and what it has to do.
import { useAnswer } from "../live/ask.ts";
import { Panel } from "../parts/panel.tsx";
import { Chip, count, Moment, span, type Tone } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { narrow, to, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";

interface Actor {
  path: string;
  kind: string;
  status: "running" | "backing_off" | "stopped" | "escalated";
  since: string;
  restarts: number;
  budgetLeft: number | null;
  lastCrash: { at: string; cause: string | null; why: string } | null;
}

interface Kind {
  kind: string;
  mailboxes: number;
  depth: number;
  callers: number;
  consumers: number;
  oldestMs: number;
  handled: number;
  failed: number;
  refused: number;
  busyMs: number;
}

interface Fact {
  id: string;
  at: string;
  node: string;
  path: string;
  kind: string;
  what: string;
  cause: string | null;
  why: string;
  budgetLeft: number | null;
}

interface Supervision {
  node: string;
  tree: Actor[];
  workload: Kind[];
  others: { node: string; life: string; at: string; tree: Actor[]; workload: Kind[] }[];
  source: "memory" | "postgres";
  dropped: number;
  history: Fact[];
}

const TONES: Record<Actor["status"], Tone> = { running: "good", backing_off: "warn", stopped: "plain", escalated: "bad" };
const FACTS: Record<string, Tone> = { started: "good", restarted: "good", stopped: "plain", crashed: "bad", backing_off: "warn", escalated: "bad" };

function asked(place: Place): string {
  return question("supervision", { path: place.query.get("path"), limit: "100" });
}

const ACTORS: Column<Actor>[] = [
  {
    head: "Actor",
    cell: (row) => (
      <a href={to("actors", { path: row.path })}>
        {"  ".repeat(row.path.split("/").length - 1)}
        {row.path.split("/").pop()}
      </a>
    ),
  },
  { head: "Kind", cell: (row) => row.kind, by: (row) => row.kind },
  { head: "State", cell: (row) => <Chip tone={TONES[row.status]}>{row.status.replace("_", " ")}</Chip>, by: (row) => row.status },
  { head: "Since", cell: (row) => <Moment at={row.since} />, by: (row) => row.since },
  { head: "Started again", kind: "number", cell: (row) => count(row.restarts), by: (row) => row.restarts },
  { head: "Restarts left", kind: "number", cell: (row) => (row.budgetLeft === null ? "all" : count(row.budgetLeft)), by: (row) => row.budgetLeft },
  { head: "Last crash", kind: "wide", cell: (row) => (row.lastCrash ? (<><Moment at={row.lastCrash.at} />, {row.lastCrash.cause ?? "unknown cause"}: {row.lastCrash.why}</>) : "") },
];

const KINDS: Column<Kind>[] = [
  { head: "Kind", cell: (row) => row.kind, by: (row) => row.kind },
  { head: "Mailboxes", kind: "number", cell: (row) => count(row.mailboxes), by: (row) => row.mailboxes },
  { head: "Waiting", kind: "number", cell: (row) => count(row.depth), by: (row) => row.depth },
  { head: "Age of the oldest", kind: "number", cell: (row) => (row.depth > 0 ? span(row.oldestMs / 1_000) : "–"), by: (row) => row.oldestMs },
  { head: "Handled", kind: "number", cell: (row) => count(row.handled), by: (row) => row.handled },
  { head: "Failed", kind: "number", cell: (row) => count(row.failed), by: (row) => row.failed },
  { head: "Refused", kind: "number", cell: (row) => count(row.refused), by: (row) => row.refused },
  { head: "Mean time", kind: "number", cell: (row) => (row.handled > 0 ? span(row.busyMs / row.handled / 1_000) : "–"), by: (row) => (row.handled > 0 ? row.busyMs / row.handled : null) },
];

const HISTORY: Column<Fact>[] = [
  { head: "When", cell: (row) => <Moment at={row.at} />, by: (row) => row.at },
  { head: "What", cell: (row) => <Chip tone={FACTS[row.what] ?? "plain"}>{row.what.replace("_", " ")}</Chip>, by: (row) => row.what },
  { head: "Actor", cell: (row) => <a href={to("actors", { path: row.path })}>{row.path}</a>, by: (row) => row.path },
  { head: "Process", cell: (row) => row.node, by: (row) => row.node },
  { head: "Cause", cell: (row) => row.cause ?? "" },
  { head: "Restarts left", kind: "number", cell: (row) => (row.budgetLeft === null ? "" : count(row.budgetLeft)) },
  { head: "Why", kind: "wide", cell: (row) => row.why },
];

function View({ place }: { place: Place }) {
  const answer = useAnswer<Supervision>(asked(place));
  const path = place.query.get("path");
  return (
    <>
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          At or below
          <input type="search" size={36} value={path ?? ""} placeholder="ordo/subscriptions/inventory" onChange={(event) => narrow({ path: event.currentTarget.value.trim() || undefined })} />
        </label>
        {path && <Crumbs path={path} />}
      </form>
      <Panel title={answer.value ? `Actors of ${answer.value.node}` : "Actors"} answer={answer}>
        {(seen) => (
          <>
            {seen.source === "memory" && <p class="notice">Postgres does not answer: only this process is shown, from its memory.</p>}
            <Tree name="actors" actors={seen.tree} place={place} />
          </>
        )}
      </Panel>
      <Panel title="What each kind has to do" answer={answer}>
        {(seen) => <Table name="kinds" rows={seen.workload} id={(row) => row.kind} columns={KINDS} empty="Nothing was sent yet." />}
      </Panel>
      {answer.value?.others.map((other) => (
        <section class="panel" key={other.node} aria-label={`Actors of ${other.node}`}>
          <header>
            <h2>Actors of {other.node}</h2>
            <Chip tone={other.life === "alive" ? "good" : "warn"}>{other.life === "alive" ? "alive" : `${other.life} since then`}</Chip>
            <span class="quiet small">
              as it wrote them at <Moment at={other.at} />
            </span>
          </header>
          <Tree name={`actors-${other.node}`} actors={other.tree} place={place} />
        </section>
      ))}
      <Panel title="What happened" answer={answer}>
        {(seen) => (
          <>
            {seen.dropped > 0 && <p class="notice">{count(seen.dropped)} facts never reached Postgres, because it was away for too long.</p>}
            <Table name="facts" rows={seen.history} id={(row) => row.id} columns={HISTORY} empty="Nothing is kept." />
          </>
        )}
      </Panel>
    </>
  );
}

/** A group of more is closed until somebody opens it, unless one in it does not run. */
const OPEN = 12;

/** The parts of the tree, each a group; a group whose actors all run says so in one line. */
function Tree({ name, actors, place }: { name: string; actors: Actor[]; place: Place }) {
  const groups = new Map<string, Actor[]>();
  for (const actor of actors) {
    const part = actor.path.split("/").slice(0, 2).join("/");
    groups.set(part, [...(groups.get(part) ?? []), actor]);
  }
  // What stands alone below the root needs no group of its own.
  const alone = [...groups].filter(([, members]) => members.length === 1).flatMap(([, members]) => members);
  for (const actor of alone) groups.delete(actor.path.split("/").slice(0, 2).join("/"));
  if (alone.length > 0) groups.set("ordo", [...alone, ...(groups.get("ordo") ?? [])]);
  const chosen = place.query.get("open")?.split(",") ?? [];
  const toggled = (part: string) => (chosen.includes(part) ? chosen.filter((each) => each !== part) : [...chosen, part]);
  if (actors.length === 0) return <p class="empty">No actor is at or below that path.</p>;
  return (
    <div class="tree">
      {[...groups].map(([part, members]) => {
        const waiting = members.filter((actor) => actor.status !== "running").length;
        const isOpen = (members.length <= OPEN || waiting > 0 || place.query.get("path") !== null) !== chosen.includes(part);
        const restarts = members.reduce((sum, actor) => sum + actor.restarts, 0);
        return (
          <section key={part} aria-label={part}>
            <button type="button" class="group" aria-expanded={isOpen} onClick={() => narrow({ open: toggled(part).join(",") })}>
              <span aria-hidden="true">{isOpen ? "▾" : "▸"}</span> {part}
              <span class="quiet small">
                {count(members.length)} actors, started again {count(restarts)} times
              </span>
              {waiting > 0 ? <Chip tone="warn">{count(waiting)} do not run</Chip> : <Chip tone="good">all run</Chip>}
            </button>
            {isOpen && <Table name={`${name} ${part}`} rows={members} id={(row) => row.path} columns={ACTORS} empty="" />}
          </section>
        );
      })}
    </div>
  );
}

function Crumbs({ path }: { path: string }) {
  const words = path.split("/");
  return (
    <nav aria-label="Path to the root" class="row">
      {words.map((name, index) => (
        <span key={index}>
          {index > 0 && "/ "}
          <a href={to("actors", { path: words.slice(0, index + 1).join("/") })}>{name}</a>
        </span>
      ))}
      <a href={to("actors")}>all</a>
    </nav>
  );
}

export const actors: Screen = {
  id: "actors",
  title: "Actors",
  key: "a",
  question: asked,
  cli: (place) => (place.query.get("path") ? `ordo supervision --path ${word(place.query.get("path") ?? "")}` : "ordo supervision"),
  render: (place) => <View place={place} />,
};
