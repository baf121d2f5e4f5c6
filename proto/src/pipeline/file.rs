//! Reads YAML, and JSON through the same parser, into nodes that know where they stand in the file.

use std::collections::{HashMap, HashSet};

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::problem::{At, ProblemCode, Problems};

/// A pipeline is written by a person or drawn on a canvas; a mebibyte is some ten thousand blocks.
const TEXT_BYTES_MAX: usize = 1 << 20;
/// No key of a pipeline lies deeper than eight levels; accepted values may hold lists of their own.
const DEPTH_MAX: usize = 32;
/// Characters of a line in which a text is looked for again; in a longer line (JSON without breaks) the value's own place
/// is near enough, and looking would take time with the square of the length.
const LINE_CHARS_MAX: usize = 2_000;
/// Nodes after aliases are expanded, so that a few anchors cannot become gigabytes.
const NODES_MAX: usize = 100_000;

/// A value with its place in the file.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub at: At,
    pub content: Content,
}

#[derive(Clone, Debug)]
pub(super) enum Content {
    Null,
    Bool(bool),
    Number(Number),
    Text(Text),
    List(Vec<Node>),
    Map(Vec<(Key, Node)>),
}

#[derive(Clone, Debug)]
pub(super) struct Key {
    pub at: At,
    pub text: String,
}

#[derive(Clone, Debug)]
pub(super) struct Text {
    pub text: String,
    /// Where the first character stands, if every further line begins in the same column.
    first: Option<At>,
}

impl Node {
    /// A text that stands in no file.
    pub fn text_of(text: &str) -> Self {
        let content = Content::Text(Text { text: text.to_owned(), first: None });
        Self { at: At::default(), content }
    }

    pub fn map(at: At, entries: Vec<(Key, Node)>) -> Self {
        Self { at, content: Content::Map(entries) }
    }

    pub fn list(at: At, items: Vec<Node>) -> Self {
        Self { at, content: Content::List(items) }
    }

    pub fn text(&self) -> Option<&str> {
        match &self.content {
            Content::Text(text) => Some(&text.text),
            _ => None,
        }
    }

    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.content {
            Content::Map(entries) => entries,
            _ => &[],
        }
    }

    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|(k, _)| k.text == key).map(|(_, node)| node)
    }

    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Null)
    }

    /// What this is, as a person would call it.
    pub fn sort(&self) -> &'static str {
        match self.content {
            Content::Null => "empty",
            Content::Bool(_) => "true or false",
            Content::Number(_) => "a number",
            Content::Text(_) => "text",
            Content::List(_) => "a list",
            Content::Map(_) => "a map",
        }
    }

    pub fn to_json(&self) -> Value {
        match &self.content {
            Content::Null => Value::Null,
            Content::Bool(b) => Value::Bool(*b),
            Content::Number(n) => Value::Number(n.clone()),
            Content::Text(t) => Value::String(t.text.clone()),
            Content::List(items) => Value::Array(items.iter().map(Self::to_json).collect()),
            Content::Map(entries) => {
                let map: Map<_, _> = entries.iter().map(|(k, v)| (k.text.clone(), v.to_json())).collect();
                Value::Object(map)
            }
        }
    }

    /// The place in the file of a line and column (from 1) inside this text; the text's own place where that is unknown.
    pub fn inside(&self, line: u32, column: u32) -> At {
        let Content::Text(Text { first: Some(first), .. }) = &self.content else { return self.at };
        At { line: first.line + line.max(1) - 1, column: first.column + column.max(1) - 1 }
    }
}

impl Key {
    pub fn new(text: &str) -> Self {
        Self { at: At::default(), text: text.to_owned() }
    }
}

