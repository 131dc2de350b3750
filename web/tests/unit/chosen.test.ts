import { describe, expect, test, vi } from "vitest";
import { type Chosen, complaintOf, doubtsOf, idOf, sendAgain, typeOf } from "../../src/lib/chosen";

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const good = { bytes: 1e6, width: 900, height: 1200 };

describe("a file", () => {
  test.each([
    ["\xff\xd8\xff\xe0", "picture"],
    ["\x89PNG\r\n\x1a\n", "picture"],
    ["RIFF\0\0\0\0WEBPVP8 ", "picture"],
    ["GIF89a", "picture"],
    ["\0\0\0\x18ftypheic", "phone"],
    ["\0\0\0\x18ftypmif1\0\0\0\0heic", "phone"],
    ["\0\0\0\x18ftypavif", "phone"],
    ["\0\0\0\x18ftypisom", "other"],
    ["RIFF\0\0\0\0WAVE", "other"],
    ["%PDF-1.7", "other"],
    ["", "other"],
  ])("that begins with %j is %s", (start, type) => {
    expect(typeOf(bytes(start))).toBe(type);
  });

  test("is refused when the gateway would refuse it", () => {
    expect(complaintOf(good)).toBeNull();
    expect(complaintOf({ ...good, bytes: 25_000_001 })).toBe("too-heavy");
    expect(complaintOf({ ...good, width: 10_000, height: 5_000 })).toBeNull();
    expect(complaintOf({ ...good, width: 10_000, height: 5_001 })).toBe("too-large");
    expect(complaintOf({ ...good, width: 63 })).toBe("too-small");
  });

  test("comes with advice when it could be better", () => {
    expect(doubtsOf("person", good)).toEqual([]);
    expect(doubtsOf("person", { width: 1200, height: 900 })).toEqual(["landscape"]);
    expect(doubtsOf("garment", { width: 1200, height: 900 })).toEqual([]);
    expect(doubtsOf("person", { width: 200, height: 300 })).toEqual(["low-resolution"]);
  });
});

describe("an upload", () => {
  const chosen: Chosen = { file: new Blob(["x"]), url: "blob:x", width: 1, height: 1 };

  test("happens once, and again when it failed or was forgotten", async () => {
    const upload = vi.fn().mockRejectedValueOnce(new Error("away")).mockResolvedValue("sha256:1");
    await expect(idOf(chosen, upload)).rejects.toThrow("away");
    await Promise.all([idOf(chosen, upload), idOf(chosen, upload)]);
    expect(upload).toHaveBeenCalledTimes(2);
    sendAgain(chosen);
    expect(await idOf(chosen, upload)).toBe("sha256:1");
    expect(upload).toHaveBeenCalledTimes(3);
  });
});
