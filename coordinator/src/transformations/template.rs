//! The templates in a transformation's SQL: `{{ ref('name') }}`, `{{ source('schema', 'table') }}` and `{{ var('name') }}`, each
//! with its place. Pure.

use flowetl_proto::pipeline::At;

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece<'t> {
    /// SQL, and parameters, which stay as they are until a run is told their values.
    Text(&'t str),
    Ref {
        name: &'t str,
        at: At,
    },
    Source {
        source: &'t str,
        table: &'t str,
        at: At,
    },
}

/// What is in braces and is none of the three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub at: At,
    pub message: String,
}

const KNOWN: &str = "only `{{ ref('transformation') }}`, `{{ source('schema', 'table') }}` and `{{ var('parameter') }}` are \
                     understood in `{{ }}`";

/// The parts of a text, in its order.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Wrong> {
    let (mut pieces, mut from) = (Vec::new(), 0);
    while let Some(start) = text[from..].find("{{").map(|start| from + start) {
        let at = place(text, start);
        let wrong = |message: &str| Wrong { at, message: message.to_owned() };
        let end = text[start..].find("}}").map(|end| start + end).ok_or_else(|| wrong("a `{{` has no `}}`"))?;
        let (word, words) = call(&text[start + 2..end]).ok_or_else(|| wrong(KNOWN))?;
        pieces.push(Piece::Text(&text[from..start]));
        pieces.push(match (word, words.as_slice()) {
            ("ref", [name]) => Piece::Ref { name, at },
            ("source", [source, table]) => Piece::Source { source, table, at },
            ("var", [_]) => Piece::Text(&text[start..end + 2]),
            _ => return Err(wrong(KNOWN)),
        });
        from = end + 2;
    }
    pieces.push(Piece::Text(&text[from..]));
    Ok(pieces)
}

/// `word('a', 'b')`.
fn call(inside: &str) -> Option<(&str, Vec<&str>)> {
    let (word, words) = inside.trim().strip_suffix(')')?.split_once('(')?;
    let words: Option<Vec<&str>> = words.split(',').map(|word| unquoted(word.trim())).collect();
    Some((word.trim(), words?))
}

fn unquoted(word: &str) -> Option<&str> {
    let quote = word.chars().next().filter(|c| "'\"".contains(*c))?;
    word.strip_prefix(quote)?.strip_suffix(quote)
}

/// Line and column, from 1.
fn place(text: &str, byte: usize) -> At {
    let before = &text[..byte];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    At { line: count(before.matches('\n').count() + 1), column: count(column + 1) }
}

/// The names that a text refers to, each once; none where it is wrong.
pub(super) fn refs(text: &str) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for piece in pieces(text).unwrap_or_default() {
        if let Piece::Ref { name, .. } = piece
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tr_3_templates_are_found_with_their_places() {
        let text = "select *\n from {{ref(\"a\")}} join {{ source( 'raw' , 'b' ) }}\nwhere x = {{ var('y') }}";
        let at = |line, column| At { line, column };
        assert_eq!(
            pieces(text).unwrap(),
            [
                Piece::Text("select *\n from "),
                Piece::Ref { name: "a", at: at(2, 7) },
                Piece::Text(" join "),
                Piece::Source { source: "raw", table: "b", at: at(2, 25) },
                Piece::Text("\nwhere x = "),
                Piece::Text("{{ var('y') }}"),
                Piece::Text(""),
            ]
        );
        for (wrong, line, column) in [
            ("{{ ref(a) }}", 1, 1),
            ("x\n  {{ ref('a', 'b') }}", 2, 3),
            ("{{ macro() }}", 1, 1),
            ("a {{ ref('a')", 1, 3),
        ] {
            assert_eq!(pieces(wrong).unwrap_err().at, at(line, column), "{wrong}");
        }
        assert_eq!(refs("{{ ref('a') }} {{ ref('b') }} {{ ref('a') }}"), ["a", "b"]);
    }
}
