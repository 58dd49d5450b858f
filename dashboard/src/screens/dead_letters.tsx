// What consumers gave up on: by cause, one by one, tried without effect, replayed in order, discarded.
import { useState } from "preact/hooks";
import { ask, Problem } from "../api.ts";
import { useAnswer } from "../live/ask.ts";
import { Actions, type Act } from "../parts/act.tsx";
import { Body, Panel } from "../parts/panel.tsx";
import { Chip, count, Id, Meter, Moment, Said, span, type Tone } from "../parts/show.tsx";
import { Table, type Column } from "../parts/table.tsx";
import { narrow, to, type Place } from "../route.ts";
import { question, word, type Screen } from "../screen.ts";

interface Group {
  consumer: string;
  fingerprint: string;
  letters: number;
  streams: number;
  waiting: number;
  eventType: string | null;
  stage: string;
  errorType: string;
  error: string;
  firstFailedAt: string;
  lastFailedAt: string;
}

interface Line {
  letterId: string;
  consumer: string;
  state: string;
  eventType: string | null;
  stream: string | null;
  version: number | null;
  error: string;
  replays: number;
  waiting: number;
  lastFailedAt: string;
}

interface Replay {
  replayId: string;
  consumer: string;
  state: string;
  total: number;
  done: number;
  applied: number;
  skipped: number;
  secondsLeft: number | null;
  requestedAt: string;
  requestedBy: string;
  why: string;
  endedWhy: string | null;
}

type Content = { json: unknown } | { text: string } | { base64: string } | null;

interface Detail extends Line {
  fingerprint: string;
  eventId: string | null;
  source: string;
  partition: number;
  offset: number;
  class: string;
  stage: string;
  errorType: string;
  origin: string;
  attempts: number;
  firstFailedAt: string;
  build: string;
  endedAt: string | null;
  endedBy: string | null;
  endedWhy: string | null;
  key: Content;
  payload: Content;
  headers: { name: string; value: Content }[];
  followers: { version: number; eventType: string; eventId: string; parkedAt: string }[];
}

interface Tried {
  succeeds: boolean;
  sentence: string;
  error: string | null;
  appends: { stream: string; events: string[] }[];
  commands: { orderId: string; command: string }[];
}

const STATES: Record<string, Tone> = { open: "bad", resolved: "good", discarded: "plain" };

const FILTERS = ["consumer", "fingerprint", "eventType", "stream", "state", "since", "until"];

function asked(place: Place): string {
  const args: Record<string, string | null> = {};
  for (const name of FILTERS) args[name] = place.query.get(name);
  return question("dlq", args);
}

function cli(place: Place): string {
  if (place.path[1]) return `ordo dlq show ${word(place.path[1])}`;
  const flags = FILTERS.filter((name) => place.query.get(name)).map((name) => `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} ${word(place.query.get(name) ?? "")}`);
  return ["ordo dlq list", ...flags].join(" ");
}

function List({ place }: { place: Place }) {
  const answer = useAnswer<{ groups: Group[]; letters: Line[] }>(asked(place));
  const replays = useAnswer<{ replays: Replay[] }>("dlq/replays");
  return (
    <>
      <form class="row" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          State
          <select value={place.query.get("state") ?? "open"} onChange={(event) => narrow({ state: event.currentTarget.value === "open" ? undefined : event.currentTarget.value })}>
            {["open", "resolved", "discarded", "all"].map((state) => (
              <option key={state}>{state}</option>
            ))}
          </select>
        </label>
        {["consumer", "eventType", "stream"].map((name) => (
          <label key={name}>
            {name === "eventType" ? "Type" : name[0]?.toUpperCase() + name.slice(1)}
            <input type="search" value={place.query.get(name) ?? ""} onChange={(event) => narrow({ [name]: event.currentTarget.value.trim() || undefined })} />
          </label>
        ))}
        {place.query.get("fingerprint") && (
          <button type="button" onClick={() => narrow({ fingerprint: undefined })}>
            All causes
          </button>
        )}
      </form>
      <Panel title="By cause" answer={answer}>
        {({ groups }) => (
          <Table
            name="causes"
            rows={groups}
            id={(row) => `${row.consumer} ${row.fingerprint}`}
            columns={[...GROUPS, { head: "Do", cell: (row) => <Actions acts={groupActs(row)} seen={`${row.letters}`} /> }]}
            empty="None: no consumer has given up on anything that fits."
          />
        )}
      </Panel>
      <Panel title="One by one" answer={answer}>
        {({ letters }) => <Table name="letters" rows={letters} id={(row) => row.letterId} columns={LETTERS} empty="None." />}
      </Panel>
      <Panel title="Replays" answer={replays}>
        {({ replays }) => <Table name="replays" rows={replays} id={(row) => row.replayId} columns={REPLAYS} empty="None was asked for." />}
      </Panel>
    </>
  );
}

