// The same as a command: a copy that works over plain HTTP, too, where browsers give no clipboard.
import { OPS } from "../api.ts";
import { word } from "../screen.ts";
import { say } from "./toast.tsx";

async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }
  say(`Copied: ${text}`);
}

export function Commands({ cli, question }: { cli: string; question: string }) {
  const token = "${ORDO_TOKEN:+-H \"Authorization: Bearer $ORDO_TOKEN\"}";
  return (
    <span class="row">
      <button type="button" title={cli} onClick={() => void copy(cli)}>
        As CLI
      </button>
      <button type="button" onClick={() => void copy(`curl -s ${token} ${word(location.origin + OPS + question)}`)}>
        As curl
      </button>
    </span>
  );
}
