//! What may help where a connection leads nowhere, by the words that systems use for it.

/// The first whose words are found counts. In small letters.
const HINTS: [(&[&str], &str); 9] = [
    (
        &[
            "password authentication failed",
            "no password",
            "access denied",
            "invalidaccesskeyid",
            "signaturedoesnotmatch",
            "asks for a password",
        ],
        "check user and password, or the keys",
    ),
    (
        &["no pg_hba.conf entry"],
        "the server lets nobody in from here under this name: its `pg_hba.conf` says who may come",
    ),
    (&["connection refused"], "nothing listens at this address and port: check both, and whether the server runs"),
    (
        &["did not answer within", "took longer than", "timed out", "no answer within", "no sign-in within"],
        "check host and port, and whether a firewall lies between the executor and the server",
    ),
    (
        &["failed to lookup address", "name or service not known", "dns error", "no address associated"],
        "no host of this name is known where the executor runs: check its spelling",
    ),
    (&["certificate", "tls", "ssl"], "check what the server and this connection say about encryption"),
    (&["nosuchbucket", "database \"", "does not exist", "no such file", "not found"], "check how its name is written"),
    (&["permission denied", "accessdenied"], "this user may not do that: the system has to allow it"),
    (&["not a database"], "this file is no SQLite database"),
];

/// A hint for what was said, where there is one.
pub(super) fn hint(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    HINTS.iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, hint)| *hint)
}
