// The file itself: what is drawn is read from here; the cursor and the chosen block go together.
import { yaml } from "@codemirror/lang-yaml";
import { type Diagnostic, linter, lintGutter } from "@codemirror/lint";
import { StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView } from "@codemirror/view";
import { useDeferredValue, useEffect, useMemo, useRef, useState } from "react";
import { Alert } from "@/components/ui/alert";
import { CodeEditor } from "@/components/code-editor";
import type { Editing } from "./use-draft";

const markHere = StateEffect.define<{ start: number; end: number } | null>();
const line = Decoration.line({ class: "cm-here" });
const here = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(found, transaction) {
    let next = found.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(markHere)) continue;
      const { doc } = transaction.state;
      const lines = [];
      if (effect.value) {
        const start = Math.min(effect.value.start, doc.length);
        const last = doc.lineAt(Math.max(start, Math.min(effect.value.end, doc.length) - 1)).number;
        for (let number = doc.lineAt(start).number; number <= last; number += 1)
          lines.push(line.range(doc.line(number).from));
      }
      next = Decoration.set(lines);
    }
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

interface YamlPanelProps {
  editing: Editing;
  selected: string | null;
  onSelect: (id: string | null) => void;
  /** Where the cursor is to go; a new object goes there again. */
  goTo: { line: number; column: number } | null;
  isReadOnly: boolean;
}

export function YamlPanel({ editing, selected, onSelect, goTo, isReadOnly }: YamlPanelProps) {
  const { draft, checked } = editing;
  // Comes together with the text that it was read from, which comes late as well where it was changed elsewhere.
  const reading = useDeferredValue(editing.reading);
  const [view, setView] = useState<EditorView | null>(null);
  const ranges = useRef(reading.ranges);
  useEffect(() => {
    ranges.current = reading.ranges;
  });
  const problems = checked?.text === draft.text ? checked.problems : null;
  const language = useMemo(
    () => [
      yaml(),
      here,
      lintGutter(),
      linter(
        ({ state }) =>
          (problems ?? []).map((problem): Diagnostic => {
            const at = state.doc.line(Math.max(1, Math.min(problem.line, state.doc.lines)));
            const from = Math.min(at.from + Math.max(0, problem.column - 1), at.to);
            return {
              from,
              to: at.to,
              severity: "error",
              message: [problem.message, problem.hint].filter(Boolean).join("; "),
            };
          }),
        { delay: 0 },
      ),
    ],
    [problems],
  );
  const range = reading.ranges.find(({ id }) => id === selected);
  const [start, end] = [range?.start, range?.end];
  useEffect(() => {
    if (!view || (start === undefined && view.state.field(here).size === 0)) return;
    const effects = [];
    if (start !== undefined && end !== undefined) {
      effects.push(markHere.of({ start, end }));
      if (!view.hasFocus)
        effects.push(EditorView.scrollIntoView(Math.min(start, view.state.doc.length), { y: "center" }));
    } else effects.push(markHere.of(null));
    view.dispatch({ effects });
  }, [view, start, end]);
  useEffect(() => {
    if (!view || !goTo) return;
    const at = view.state.doc.line(Math.max(1, Math.min(goTo.line, view.state.doc.lines)));
    const anchor = Math.min(at.from + Math.max(0, goTo.column - 1), at.to);
    view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: "center" }) });
    view.focus();
  }, [view, goTo]);

  return (
    <div className="flex h-full flex-col gap-2 p-3">
      {reading.error && (
        <Alert kind="warning" title={`Line ${reading.error.line} cannot be read.`}>
          The canvas shows the last state that could; drawing goes on once the text is mended.
        </Alert>
      )}
      <CodeEditor
        label="The pipeline as YAML"
        value={draft.text}
        onChange={editing.type}
        language={language}
        hasLines
        isReadOnly={isReadOnly}
        onView={setView}
        onCursor={(offset) => {
          const found = ranges.current.find((range) => range.start <= offset && offset <= range.end);
          if (found) onSelect(found.id);
        }}
        className="flex-1"
      />
    </div>
  );
}
