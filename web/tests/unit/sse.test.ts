import { describe, expect, test } from "vitest";
import { messages, parse } from "../../src/api/sse";

async function read(...pieces: string[]) {
  const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of bytes) controller.enqueue(piece);
      controller.close();
    },
  });
  const found = [];
  for await (const message of messages(stream)) found.push(message);
  return found;
}

describe("server-sent events", () => {
  test("are put together from pieces that end anywhere", async () => {
    const found = await read("id: 1\nevent: sta", 'ge\ndata: {"a": ', "1}\n", "\nid: 2\ndata: x\n\n");
    expect(found).toEqual([
      { id: "1", event: "stage", data: '{"a": 1}' },
      { id: "2", event: "message", data: "x" },
    ]);
  });

  test("may have data of several lines, and any line ends", () => {
    expect(parse("data: one\r\ndata:two\r\ndata")).toEqual({ id: "", event: "message", data: "one\ntwo\n" });
  });

  test("keep what is cut off to themselves", async () => {
    expect(await read("event: stage\ndata: 1\n\nevent: stage\nda")).toHaveLength(1);
  });

  test("count comments and settings as signs of life", async () => {
    expect((await read("retry: 1000\n\n: still there\n\n")).map(({ event }) => event)).toEqual(["comment", "comment"]);
  });
});
