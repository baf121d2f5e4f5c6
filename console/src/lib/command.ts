// Texts to be pasted into a terminal.

/** A word of a command, in quotes where a shell would read it otherwise. */
export function quoted(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** A command of its words; those that are null are left out. */
export function command(...words: (string | null)[]): string {
  return words.flatMap((word) => (word === null ? [] : quoted(word))).join(" ");
}

export interface Call {
  method: "GET" | "POST";
  /** Below `/api/v1`. */
  path: string;
  body?: unknown;
  /** Where the answer goes. */
  output?: string;
}

/** A call of the API with curl; the key is taken from the environment, as the command line takes it. */
export function curl({ method, path, body, output }: Call, organization: string | null): string {
  const lines = [
    `curl --fail-with-body ${method === "GET" ? "" : `--request ${method} `}${quoted(`${location.origin}/api/v1${path}`)}`,
    `--header "Authorization: Bearer $FLOWETL_API_KEY"`,
    ...(organization === null ? [] : [`--header ${quoted(`X-Organization: ${organization}`)}`]),
    ...(body === undefined
      ? []
      : [`--header 'Content-Type: application/json' --data ${quoted(JSON.stringify(body))}`]),
    ...(output === undefined ? [] : [`--output ${quoted(output)}`]),
  ];
  return lines.join(" \\\n  ");
}
