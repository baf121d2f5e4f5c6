//! Names and texts as SQL takes them literally.

/// `a"b` as `"a""b"`.
pub(super) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `"schema"."table"`.
pub(super) fn qualified(schema: &str, name: &str) -> String {
    format!("{}.{}", identifier(schema), identifier(name))
}

/// A text constant that means the same under every setting of the server.
pub(super) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    // Only the E form reads backslashes alike whatever `standard_conforming_strings` says.
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// `"a", "b"`.
pub(super) fn list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    names.into_iter().map(identifier).collect::<Vec<_>>().join(", ")
}
