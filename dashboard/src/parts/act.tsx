// Doing something: what it would touch is tried first and shown, then exactly that is done. The server decides what is
// allowed, what it touches, and whether its number has to be typed.
import { signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ask, Problem, send } from "../api.ts";
import { say } from "./toast.tsx";

export interface Field {
  name: string;
  label: string;
  kind?: "text" | "number" | "json" | "flag";
  value?: string;
  /** What may be left empty is left out. */
  isOptional?: boolean;
}

export interface Act {
  /** Its name: `consumers pause`. */
  action: string;
  label: string;
  args: Record<string, unknown>;
  fields?: Field[];
  isDangerous?: boolean;
  /** Called with the id of what was done. */
  done?: (operationId: string) => void;
}

interface Done {
  operationId: string | null;
  planId: string | null;
  touches: number;
  mustType: boolean;
  plan: unknown;
  outcome: unknown;
}

interface Allowed {
  actions: { action: string; why: string | null }[];
}

const open = signal<Act | undefined>(undefined);

/** Buttons for actions; one that is not allowed now says why. `seen` is what makes the server be asked again. */
export function Actions({ acts, seen }: { acts: Act[]; seen: string }) {
  const [why, setWhy] = useState<(string | null | undefined)[]>([]);
  const asked = JSON.stringify(acts.map((act) => ({ action: act.action, args: expected(act) })));
  useEffect(() => {
    const stop = new AbortController();
    ask<Allowed>(`actions?asked=${encodeURIComponent(asked)}`, { signal: stop.signal })
      .then((answer) => setWhy(answer.actions.map((each) => each.why)))
      .catch(() => {
        // The buttons stay as they were: an action that is not allowed is refused by the server all the same.
      });
    return () => stop.abort();
  }, [asked, seen]);
  return (
    <span class="row">
      {acts.map((act, index) => (
        <button
          key={act.action + act.label}
          type="button"
          class={act.isDangerous ? "danger" : undefined}
          disabled={typeof why[index] === "string"}
          title={why[index] ?? undefined}
          onClick={() => (open.value = act)}
        >
          {act.label}
        </button>
      ))}
    </span>
  );
}

/** The arguments as the dialog will begin with them; none while something has to be filled in first. */
function expected(act: Act): Record<string, unknown> | undefined {
  const isEmpty = (field: Field) => !field.value && !field.isOptional && field.kind !== "json" && field.kind !== "flag";
  if (act.fields?.some(isEmpty)) return undefined;
  return filled(act, Object.fromEntries((act.fields ?? []).map((field) => [field.name, field.value ?? ""])));
}

export function Dialogs() {
  const act = open.value;
  return act ? <ActDialog key={JSON.stringify([act.action, act.args])} act={act} /> : null;
}

function ActDialog({ act }: { act: Act }) {
  const box = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries((act.fields ?? []).map((field) => [field.name, field.value ?? ""])));
  const [reason, setReason] = useState("");
  const [tried, setTried] = useState<Done>();
  const [typed, setTyped] = useState("");
  const [problem, setProblem] = useState<string>();
  const [isBusy, setBusy] = useState(false);
  useEffect(() => box.current?.showModal(), []);

  async function attempt(body: (args: Record<string, unknown>) => unknown): Promise<Done | undefined> {
    setBusy(true);
    setProblem(undefined);
    try {
      return await send<Done>(act.action.replaceAll(" ", "/"), body(filled(act, values)));
    } catch (error) {
      setProblem(error instanceof Problem ? `${error.message}${error.next ? `. ${error.next}` : ""}` : String(error));
      return undefined;
    } finally {
      setBusy(false);
    }
  }

  const tryIt = async () => setTried(await attempt((args) => ({ args, reason, dryRun: true })));
  const doIt = async () => {
    const confirmed = tried?.mustType ? { confirm: Number(typed) } : {};
    const done = await attempt((args) => ({ args, reason, planId: tried?.planId, ...confirmed }));
    if (!done) {
      setTried(undefined); // What was seen has changed, or was taken: it is looked at anew before anything is done.
      return;
    }
    say(`${act.label}: done. Audit ${done.operationId ?? ""}`);
    open.value = undefined;
    if (done.operationId) act.done?.(done.operationId);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    void (tried ? doIt() : tryIt());
  };
  return (
    <dialog ref={box} aria-labelledby="act-title" onClose={() => (open.value = undefined)}>
      <form onSubmit={submit}>
        <h2 id="act-title">{act.label}</h2>
        <p class="quiet small">
          <code>{act.action}</code> {Object.values(act.args).filter(isPlain).join(" ")}
        </p>
        {(act.fields ?? []).map((field) => (
          <FieldInput key={field.name} field={field} value={values[field.name] ?? ""} isFixed={tried !== undefined} set={(value) => setValues({ ...values, [field.name]: value })} />
        ))}
        <label class="field">
          Reason, kept with the audit
          <input value={reason} required minLength={3} maxLength={1000} disabled={tried !== undefined} onInput={(event) => setReason(event.currentTarget.value)} />
        </label>
        {tried && (
          <>
            <h3>
              Tried and undone: it touches {tried.touches}
            </h3>
            <pre tabIndex={0}>{JSON.stringify({ plan: tried.plan, outcome: tried.outcome }, null, 2)}</pre>
            {tried.mustType && (
              <label class="field">
                Type {tried.touches} to confirm
                <input value={typed} inputMode="numeric" required onInput={(event) => setTyped(event.currentTarget.value)} />
              </label>
            )}
          </>
        )}
        {problem && (
          <p class="notice bad" role="alert">
            {problem}
          </p>
        )}
        <div class="buttons">
          <button type="button" onClick={() => box.current?.close()}>
            Cancel
          </button>
          {tried ? (
            <button type="submit" class={act.isDangerous ? "danger" : "main"} disabled={isBusy || (tried.mustType && typed !== String(tried.touches))}>
              {act.label} now
            </button>
          ) : (
            <button type="submit" class="main" disabled={isBusy}>
              Show what it would do
            </button>
          )}
        </div>
      </form>
    </dialog>
  );
}

function FieldInput({ field, value, isFixed, set }: { field: Field; value: string; isFixed: boolean; set: (value: string) => void }): ComponentChildren {
  if (field.kind === "flag") {
    return (
      <label>
        <input type="checkbox" checked={value === "true"} disabled={isFixed} onChange={(event) => set(event.currentTarget.checked ? "true" : "")} />
        {field.label}
      </label>
    );
  }
  return (
    <label class="field">
      {field.label}
      {field.kind === "json" ? (
        <textarea value={value} disabled={isFixed} onInput={(event) => set(event.currentTarget.value)} />
      ) : (
        <input value={value} required={!field.isOptional} disabled={isFixed} inputMode={field.kind === "number" ? "decimal" : "text"} onInput={(event) => set(event.currentTarget.value)} />
      )}
    </label>
  );
}

function isPlain(value: unknown): boolean {
  return typeof value === "string" || typeof value === "number";
}

function filled(act: Act, values: Record<string, string>): Record<string, unknown> {
  const args: Record<string, unknown> = { ...act.args };
  for (const field of act.fields ?? []) {
    const text = (values[field.name] ?? "").trim();
    if (text === "" && (field.isOptional || field.kind === "json" || field.kind === "flag")) continue;
    if (field.kind === "number") args[field.name] = Number(text);
    else if (field.kind === "json") args[field.name] = json(field.label, text);
    else args[field.name] = field.kind === "flag" ? text === "true" : text;
  }
  return args;
}

function json(label: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Problem(0, "no_json", `${label}: this is no JSON`, undefined);
  }
}
