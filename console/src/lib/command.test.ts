// Commands say what they are told, whatever it holds.
import { expect, test } from "vitest";
import { command, curl } from "./command";

test("words that a shell would read otherwise have quotes", () => {
  expect(command("flowetl", "export", "it's; rm", null)).toBe("flowetl export 'it'\\''s; rm'");
});

test("a call names its organization and its body, and no key", () => {
  const text = curl({ method: "POST", path: "/pipelines/1/run", body: { until: "a'b" } }, "acme");
  expect(text.split(" \\\n  ")).toEqual([
    `curl --fail-with-body --request POST ${location.origin}/api/v1/pipelines/1/run`,
    '--header "Authorization: Bearer $FLOWETL_API_KEY"',
    "--header 'X-Organization: acme'",
    `--header 'Content-Type: application/json' --data '{"until":"a'\\''b"}'`,
  ]);
  expect(curl({ method: "GET", path: "/files/1/content", output: "a.csv" }, null)).toContain(
    "--output a.csv",
  );
});