/// Reads one document. `None` when the text cannot be read at all; the reason is among the problems.
pub(super) fn read(text: &str, problems: &mut Problems) -> Option<Node> {
    let start = At { line: 1, column: 1 };
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.len() > TEXT_BYTES_MAX {
        problems.add(start, ProblemCode::Limit, format!("the file is larger than {TEXT_BYTES_MAX} bytes"));
        return None;
    }
    let mut reader = Reader {
        events: Parser::new_from_str(text),
        lines: text.lines().collect(),
        anchors: HashMap::new(),
        nodes: 0,
        problems,
    };
    match reader.document() {
        Ok(Some(node)) => Some(node),
        Ok(None) => {
            problems.add(start, ProblemCode::Syntax, "the file is empty");
            None
        }
        Err(Stop { at, code, message }) => {
            problems.add(at, code, message);
            None
        }
    }
}

/// Why reading cannot go on.
struct Stop {
    at: At,
    code: ProblemCode,
    message: String,
}

struct Reader<'t, 'p> {
    events: Parser<'t, StrInput<'t>>,
    lines: Vec<&'t str>,
    /// By the parser's number of the anchor, with the count of nodes.
    anchors: HashMap<usize, (Node, usize)>,
    nodes: usize,
    problems: &'p mut Problems,
}

