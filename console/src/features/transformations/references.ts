// Completes what a transformation may refer to: others by `ref`, loaded tables by `source`.
import type { CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { EditorState, type Extension } from "@codemirror/state";

/** `sources`: schema and table of each. */
export function referencesIn(names: readonly string[], sources: readonly (readonly string[])[]): Extension {
  const options = [
    ...names.map((name) => ({ label: `{{ ref('${name}') }}`, type: "class", detail: "transformation" })),
    ...sources.map(([source = "", table = ""]) => ({
      label: `{{ source('${source}', '${table}') }}`,
      type: "type",
      detail: "loaded table",
    })),
  ];
  const autocomplete = (context: CompletionContext): CompletionResult | null => {
    // Braces close themselves while they are typed: what stands behind is taken, too.
    const begun = context.matchBefore(/\{\{?[^{}]*/);
    if (!begun) return null;
    const behind = /^\s*\}{0,2}/.exec(context.state.sliceDoc(context.pos, context.pos + 4));
    return { from: begun.from, to: context.pos + (behind?.[0].length ?? 0), options, filter: true };
  };
  return EditorState.languageData.of(() => [{ autocomplete }]);
}
