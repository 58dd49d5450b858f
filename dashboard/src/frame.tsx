// Around every screen: where one can go, whether anyone must act, how old the picture is, who is asking.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { ended, request, send, session, unanswered, whoAmI, Problem } from "./api.ts";
import { isPaused, isStreaming, pause, useAnswer } from "./live/ask.ts";
import { Dialogs } from "./parts/act.tsx";
import { Commands } from "./parts/copy.tsx";
import { Age } from "./parts/panel.tsx";
import { sayProblem, Toasts } from "./parts/toast.tsx";
import { follow, go, place, to } from "./route.ts";
import { screens } from "./screens/all.ts";
import type { Overview } from "./screens/overview.tsx";
import { otherTheme, theme } from "./theme.ts";

const help = signal(false);
const palette = signal(false);

export function Frame() {
  const known = session.value;
  useEffect(() => {
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
  if (known === null) return <Login />;
  if (known === undefined) {
    const why = unanswered.value;
    return (
      <p class="boot" role="status">
        Asking the server who you are… {why && `${why.message}. ${why.next ?? ""}`}
      </p>
    );
  }
  return (
    <div onClick={follow}>
      <Shell />
      <Dialogs />
      <Toasts />
      {help.value && <Help />}
      {palette.value && <Palette />}
    </div>
  );
}

function current() {
  return screens.find((screen) => screen.id === (place.value.path[0] ?? "overview"));
}

function Shell() {
  const overview = useAnswer<Overview>("overview");
  const screen = current();
  const main = useRef<HTMLElement>(null);
  const title = screen ? [screen.title, ...place.value.path.slice(1)].join(" · ") : "No such page";
  useEffect(() => {
    document.title = `${title} – ordo`;
  }, [title]);
  const who = session.value;
  return (
    <div class="frame">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        To the content
      </a>
      <nav class="rail" aria-label="Screens">
        <span class="brand">
          ordo <span class={`environment ${who?.environment ?? ""}`}>{(who?.environment ?? "").toUpperCase()}</span>
        </span>
        {screens.map((each) => (
          <Entry key={each.id} id={each.id} title={each.title} isHere={each === screen} needs={overview.value?.needs} />
        ))}
        <div class="who">
          <span>
            {who?.name} · {who?.role}
          </span>
          <span>
            {who?.node} · {who?.build}
          </span>
          {who?.csrf && (
            <button type="button" onClick={() => void logout()}>
              Log out
            </button>
          )}
        </div>
      </nav>
      <div>
        <header class="bar">
          <h1>{screen?.title ?? "No such page"}</h1>
          <div class="tools">
            <span class={`chip ${overview.problem ? "bad" : isPaused.value ? "warn" : isStreaming.value ? "good" : "plain"}`}>
              {isPaused.value ? "paused" : overview.problem ? "no answer" : isStreaming.value ? "live" : "connecting"}
            </span>
            <Age at={overview.at} />
            <button type="button" aria-pressed={isPaused.value} onClick={() => pause(!isPaused.value)}>
              {isPaused.value ? "Go on" : "Hold still"}
            </button>
            {screen && <Commands cli={screen.cli(place.value)} question={screen.question(place.value)} />}
            <button type="button" onClick={() => (palette.value = true)}>
              Go to… <kbd>Ctrl K</kbd>
            </button>
            <button type="button" aria-label={`Use the ${theme.value === "dark" ? "light" : "dark"} theme`} onClick={otherTheme}>
              {theme.value === "dark" ? "Light" : "Dark"}
            </button>
            <button type="button" aria-label="Keys" onClick={() => (help.value = true)}>
              ?
            </button>
          </div>
        </header>
        <main id="main" ref={main} tabIndex={-1}>
          {screen ? screen.render(place.value) : <p>There is no screen of this name. The list of screens shows those there are.</p>}
        </main>
      </div>
    </div>
  );
}

function Entry({ id, title, isHere, needs }: { id: string; title: string; isHere: boolean; needs: Overview["needs"] | undefined }) {
  const mine = (needs ?? []).filter((need) => id === "overview" || need.screen.split(/[/?]/)[0] === id);
  const act = mine.filter((need) => need.urgency === "act").length;
  return (
    <a class="entry" href={to(id)} aria-current={isHere ? "page" : undefined}>
      {title}
      {mine.length > 0 && (
        <span class={`count ${act > 0 ? "act" : ""}`} title={act > 0 ? `${act} of these need somebody now` : "worth a look"}>
          {mine.length}
          <span class="hidden-but-told"> {act > 0 ? "need you" : "worth a look"}</span>
        </span>
      )}
    </a>
  );
}

async function logout(): Promise<void> {
  try {
    const csrf = session.peek()?.csrf ?? "";
    await request("session", { method: "DELETE", headers: { "x-ordo-csrf": csrf } });
    session.value = null;
  } catch (error) {
    sayProblem(error);
  }
}

function Login() {
  const [token, setToken] = useState("");
  const [problem, setProblem] = useState<string>();
  const submit = async (event: Event) => {
    event.preventDefault();
    try {
      await send("session", { token });
      ended.value = undefined;
      await whoAmI();
    } catch (error) {
      setProblem(error instanceof Problem ? `${error.message}. ${error.next ?? ""}` : String(error));
    }
  };
  return (
    <main class="boot">
      <form class="stack" onSubmit={(event) => void submit(event)}>
        <h1>ordo</h1>
        {ended.value && <p class="notice">{ended.value}</p>}
        <label class="field">
          Your operator token
          <input type="password" value={token} autocomplete="current-password" required onInput={(event) => setToken(event.currentTarget.value)} />
        </label>
        {problem && (
          <p class="notice bad" role="alert">
            {problem}
          </p>
        )}
        <div>
          <button type="submit" class="main">
            Log in
          </button>
        </div>
      </form>
    </main>
  );
}

let went = -Infinity;

function pressed(event: KeyboardEvent): void {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    palette.value = true;
    return;
  }
  const target = event.target as HTMLElement;
  if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || document.querySelector("dialog[open]")) return;
  if (performance.now() - went < 1_500) {
    went = -Infinity;
    const screen = screens.find((each) => each.key === event.key);
    if (screen) {
      event.preventDefault();
      go(to(screen.id));
      document.getElementById("main")?.focus();
    }
    return;
  }
  if (event.key === "g") went = performance.now();
  else if (event.key === "?") help.value = true;
  else if (event.key === " " && target === document.body) pause(!isPaused.value);
  else if (event.key === "/") {
    const search = document.querySelector<HTMLInputElement>("main input[type=search], main input");
    if (search) {
      event.preventDefault();
      search.focus();
    }
  }
}