impl<'t> Reader<'t, '_> {
    fn next(&mut self) -> Result<(Event<'t>, Span), Stop> {
        match self.events.next_event() {
            Some(Ok(event)) => Ok(event),
            Some(Err(e)) => Err(Stop {
                at: at(e.marker()),
                code: ProblemCode::Syntax,
                message: format!("cannot read this: {}", e.info()),
            }),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn document(&mut self) -> Result<Option<Node>, Stop> {
        let mut root = None;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(root),
                Event::DocumentStart(_) if root.is_some() => {
                    let message = "a second document begins here, but one file holds one pipeline".to_owned();
                    return Err(Stop { at: at(&span.start), code: ProblemCode::Syntax, message });
                }
                Event::StreamStart | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {}
                event => {
                    let node = self.node(event, span, 0)?;
                    // A file of nothing but comments is an empty document.
                    root = (!node.is_null()).then_some(node);
                }
            }
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Node, Stop> {
        let here = at(&span.start);
        self.count(1, here)?;
        if depth > DEPTH_MAX {
            let message = format!("nested more than {DEPTH_MAX} levels deep");
            return Err(Stop { at: here, code: ProblemCode::Limit, message });
        }
        let before = self.nodes;
        let (anchor, content) = match event {
            Event::Alias(id) => return self.alias(id, here),
            Event::Scalar(text, style, anchor, tag) => (anchor, self.scalar(&text, style, tag.as_deref(), &span)),
            Event::SequenceStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), here);
                (anchor, Content::List(self.list(depth)?))
            }
            Event::MappingStart(anchor, tag) => {
                self.refuse_tag(tag.as_deref(), here);
                (anchor, Content::Map(self.entries(depth)?))
            }
            _ => (0, Content::Null),
        };
        let node = Node { at: here, content };
        if anchor > 0 {
            self.anchors.insert(anchor, (node.clone(), self.nodes - before + 1));
        }
        Ok(node)
    }

    fn count(&mut self, more: usize, here: At) -> Result<(), Stop> {
        self.nodes += more;
        if self.nodes <= NODES_MAX {
            return Ok(());
        }
        let message = format!("more than {NODES_MAX} values, aliases counted as often as they are used");
        Err(Stop { at: here, code: ProblemCode::Limit, message })
    }

    fn alias(&mut self, id: usize, here: At) -> Result<Node, Stop> {
        let Some((_, size)) = self.anchors.get(&id) else {
            let message = "this alias stands inside its own anchor".to_owned();
            return Err(Stop { at: here, code: ProblemCode::Syntax, message });
        };
        self.count(*size, here)?;
        Ok(Node { at: here, content: self.anchors[&id].0.content.clone() })
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd | Event::StreamEnd, _) => return Ok(items),
                (event, span) => items.push(self.node(event, span, depth + 1)?),
            }
        }
    }

    fn entries(&mut self, depth: usize) -> Result<Vec<(Key, Node)>, Stop> {
        let mut entries = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let key = match self.next()? {
                (Event::MappingEnd | Event::StreamEnd, _) => return Ok(entries),
                (event, span) => self.node(event, span, depth + 1)?,
            };
            let (event, span) = self.next()?;
            let value = self.node(event, span, depth + 1)?;
            let Content::Text(text) = key.content else {
                let message = format!("a key must be text, but this is {}; put it in quotes", key.sort());
                self.problems.add(key.at, ProblemCode::WrongType, message);
                continue;
            };
            if !seen.insert(text.text.clone()) {
                let message = format!("the key `{}` stands here a second time", text.text);
                self.problems.add(key.at, ProblemCode::DuplicateKey, message);
                continue;
            }
            entries.push((Key { at: key.at, text: text.text }, value));
        }
    }

    fn refuse_tag(&mut self, tag: Option<&Tag>, here: At) {
        if let Some(tag) = tag
            && !tag.is_yaml_core_schema()
        {
            self.problems.add(here, ProblemCode::Syntax, format!("the tag `{tag}` is not understood"));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span) -> Content {
        self.refuse_tag(tag, at(&span.start));
        let is_text = tag.is_some_and(|t| t.is_yaml_core_schema() && t.suffix == "str");
        if style == ScalarStyle::Plain
            && !is_text
            && let Some(content) = plain(text)
        {
            return content;
        }
        Content::Text(Text { first: self.first(text, style, span), text: text.to_owned() })
    }

    /// Where a text's first character stands, if its lines can be found again in the file.
    fn first(&self, text: &str, style: ScalarStyle, span: &Span) -> Option<At> {
        let start = at(&span.start);
        match style {
            ScalarStyle::Literal => {
                // The parser names the first line of the text, or the line of the `|` where the text begins with empty ones.
                let (empty, shown) = text.lines().enumerate().find(|(_, line)| !line.trim().is_empty())?;
                let from = start.line as usize - 1;
                let is_first = |line: &&str| line.trim_start_matches(' ') == shown.trim_start_matches(' ');
                let found = from + self.lines.get(from..)?.iter().take(empty + 2).position(is_first)?;
                let indent = self.lines[found].len().checked_sub(shown.len())?;
                let first = (found + 1).checked_sub(empty)?;
                Some(At { line: u32::try_from(first).ok()?, column: u32::try_from(indent).ok()? + 1 })
            }
            ScalarStyle::Folded => None,
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
                let quote = u32::from(style != ScalarStyle::Plain);
                let line = self.lines.get(start.line as usize - 1).filter(|line| line.len() <= LINE_CHARS_MAX)?;
                let rest: String = line.chars().skip((start.column - 1 + quote) as usize).collect();
                rest.starts_with(text).then_some(At { line: start.line, column: start.column + quote })
            }
        }
    }
}

fn at(marker: &Marker) -> At {
    let clamp = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    At { line: clamp(marker.line().max(1)), column: clamp(marker.col() + 1) }
}

/// The value of an unquoted word by YAML's core schema; `None` where it is text. A number that would lose digits stays
/// text.
fn plain(word: &str) -> Option<Content> {
    match word {
        "" | "~" | "null" | "Null" | "NULL" => return Some(Content::Null),
        "true" | "True" | "TRUE" => return Some(Content::Bool(true)),
        "false" | "False" | "FALSE" => return Some(Content::Bool(false)),
        _ => {}
    }
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok().map(|n| Content::Number(n.into()));
    if let Some(digits) = word.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = word.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let unsigned = word.strip_prefix(['-', '+']).unwrap_or(word);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.')
        || !unsigned.contains(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    if unsigned.bytes().all(|b| b.is_ascii_digit()) {
        let number = word.strip_prefix('+').unwrap_or(word);
        return match number.parse::<i64>() {
            Ok(n) => Some(Content::Number(n.into())),
            Err(_) => number.parse::<u64>().ok().map(|n| Content::Number(n.into())),
        };
    }
    word.parse::<f64>().ok().and_then(Number::from_f64).map(Content::Number)
}
