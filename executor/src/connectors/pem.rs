//! Certificates and keys as connections give them: the path of a file, or PEM text itself, so that a connection that a
//! service keeps needs no file on the machines that use it.

use flowetl_proto::pipeline::Secret;

/// What PEM text begins with.
const BEGIN: &str = "-----BEGIN ";
/// Characters in a line of PEM's body.
const LINE: usize = 64;

/// A setting such as `sslkey`. No debug print shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pem(Secret);

impl Pem {
    pub(super) fn new(given: Secret) -> Self {
        Self(given)
    }

    /// The PEM text, read now where a file has it. The error is words that show nothing of a text that may be a secret.
    pub(super) fn read(&self) -> Result<Secret, String> {
        let given = self.0.reveal().trim();
        if given.starts_with(BEGIN) {
            return Ok(Secret::new(in_lines(given)));
        }
        match std::fs::read_to_string(given) {
            Ok(text) if text.contains(BEGIN) => Ok(Secret::new(in_lines(text.trim()))),
            Ok(_) => Err(format!("the file {} holds no PEM text", shown(given))),
            Err(error) => Err(format!("the file {} cannot be read: {}", shown(given), error.kind())),
        }
    }
}

/// A path, and not what may be a key without its first line.
fn shown(given: &str) -> String {
    let is_path = given.starts_with('/') && given.len() < 256 && !given.contains(char::is_whitespace);
    if is_path { format!("`{given}`") } else { "that it names".to_owned() }
}

/// Text fields of one line, such as a form's, take the line breaks out of PEM: they are put back.
fn in_lines(text: &str) -> String {
    if text.contains('\n') {
        return format!("{}\n", text.replace("\r\n", "\n"));
    }
    let mut lines = String::with_capacity(text.len() + text.len() / LINE + 2);
    let mut rest = text;
    while let Some((label, after)) = rest.split_once(BEGIN).and_then(|(_, begun)| begun.split_once("-----")) {
        let (body, after) = after.split_once("-----END ").unwrap_or((after, ""));
        rest = after.split_once("-----").map_or("", |(_, rest)| rest);
        lines.push_str(&format!("{BEGIN}{label}-----\n"));
        for (at, character) in body.chars().filter(|c| !c.is_whitespace()).enumerate() {
            if at > 0 && at % LINE == 0 {
                lines.push('\n');
            }
            lines.push(character);
        }
        lines.push_str(&format!("\n-----END {label}-----\n"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_without_line_breaks_gets_them_back() {
        let body = "A".repeat(64);
        let whole =
            format!("-----BEGIN X Y-----\n{body}\nBB==\n-----END X Y-----\n-----BEGIN Z-----\nCC\n-----END Z-----\n");
        let flat = whole.replace('\n', "");
        let read = |text: &str| Pem::new(Secret::new(text)).read().unwrap().reveal().to_owned();
        assert_eq!(read(&flat), whole);
        assert_eq!(read(&flat.replace("-----BEGIN Z", " -----BEGIN Z")), whole);
        assert_eq!(read(whole.trim()), whole);
        assert_eq!(read(&whole.replace('\n', "\r\n")), whole);
    }

    #[test]
    fn what_may_be_a_key_is_not_shown() {
        let said = |text: &str| Pem::new(Secret::new(text)).read().unwrap_err();
        assert_eq!(said("/no/such/file.pem"), "the file `/no/such/file.pem` cannot be read: entity not found");
        assert_eq!(said("MIIEvQIBADANBg"), "the file that it names cannot be read: entity not found");
        assert_eq!(said("/dev/null"), "the file `/dev/null` holds no PEM text");
    }
}
