//! Content in a folder, and in the S3 service that `FLOWETL_TEST_S3` names.

use flowetl_proto::pipeline::{Connection, ConnectionSpec, Secret};
use futures::TryStreamExt;
use indexmap::IndexMap;

use super::space::{PIECE_BYTES, Space};

fn folder(path: &std::path::Path) -> Space {
    crate::tests::storage(path)
}

/// Below a prefix of the test's own.
fn bucket() -> Space {
    let text =
        std::env::var("FLOWETL_TEST_S3").expect("set FLOWETL_TEST_S3 to s3://bucket?endpoint=...&access_key=...");
    let (bucket, options) = text.strip_prefix("s3://").and_then(|rest| rest.split_once('?')).unwrap();
    let pairs: IndexMap<String, String> = url::form_urlencoded::parse(options.as_bytes()).into_owned().collect();
    let (name, scheme, host) = ("storage".to_owned(), "s3".to_owned(), Some(bucket.trim_end_matches('/').to_owned()));
    let path = format!("test-{}", uuid::Uuid::now_v7());
    let options = pairs.iter().map(|(name, value)| (name.clone(), Secret::new(value.clone()))).collect();
    let (port, user, password) = (None, None, None);
    let connection = Connection { name, scheme, host, port, user, password, path, options };
    let spec = ConnectionSpec {
        scheme: connection.scheme.clone(),
        host: connection.host.clone(),
        port,
        user: None,
        password: None,
        path: connection.path.clone(),
        options: pairs.into_iter().map(|(name, _)| (name.clone(), format!("${{env:{name}}}"))).collect(),
    };
    Space::open(spec, &connection).unwrap()
}

async fn all(space: &Space, key: &str, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
    let stream = space.stream(key, range).await.unwrap()?;
    Some(stream.try_collect::<Vec<_>>().await.unwrap().concat())
}

async fn keeps(space: Space) {
    // More than one part of what goes to the storage, and no multiple of it.
    let pieces = [vec![1; PIECE_BYTES], vec![2; 3], vec![3; PIECE_BYTES + 7]];
    let whole = pieces.concat();
    let mut keys = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        keys.push(format!("etl-uploads/u/{at}"));
        space.put(&keys[at], piece.clone().into()).await.unwrap();
    }
    assert_eq!(space.list("etl-uploads/u").await.unwrap(), keys);
    let key = "etl-files/o/raw/ż x #%+.csv";
    assert_eq!(space.join(&keys, key, Some(&"0".repeat(64))).await.unwrap(), None);
    assert_eq!(all(&space, key, 0..4).await, None, "nothing appears where it is not what was announced");
    let lost = [keys[0].clone(), "etl-uploads/u/lost".into()];
    assert!(space.join(&lost, key, None).await.is_err());
    assert_eq!(all(&space, key, 0..4).await, None);

    let sha256 = space.join(&keys, key, None).await.unwrap().unwrap();
    assert_eq!(sha256.len(), 64);
    let size = whole.len() as u64;
    assert!(all(&space, key, 0..size).await.unwrap() == whole);
    assert_eq!(space.head(key).await.unwrap().map(|object| (object.key, object.size)), Some((key.into(), size)));
    assert!(space.head("etl-files/o/raw").await.unwrap().is_none(), "no folder is a file");
    let (objects, folders) = space.look("etl-files/o").await.unwrap();
    assert_eq!((objects.len(), folders), (0, vec!["raw".to_owned()]));
    let (objects, folders) = space.look("etl-files/o/raw").await.unwrap();
    assert_eq!(objects.iter().map(|object| object.key.as_str()).collect::<Vec<_>>(), [key]);
    assert_eq!(folders, [""; 0]);
    assert!(space.look("etl-files/nowhere").await.unwrap().0.is_empty());
    let (first, second) = (PIECE_BYTES as u64 - 2, PIECE_BYTES as u64 + 5);
    assert_eq!(all(&space, key, first..second).await.unwrap(), [1, 1, 2, 2, 2, 3, 3]);
    // In the place of another, and with nothing in it.
    space.put("etl-uploads/v/0", vec![].into()).await.unwrap();
    let none: [String; 0] = [];
    assert!(space.join(&none, key, None).await.unwrap().is_some());
    assert_eq!(all(&space, key, 0..0).await.unwrap(), [0; 0]);
    space.remove(key).await.unwrap();
    space.remove(key).await.unwrap();
    assert_eq!(all(&space, key, 0..1).await, None);
    space.remove_below("etl-uploads/u").await.unwrap();
    assert_eq!(space.list("etl-uploads").await.unwrap(), ["etl-uploads/v/0"]);
    space.remove_below("etl-uploads").await.unwrap();
}

#[tokio::test]
async fn fi_2_files_lie_in_a_folder() {
    let home = tempfile::tempdir().unwrap();
    keeps(folder(home.path())).await;
    let connection = folder(home.path()).connection("etl-files/o").unwrap();
    assert_eq!(connection.path, home.path().join("etl-files/o").display().to_string());
}

#[tokio::test]
async fn fi_2_files_lie_in_a_bucket() {
    let space = bucket();
    let connection = space.connection("etl-files/o").unwrap();
    assert!(connection.path.starts_with("test-") && connection.path.ends_with("/etl-files/o"), "{connection}");
    keeps(space).await;
}

#[test]
fn fi_2_settings_that_hold_a_secret_are_shown_to_no_pipeline() {
    let home = tempfile::tempdir().unwrap();
    let named = crate::tests::folder_spec(home.path());
    let mut holding = named.clone();
    holding.options.insert("secret_key".into(), "hush".into());
    let connection = named.resolve("storage", &crate::tests::NoSecrets).unwrap();
    let of = |spec: ConnectionSpec| Space::open(spec, &connection).unwrap().connection("etl-files/o");
    assert!(of(named).is_some());
    assert_eq!(of(holding), None);
}
