// Reads server-sent events through fetch: EventSource can send no headers and tells no status.

export interface Told {
  name: string;
  data: string;
}

/** Splits what arrives, in pieces of any size, into events; comments are signs of life and nothing else. */
export class Parser {
  private rest = "";

  push(piece: string): Told[] {
    this.rest += piece;
    const told: Told[] = [];
    for (;;) {
      const end = this.rest.indexOf("\n\n");
      if (end < 0) return told;
      const event = parsed(this.rest.slice(0, end));
      this.rest = this.rest.slice(end + 2);
      if (event) told.push(event);
    }
  }
}

function parsed(block: string): Told | undefined {
  let name = "message";
  const data: string[] = [];
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) name = line.slice(7);
    else if (line.startsWith("data: ")) data.push(line.slice(6));
  }
  return data.length > 0 ? { name, data: data.join("\n") } : undefined;
}

/** Hands every event to `hear` until the stream ends. */
export async function read(body: ReadableStream<Uint8Array>, hear: (told: Told) => void): Promise<void> {
  const reader = body.pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>).getReader();
  const parser = new Parser();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    parser.push(value).forEach(hear);
  }
}