const GROUPS: Column<Group>[] = [
  { head: "Consumer", cell: (row) => <a href={to("consumers", row.consumer)}>{row.consumer}</a>, by: (row) => row.consumer },
  { head: "Type", cell: (row) => row.eventType ?? "no event", by: (row) => row.eventType },
  { head: "Letters", kind: "number", cell: (row) => <a href={to("dead-letters", { consumer: row.consumer, fingerprint: row.fingerprint })}>{count(row.letters)}</a>, by: (row) => row.letters },
  { head: "Waiting behind", kind: "number", cell: (row) => count(row.waiting), by: (row) => row.waiting },
  { head: "Error", kind: "wide", cell: (row) => row.error },
  { head: "Last", cell: (row) => <Moment at={row.lastFailedAt} />, by: (row) => row.lastFailedAt },
];

const LETTERS: Column<Line>[] = [
  { head: "Letter", cell: (row) => <a href={to("dead-letters", row.letterId)}><Id id={row.letterId} /></a> },
  { head: "State", cell: (row) => <Chip tone={STATES[row.state] ?? "plain"}>{row.state}</Chip>, by: (row) => row.state },
  { head: "Consumer", cell: (row) => row.consumer, by: (row) => row.consumer },
  { head: "Type", cell: (row) => row.eventType ?? "no event", by: (row) => row.eventType },
  { head: "Stream", cell: (row) => <Stream id={row.stream} /> },
  { head: "Waiting behind", kind: "number", cell: (row) => count(row.waiting), by: (row) => row.waiting },
  { head: "Error", kind: "wide", cell: (row) => row.error },
  { head: "Last", cell: (row) => <Moment at={row.lastFailedAt} />, by: (row) => row.lastFailedAt },
];

const REPLAYS: Column<Replay>[] = [
  { head: "Replay", cell: (row) => <Id id={row.replayId} /> },
  { head: "Consumer", cell: (row) => row.consumer },
  { head: "State", cell: (row) => <Chip tone={row.state === "done" ? "good" : row.state === "failed" ? "bad" : row.state === "running" ? "info" : "plain"}>{row.state}</Chip> },
  { head: "Progress", cell: (row) => (<div class="stack"><Meter percent={(100 * row.done) / Math.max(1, row.total)} label={`${row.done} of ${row.total} letters`} /><span class="small quiet">{row.done} of {row.total}{row.secondsLeft !== null && row.state === "running" ? `, ${span(row.secondsLeft)} left` : ""}</span></div>) },
  { head: "By", cell: (row) => `${row.requestedBy}: ${row.why}`, kind: "wide" },
  { head: "Ended", kind: "wide", cell: (row) => row.endedWhy ?? "" },
  { head: "Do", cell: (row) => (row.state === "running" ? <Actions acts={[{ action: "dlq stop", label: "Stop", args: { replayId: row.replayId } }]} seen={row.state} /> : "") },
];

function Stream({ id }: { id: string | null }) {
  if (id === null) return <>none</>;
  return id.startsWith("order:") ? (
    <a href={to("orders", id.slice(6))}>
      <Id id={id} length={14} />
    </a>
  ) : (
    <Id id={id} length={14} />
  );
}

const RATE = { name: "perSecond", label: "Most letters a second", kind: "number", value: "10" } as const;
const PATCH = { name: "patch", label: "Change each payload first, as a JSON patch (RFC 6902); may be empty", kind: "json", isOptional: true } as const;

function groupActs(group: Group): Act[] {
  const args = { consumer: group.consumer, fingerprint: group.fingerprint };
  return [
    { action: "dlq replay", label: "Replay all", args, fields: [RATE, PATCH] },
    { action: "dlq discard", label: "Discard all", args, isDangerous: true },
  ];
}

