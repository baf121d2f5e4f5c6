//! Passes and addresses; connections are tested where there are servers.

use super::*;

const TEXT: &str = "0123456789abcdef0123456789abcdef";

fn key(text: &str) -> ClusterKey {
    ClusterKey::new(text).unwrap()
}

fn pass() -> Pass {
    let subject = Subject::Attempt { run: "r".into(), segment: "orders".into(), token: crate::id::Token(7) };
    Pass { subject, term: 3, until: 1000 }
}

#[test]
fn a_pass_counts_until_its_end_and_for_its_subject_alone() {
    let sealed = key(TEXT).seal(&pass());
    assert!(sealed.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{sealed}");
    let opened = key(&format!(" {TEXT}\n")).open(&sealed, 1000).unwrap();
    assert_eq!(opened, pass());
    assert_eq!(key(TEXT).open(&sealed, 1001), Err(Refused::Expired(1)));

    assert_eq!(opened.permits(&pass().subject, 3), Ok(()));
    assert_eq!(opened.permits(&pass().subject, 4), Err(Refused::Other));
    let (run, token) = (crate::id::RunId::new("r"), crate::id::Token(7));
    let others = [
        Subject::Executor,
        Subject::Run(run.clone()),
        Subject::End { run: run.clone(), token },
        Subject::Attempt { run: run.clone(), segment: "orders".into(), token: crate::id::Token(8) },
        Subject::Attempt { run: run.clone(), segment: "other".into(), token },
        Subject::Attempt { run: "s".into(), segment: "orders".into(), token },
    ];
    for other in others {
        assert_eq!(opened.permits(&other, 3), Err(Refused::Other), "{other:?}");
    }
}

#[test]
fn what_another_key_sealed_or_anyone_changed_is_no_pass() {
    let sealed = key(TEXT).seal(&pass());
    let other = key(&TEXT.replace('0', "1"));
    assert_eq!(other.open(&sealed, 0), Err(Refused::Unknown));
    for at in 0..sealed.len() {
        let mut changed = sealed.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        assert_eq!(key(TEXT).open(&changed, 0), Err(Refused::Unknown), "changed at {at}");
    }
    for text in ["", ".", "a.b", &sealed[..sealed.len() - 1], &format!("{sealed}.")] {
        assert_eq!(key(TEXT).open(text, 0), Err(Refused::Unknown), "{text}");
    }
}

#[test]
fn a_key_has_a_length_and_no_face() {
    assert_eq!(ClusterKey::new(&TEXT[1..]).unwrap_err().to_string(), "it has 31 characters, and a key has 32 to 1024");
    assert!(ClusterKey::new(&"x".repeat(1025)).is_err());
    let trust = Trust { tls: None, key: Some(key(TEXT)) };
    assert_eq!(format!("{trust:?}"), "Trust { tls: None, key: Some(ClusterKey) }");
}

#[test]
fn without_certificates_nothing_is_taken_for_encrypted() {
    let trust = Trust::default();
    assert!(trust.endpoint("http://127.0.0.1:7070").is_ok());
    for url in ["https://127.0.0.1:7070", "127.0.0.1:7070", "httpx://127.0.0.1", "http:/127.0.0.1"] {
        assert!(matches!(trust.endpoint(url), Err(NoWay::Scheme { .. })), "{url}");
    }
}

#[test]
fn what_is_no_certificate_is_named() {
    let said = |unfit: Unfit| unfit.to_string();
    assert_eq!(said(Authority::new(b"nothing").unwrap_err()), "no certificate in PEM is there");
    let broken = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(said(Authority::new(broken).unwrap_err()), "a certificate there cannot be read");
    assert_eq!(said(Certificate::new(broken, b"nothing").unwrap_err()), "no private key in PEM is there");
}