function Help() {
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => box.current?.showModal(), []);
  return (
    <dialog ref={box} aria-label="Keys" onClose={() => (help.value = false)}>
      <div>
        <h2>Keys</h2>
        <table>
          <tbody>
            {screens.map((screen) => (
              <tr key={screen.id}>
                <td>
                  <kbd>g</kbd> <kbd>{screen.key}</kbd>
                </td>
                <td>{screen.title}</td>
              </tr>
            ))}
            <tr><td><kbd>/</kbd></td><td>Search on this screen</td></tr>
            <tr><td><kbd>Ctrl</kbd> <kbd>K</kbd></td><td>Go to any id</td></tr>
            <tr><td><kbd>Space</kbd></td><td>Hold the picture still, or let it go on</td></tr>
            <tr><td><kbd>?</kbd></td><td>This list</td></tr>
          </tbody>
        </table>
        <div class="buttons">
          <button type="button" onClick={() => box.current?.close()}>Close</button>
        </div>
      </div>
    </dialog>
  );
}

/** Where an id can lead: what it looks like says what it may be. */
function targets(text: string): { label: string; address: string }[] {
  const id = text.trim();
  const found = screens
    .filter((screen) => id === "" || screen.title.toLowerCase().includes(id.toLowerCase()))
    .map((screen) => ({ label: screen.title, address: to(screen.id) }));
  if (/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i.test(id)) {
    found.unshift(
      { label: `Order ${id}`, address: to("orders", id) },
      { label: `Trace of order ${id}`, address: to("trace", id) },
      { label: `Dead letter ${id}`, address: to("dead-letters", id) },
      { label: `Events of the story or with the id ${id}`, address: to("events", { id }) },
    );
  } else if (/^order:/.test(id)) found.unshift({ label: `Order ${id.slice(6)}`, address: to("orders", id.slice(6)) });
  else if (/^ordo(\/|$)/.test(id)) found.unshift({ label: `Actor ${id}`, address: to("actors", { path: id }) });
  else if (id !== "") {
    found.push({ label: `Orders of customer ${id}`, address: to("orders", { user: id }) }, { label: `Consumer ${id}`, address: to("consumers", id) });
  }
  return found;
}

function Palette() {
  const box = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  useEffect(() => box.current?.showModal(), []);
  const found = targets(text);
  const open = (address: string) => {
    box.current?.close();
    go(address);
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key === "ArrowDown") setChosen(Math.min(chosen + 1, found.length - 1));
    else if (event.key === "ArrowUp") setChosen(Math.max(chosen - 1, 0));
    else if (event.key === "Enter" && found[chosen]) open(found[chosen].address);
    else return;
    event.preventDefault();
  };
  return (
    <dialog ref={box} class="palette" aria-label="Go to" onClose={() => (palette.value = false)}>
      <div>
        <label class="field">
          An id, a customer, an actor, or a screen
          <input value={text} onKeyDown={pressed} onInput={(event) => (setText(event.currentTarget.value), setChosen(0))} />
        </label>
        <ul>
          {found.map((target, index) => (
            <li key={target.address}>
              <a href={target.address} aria-current={index === chosen ? "true" : undefined} onClick={(event) => (event.preventDefault(), open(target.address))}>
                {target.label}
              </a>
            </li>
          ))}
        </ul>
      </div>
    </dialog>
  );
}
