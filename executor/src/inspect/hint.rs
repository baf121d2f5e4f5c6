//! What may help where a connection leads nowhere, by the words that systems use for it.

/// The first whose words are found counts. In small letters.
const HINTS: [(&[&str], &str); 11] = [
    (
        &["permission denied (publickey"],
        "the SSH server knows no such key of this user: check `ssh_user` and `ssh_key`, and its `authorized_keys`",
    ),
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
    (
        &["client certificate", "certificate authentication failed"],
        "the server asks for a certificate of this user: check `sslcert` and `sslkey`, and who signed them",
    ),
    (&["certificate", "tls", "ssl"], "check what the server and this connection say about encryption"),
    (&["nosuchbucket", "database \"", "does not exist", "no such file", "not found"], "check how its name is written"),
    (&["permission denied", "accessdenied"], "this user may not do that: the system has to allow it"),
    (&["not a database"], "this file is no SQLite database"),
];

/// A hint for what was said, where there is one.
pub(crate) fn hint(said: &str) -> Option<&'static str> {
    let said = said.to_lowercase();
    HINTS.iter().find(|(words, _)| words.iter().any(|word| said.contains(word))).map(|(_, hint)| *hint)
}