function One({ id, place }: { id: string; place: Place }) {
  const answer = useAnswer<Detail>(shownBy(place));
  const [tried, setTried] = useState<Tried | string>();
  const [patch, setPatch] = useState("");
  const attempt = async () => {
    try {
      setTried(await ask<Tried>(question("dlq/try", { letterId: id, patch: patch.trim() })));
    } catch (error) {
      setTried(error instanceof Problem ? `${error.message}. ${error.next ?? ""}` : String(error));
    }
  };
  return (
    <Body answer={answer}>
      {(letter) => (
        <>
          <section class="panel" aria-label="Letter">
            <header>
              <h2>
                {letter.eventType ?? "A record that is no event"}, given up by {letter.consumer}
              </h2>
              <Chip tone={STATES[letter.state] ?? "plain"}>{letter.state}</Chip>
              <Actions
                acts={[
                  { action: "dlq replay", label: "Replay", args: { letterIds: [id] }, fields: [RATE, { ...PATCH, value: patch }] },
                  { action: "dlq discard", label: "Discard", args: { letterIds: [id] }, isDangerous: true },
                  { action: "personal reveal", label: "Show the customer", args: { subject: `letter:${id}` }, done: (revealed) => narrow({ revealed }) },
                ]}
                seen={letter.state}
              />
            </header>
            <p class="notice bad">{letter.error}</p>
            <dl class="facts">
              <dt>Stream</dt>
              <dd>
                <Stream id={letter.stream} />
                {letter.version !== null && `, version ${letter.version}`}
              </dd>
              <dt>From</dt>
              <dd>
                {letter.source}, partition {letter.partition}, offset {letter.offset}
              </dd>
              <dt>Failed</dt>
              <dd>
                as {letter.class} while {letter.stage === "handle" ? "handled" : letter.stage}, at {letter.origin}; {count(letter.attempts)} tries, first <Moment at={letter.firstFailedAt} />, last <Moment at={letter.lastFailedAt} />
              </dd>
              <dt>Given up by build</dt>
              <dd>{letter.build}</dd>
              <dt>Replays that failed</dt>
              <dd>{count(letter.replays)}</dd>
              {letter.endedAt && (
                <>
                  <dt>Ended</dt>
                  <dd>
                    <Moment at={letter.endedAt} /> by {letter.endedBy}: {letter.endedWhy}
                  </dd>
                </>
              )}
            </dl>
          </section>
          <section class="panel" aria-label="Try it">
            <header>
              <h2>Try it with the handler as it is now</h2>
              <button type="button" class="main" onClick={() => void attempt()}>
                Try
              </button>
            </header>
            <p class="quiet small">It is run and rolled back: nothing takes effect.</p>
            <label class="field">
              Change the payload first, as a JSON patch; may be empty
              <textarea value={patch} placeholder='[{"op": "replace", "path": "/userId", "value": "ada"}]' onInput={(event) => setPatch(event.currentTarget.value)} />
            </label>
            {typeof tried === "string" && (
              <p class="notice bad" role="alert">
                {tried}
              </p>
            )}
            {typeof tried === "object" && (
              <div class="stack" role="status">
                <p class={`sentence ${tried.succeeds ? "good" : "bad"}`}><Said text={tried.sentence} /></p>
                {tried.appends.map((append) => (
                  <p key={append.stream}>
                    would append {append.events.join(", ")} to <code>{append.stream}</code>
                  </p>
                ))}
                {tried.commands.map((command) => (
                  <p key={command.orderId}>
                    would send {command.command} to order <code>{command.orderId}</code>
                  </p>
                ))}
              </div>
            )}
          </section>
          <section class="panel" aria-label="Waiting behind">
            <h2>Waiting behind it</h2>
            <Table
              name="followers"
              rows={letter.followers}
              id={(row) => row.eventId}
              columns={[
                { head: "Version", kind: "number", cell: (row) => row.version },
                { head: "Type", cell: (row) => row.eventType },
                { head: "Since", cell: (row) => <Moment at={row.parkedAt} /> },
              ]}
              empty="Nothing: its stream has no later event."
            />
          </section>
          <section class="panel" aria-label="Payload">
            <h2>Payload</h2>
            <pre tabIndex={0}>{shown(letter.payload)}</pre>
            <h3>Headers</h3>
            <dl class="facts">
              {letter.headers.map((header, index) => (
                <>
                  <dt key={`name-${index}`}>{header.name}</dt>
                  <dd key={`value-${index}`}>
                    <code>{shown(header.value)}</code>
                  </dd>
                </>
              ))}
            </dl>
          </section>
        </>
      )}
    </Body>
  );
}

function shownBy(place: Place): string {
  return question("dlq/show", { letterId: place.path[1], revealed: place.query.get("revealed") });
}

function shown(content: Content): string {
  if (content === null) return "none";
  if ("json" in content) return JSON.stringify(content.json, null, 2);
  return "text" in content ? content.text : `base64: ${content.base64}`;
}

export const deadLetters: Screen = {
  id: "dead-letters",
  title: "Dead letters",
  key: "d",
  question: (place) => (place.path[1] ? shownBy(place) : asked(place)),
  cli,
  render: (place) => (place.path[1] ? <One key={place.path[1]} id={place.path[1]} place={place} /> : <List place={place} />),
};
