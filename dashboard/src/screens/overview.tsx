// Does anyone need to act?
import { session } from "../api.ts";
import { useAnswer } from "../live/ask.ts";

import { Body, Panel } from "../parts/panel.tsx";
import { Chip, count, Moment, rate, Said } from "../parts/show.tsx";
import { Spark } from "../parts/spark.tsx";
import type { Screen } from "../screen.ts";

export interface Need {
  key: string;
  urgency: "act" | "look";
  sentence: string;
  next: string;
  screen: string;
  since: string | null;
}

export interface Overview {
  verdict: string;
  urgency: "act" | "look" | null;
  needs: Need[];
  rates: {
    appended: number | null;
    published: number | null;
    unpublished: number | null;
    furthestBehind: [string, number] | null;
    openLetters: number;
    parked: number;
    nodes: number;
  };
}

interface History {
  step: number;
  series: { name: string; points: [number, number][] }[];
}

interface Tour {
  steps: { key: string; title: string; how: string; screen: string; isDone: boolean }[];
}

function View() {
  const answer = useAnswer<Overview>("overview");
  const isDemo = session.value?.environment === "demo";
  const tour = useAnswer<Tour>(isDemo ? "tour" : undefined);
  const history = useAnswer<History>("history");
  return (
    <>
      <Body answer={answer}>
        {(overview) => (
          <>
            <p class={`verdict ${overview.urgency === "act" ? "bad" : overview.urgency === "look" ? "warn" : "good"}`} role="status">
              <span class="lamp" aria-hidden="true" />
              {overview.verdict}
            </p>
            {overview.needs.length > 0 && (
              <section class="panel" aria-label="Needs you">
                <header>
                  <h2>Needs you</h2>
                </header>
                <ul class="needs">
                  {overview.needs.map((need) => (
                    <li key={need.key}>
                      <Chip tone={need.urgency === "act" ? "bad" : "warn"}>{need.urgency === "act" ? "act" : "look"}</Chip>
                      <div class="stack">
                        <p><Said text={need.sentence} /></p>
                        <p class="quiet small">
                          <Said text={need.next} />
                          {need.since && (
                            <>
                              {" "}
                              · since <Moment at={need.since} />
                            </>
                          )}
                        </p>
                      </div>
                      <a class="button" href={`/dashboard/${need.screen}`}>
                        Show
                      </a>
                    </li>
                  ))}
                </ul>
              </section>
            )}
            <div class="tiles">
              <Tile value={rate(overview.rates.appended)} name="events appended" />
              <Tile value={rate(overview.rates.published)} name="events published" />
              <Tile value={count(overview.rates.unpublished)} name="not published yet" />
              <Tile
                value={overview.rates.furthestBehind ? count(overview.rates.furthestBehind[1]) : "0"}
                name={overview.rates.furthestBehind ? `events behind: ${overview.rates.furthestBehind[0]}` : "nobody is behind"}
              />
              <Tile value={count(overview.rates.openLetters)} name="dead letters open" />
              <Tile value={count(overview.rates.parked)} name="events set aside" />
              <Tile value={count(overview.rates.nodes)} name="processes alive" />
            </div>
          </>
        )}
      </Body>
      {isDemo && (
        <Panel title="The tour" answer={tour}>
          {({ steps }) => (
            <ol class="tour">
              {steps.map((step) => (
                <li key={step.key} data-step={step.key} class={step.isDone ? "done" : undefined}>
                  <Chip tone={step.isDone ? "good" : "plain"}>{step.isDone ? "done" : "to do"}</Chip>
                  <div>
                    <p>
                      <a href={`/dashboard/${step.screen}`}>{step.title}</a>
                    </p>
                    <p class="quiet small">{step.how}</p>
                  </div>
                </li>
              ))}
            </ol>
          )}
        </Panel>
      )}
      <Body answer={history}>
        {(known) => (
          <div class="columns">
            {known.series
              .filter((series) => !series.name.startsWith("passed/"))
              .map((series) => (
                <section class="panel" key={series.name} aria-label={named(series.name)}>
                  <header>
                    <h3>{named(series.name)}</h3>
                  </header>
                  <Spark points={series.points} unit={series.name.startsWith("behind/") ? "positions" : "a second"} />
                </section>
              ))}
          </div>
        )}
      </Body>
    </>
  );
}

function named(series: string): string {
  return series.startsWith("behind/") ? `${series.slice(7)}: positions behind` : `Events ${series} a second`;
}

function Tile({ value, name }: { value: string; name: string }) {
  return (
    <div class="tile">
      <b>{value}</b>
      <span>{name}</span>
    </div>
  );
}

export const overview: Screen = {
  id: "overview",
  title: "Overview",
  key: "o",
  question: () => "overview",
  cli: () => "ordo overview",
  render: () => <View />,
};
