// CodeMirror as a field: its text comes from outside and goes there; undoing is the document's own.
import {
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import { defaultKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, syntaxHighlighting } from "@codemirror/language";
import { lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { Annotation, Compartment, EditorState, type Extension } from "@codemirror/state";
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useDeferredValue, useEffect, useLayoutEffect, useRef } from "react";
import { cn } from "@/lib/cn";
import { useIsDark } from "@/lib/theme";

const dark = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "#d8b4fe" },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.typeName], color: "#93c5fd" },
  { tag: [tags.string, tags.special(tags.string)], color: "#86efac" },
  { tag: [tags.number, tags.bool, tags.null], color: "#fcd34d" },
  { tag: [tags.comment, tags.meta], color: "#b4b4b4", fontStyle: "italic" },
]);
const light = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: "#7e22ce" },
  { tag: [tags.definition(tags.propertyName), tags.propertyName, tags.typeName], color: "#1d4ed8" },
  { tag: [tags.string, tags.special(tags.string)], color: "#166534" },
  { tag: [tags.number, tags.bool, tags.null], color: "#92400e" },
  { tag: [tags.comment, tags.meta], color: "#525252", fontStyle: "italic" },
]);

const COLOURS = { dark: syntaxHighlighting(dark), light: syntaxHighlighting(light) };

const look = EditorView.theme({
  "&": { height: "100%", fontSize: "13px", backgroundColor: "transparent" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono)", lineHeight: "1.55" },
  ".cm-gutters": { backgroundColor: "transparent", color: "var(--muted-foreground)", border: "none" },
  ".cm-content": { caretColor: "var(--foreground)" },
  ".cm-cursor": { borderLeftColor: "var(--foreground)" },
  ".cm-placeholder": { color: "var(--muted-foreground)" },
  ".cm-tooltip": {
    backgroundColor: "var(--raised)",
    border: "1px solid var(--border)",
    color: "var(--foreground)",
  },
  ".cm-tooltip-autocomplete ul li[aria-selected]": {
    backgroundColor: "var(--primary, #9333ea)",
    color: "#ffffff",
  },
  ".cm-panels": { backgroundColor: "var(--raised)", color: "var(--foreground)" },
  ".cm-here": { backgroundColor: "color-mix(in srgb, var(--ring) 12%, transparent)" },
});

/** Marks what came from outside, so that it is not told there again. */
const fromOutside = Annotation.define<boolean>();

interface CodeEditorProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
  language: Extension;
  hint?: string;
  isReadOnly?: boolean;
  hasLines?: boolean;
  /** Says where the cursor is when somebody has moved it. */
  onCursor?: (offset: number) => void;
  /** Takes the view once it is there. */
  onView?: (view: EditorView | null) => void;
  className?: string;
}

export function CodeEditor(props: CodeEditorProps) {
  const { value, label, language, hint, isReadOnly, hasLines, className } = props;
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const colours = COLOURS[useIsDark() ? "dark" : "light"];
  const held = useRef({ ...props, colours });
  const parts = useRef({ language: new Compartment(), colours: new Compartment() });
  useEffect(() => {
    held.current = { ...props, colours };
  });

  useEffect(() => {
    if (!host.current) return;
    const made = new EditorView({
      parent: host.current,
      state: EditorState.create({
        doc: held.current.value,
        extensions: [
          look,
          parts.current.colours.of(held.current.colours),
          parts.current.language.of(held.current.language),
          hasLines ? lineNumbers() : [],
          hint ? placeholder(hint) : [],
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          highlightSelectionMatches(),
          EditorView.lineWrapping,
          EditorState.readOnly.of(isReadOnly ?? false),
          EditorView.contentAttributes.of({
            "aria-label": label,
            role: "textbox",
            "aria-multiline": "true",
            // What scrolls is reached by the keyboard through it.
            tabindex: "0",
          }),
          // Tab passes through until something is typed, and leaves the field once Escape was pressed.
          EditorView.domEventHandlers({
            mousedown: (_, view) => view.setTabFocusMode(false),
            blur: (_, view) => view.setTabFocusMode(true),
          }),
          keymap.of([
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...searchKeymap,
            ...lintKeymap,
            indentWithTab,
            ...defaultKeymap,
          ]),
          EditorView.updateListener.of((update) => {
            const isOurs = update.transactions.some((transaction) => transaction.annotation(fromOutside));
            if (isOurs) return;
            if (update.docChanged) {
              update.view.setTabFocusMode(false);
              held.current.onChange(update.state.doc.toString());
            }
            if ((update.selectionSet || update.docChanged) && update.view.hasFocus)
              held.current.onCursor?.(update.state.selection.main.head);
          }),
        ],
      }),
    });
    made.setTabFocusMode(true);
    view.current = made;
    held.current.onView?.(made);
    return () => {
      held.current.onView?.(null);
      view.current = null;
      made.destroy();
    };
  }, [label, hint, hasLines, isReadOnly]);

  useEffect(() => {
    if (view.current) put(view.current, parts.current.language, language);
  }, [language]);
  useEffect(() => {
    if (view.current) put(view.current, parts.current.colours, colours);
  }, [colours]);
  // What is typed elsewhere comes a moment later, so that it does not wait for this. Before anything else can be typed
  // here: an effect that comes after a key would take that away again.
  const late = useDeferredValue(value);
  useLayoutEffect(() => {
    if (view.current && late === value) replace(view.current, value);
  }, [value, late]);

  return (
    <div
      ref={host}
      className={cn(
        "min-h-0 overflow-hidden rounded-lg border border-input bg-card focus-within:outline-2 focus-within:outline-(--ring)",
        className,
      )}
    />
  );
}

/** What is there already is not read and drawn anew. */
function put(view: EditorView, part: Compartment, content: Extension): void {
  if (part.get(view.state) !== content) view.dispatch({ effects: part.reconfigure(content) });
}

/** Changes no more than what differs, so that the cursor stays. */
function replace(view: EditorView, next: string): void {
  const before = view.state.doc.toString();
  if (before === next) return;
  let from = 0;
  while (from < before.length && from < next.length && before[from] === next[from]) from += 1;
  let [end, nextEnd] = [before.length, next.length];
  while (end > from && nextEnd > from && before[end - 1] === next[nextEnd - 1])
    [end, nextEnd] = [end - 1, nextEnd - 1];
  view.dispatch({
    changes: { from, to: end, insert: next.slice(from, nextEnd) },
    annotations: fromOutside.of(true),
  });
}
