//! Files over HTTP: in pieces and whole, out in parts, by links.

use flowetl_proto::id::RunId;
use flowetl_proto::run::Phase;
use reqwest::Method;
use reqwest::header::{AUTHORIZATION, CONTENT_DISPOSITION, CONTENT_RANGE, RANGE};
use serde_json::{Value, json};

use super::{Answer, App};
use crate::files::Space;
use crate::tests::{Database, on_both};

on_both!(
    fi_1_a_file_comes_in_pieces_and_is_there_once_it_is_whole,
    fi_1_and_dm_14_files_are_listed_read_in_parts_and_deleted,
    fi_1_a_link_leads_to_a_file_for_a_while,
    fi_1_an_upload_is_found_again_and_no_file_is_a_folder,
    fi_2_files_go_with_their_organization,
    fi_2_what_pipelines_write_lies_beside_what_was_uploaded,
    fi_2_a_file_says_which_run_wrote_it,
    fi_2_an_upload_takes_no_folder_of_a_pipeline_for_a_file,
);

/// Bytes that differ from place to place.
fn bytes(size: usize) -> Vec<u8> {
    (0..size).map(|n| (n % 251) as u8).collect()
}

async fn send(app: &App, path: &str, token: &str, body: Vec<u8>) -> Answer {
    let request = app.served.call(Method::PUT, path).header(AUTHORIZATION, format!("Bearer {token}"));
    Answer::of(request.body(body)).await
}

/// The storage, and what the keys of an organization's files in it begin with, which has uploaded this one alone, or first.
async fn place_of(database: &Database, uploaded: &str) -> (Space, String) {
    let storage = crate::tests::storage(&database.home.path().join("storage"));
    let own = storage.list("etl-files").await.unwrap()[0].strip_suffix(uploaded).unwrap().to_owned();
    (storage, own)
}

/// What a call with these headers is answered with: status, the headers asked for, and the content.
async fn content(app: &App, path: &str, token: &str, range: Option<&str>) -> (u16, String, Vec<u8>) {
    let mut request = app.served.call(Method::GET, path);
    if !token.is_empty() {
        request = request.header(AUTHORIZATION, format!("Bearer {token}"));
    }
    if let Some(range) = range {
        request = request.header(RANGE, range);
    }
    let answer = request.send().await.unwrap();
    let header = answer.headers().get(CONTENT_RANGE).map(|h| h.to_str().unwrap().to_owned()).unwrap_or_default();
    (answer.status().as_u16(), header, answer.bytes().await.unwrap().to_vec())
}

async fn fi_1_a_file_comes_in_pieces_and_is_there_once_it_is_whole(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    // More than is kept in one piece.
    let all = bytes((9 << 20) + 5);
    let sha256 = "0".repeat(64);
    let wish = json!({ "name": "orders.csv", "folder": "raw/2025", "size": all.len() });
    let upload = app.post("/files", &team.editor, wish.clone()).await.good();
    let one = format!("/files/uploads/{}", upload["id"].as_str().unwrap());
    let at = async |offset: usize, part: &[u8]| {
        send(&app, &format!("{one}?offset={offset}"), &team.editor, part.to_vec()).await
    };
    let first = at(0, &all[..1000]).await.good();
    assert_eq!((&first["upload"]["offset"], &first["file"]), (&json!(1000), &Value::Null));
    assert!(at(0, &all[..10]).await.refused(409).contains("stands at `1000`"));
    assert_eq!(app.get(&one, &team.viewer).await.good()["offset"], 1000);
    assert_eq!(
        app.get("/files?folder=raw/2025", &team.viewer).await.good()["files"],
        json!([]),
        "nothing is there before"
    );
    at(1000, &vec![0; all.len()]).await.refused(413);
    let offset = app.get(&one, &team.viewer).await.good()["offset"].as_u64().unwrap() as usize;
    assert!(offset >= 1000, "a piece of what was too much may be kept");
    app.delete(&one, &team.editor).await;
    app.get(&one, &team.viewer).await.refused(404);

    let upload = app.post("/files", &team.editor, wish).await.good();
    let one = format!("/files/uploads/{}", upload["id"].as_str().unwrap());
    for part in [0..100, 100..all.len()] {
        let answer =
            send(&app, &format!("{one}?offset={}", part.start), &team.editor, all[part.clone()].to_vec()).await.good();
        assert_eq!(answer["file"].is_object(), part.end == all.len(), "{answer}");
    }
    let listed = app.get("/files?folder=raw/2025", &team.viewer).await.good();
    let file = &listed["files"][0];
    assert_eq!((&file["name"], &file["size"]), (&json!("orders.csv"), &json!(all.len())));
    let path = format!("/files/{}", file["id"].as_str().unwrap());
    assert_eq!(content(&app, &format!("{path}/content"), &team.viewer, None).await, (200, String::new(), all.clone()));

    // Another one in its place; one that is not what was announced leaves it there.
    let wrong =
        send(&app, &format!("/files?name=orders.csv&folder=raw/2025&sha256={sha256}"), &team.editor, vec![1]).await;
    assert!(wrong.refused(422).contains("not what was announced"));
    assert_eq!(app.get(&path, &team.viewer).await.good()["size"], all.len());
    let replaced = send(&app, "/files?name=orders.csv&folder=raw/2025", &team.editor, b"id\n1\n".to_vec()).await.good();
    assert_eq!((&replaced["file"]["id"], &replaced["file"]["size"]), (&file["id"], &json!(5)));
    assert_eq!(content(&app, &format!("{path}/content"), &team.viewer, None).await.2, b"id\n1\n");
    let empty = send(&app, "/files?name=empty", &team.editor, vec![]).await.good();
    let empty = format!("/files/{}/content", empty["file"]["id"].as_str().unwrap());
    assert_eq!(content(&app, &empty, &team.viewer, None).await, (200, String::new(), vec![]));

    for (name, folder) in [("..", ""), ("a", ".."), ("a/b", ""), ("_x", ""), ("", "")] {
        let wish = json!({ "name": name, "folder": folder, "size": 1 });
        app.post("/files", &team.editor, wish).await.refused(422);
    }
    app.post("/files", &team.editor, json!({ "name": "big", "size": 65_i64 << 30 })).await.refused(422);
    app.post("/files", &team.editor, json!({ "name": "big", "size": 60_i64 << 30 })).await.good();
    assert!(
        app.post("/files", &team.editor, json!({ "name": "bigger", "size": 50_i64 << 30 }))
            .await
            .refused(409)
            .contains("100 GiB")
    );
    let audit = app.get("/organizations/acme/audit", &team.admin).await.good().to_string();
    assert!(audit.contains("file.uploaded"));
    app.end().await;
}

async fn fi_1_and_dm_14_files_are_listed_read_in_parts_and_deleted(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    for (folder, name) in
        [("", "b.csv"), ("", "a.csv"), ("raw", "ż x.csv"), ("raw/2025", "c.csv"), ("raw/2025", "d.csv")]
    {
        let path = format!("/files?name={}&folder={folder}", name.replace('ż', "%C5%BC").replace(' ', "%20"));
        send(&app, &path, &team.editor, b"0123456789".to_vec()).await.good();
    }
    let names = async |query: &str| {
        let page = app.get(&format!("/files{query}"), &team.viewer).await.good();
        let names: Vec<_> =
            page["files"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap().to_owned()).collect();
        (names.join(" "), page["folders"].clone(), page["next"].clone())
    };
    assert_eq!(names("?folder=").await, ("a.csv b.csv".into(), json!(["raw"]), Value::Null));
    assert_eq!(names("?folder=raw").await, ("ż x.csv".into(), json!(["2025"]), Value::Null));
    assert_eq!(names("?search=D.CSV").await.0, "d.csv");
    let (first, _, next) = names("?limit=3").await;
    let second = names(&format!("?limit=3&after={}", next.as_str().unwrap())).await;
    assert_eq!((first.as_str(), second.0.as_str(), second.2), ("a.csv b.csv ż x.csv", "c.csv d.csv", Value::Null));

    let listed = app.get("/files?folder=raw", &team.viewer).await.good();
    let one = format!("/files/{}", listed["files"][0]["id"].as_str().unwrap());
    let whole = format!("{one}/content");
    assert_eq!(
        content(&app, &whole, &team.viewer, Some("bytes=2-4")).await,
        (206, "bytes 2-4/10".into(), b"234".to_vec())
    );
    assert_eq!(
        content(&app, &whole, &team.viewer, Some("bytes=-2")).await,
        (206, "bytes 8-9/10".into(), b"89".to_vec())
    );
    assert_eq!(content(&app, &whole, &team.viewer, Some("bytes=10-")).await.0, 416);
    let answer = app.get(&whole, &team.viewer).await;
    assert_eq!(
        answer.headers[CONTENT_DISPOSITION],
        "attachment; filename=\"_ x.csv\"; filename*=UTF-8''%C5%BC%20x.csv"
    );
    let rows = app.get(&format!("{one}/preview"), &team.viewer).await.good();
    assert_eq!(rows["rows"][0][0], "files/raw/ż x.csv 100");

    let stranger = app.sign_up("stranger@example.com", json!({ "organization": "Other" })).await;
    app.get(&one, &stranger).await.refused(404);
    assert_eq!(content(&app, &whole, &stranger, None).await.0, 404);
    app.delete(&one, &team.editor).await.refused(403);
    assert_eq!(app.delete(&one, &team.admin).await.status.as_u16(), 204);
    app.get(&one, &team.viewer).await.refused(404);
    assert_eq!(names("?folder=raw").await.0, "");
    app.end().await;
}

async fn fi_1_a_link_leads_to_a_file_for_a_while(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let made = send(&app, "/files?name=a.csv", &team.editor, b"x".to_vec()).await.good();
    let one = format!("/files/{}", made["file"]["id"].as_str().unwrap());
    let link = app.post(&format!("{one}/link"), &team.viewer, json!({ "seconds": 3000 })).await.good();
    let shared = link["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    assert_eq!(content(&app, &shared, "", None).await, (200, String::new(), b"x".to_vec()));
    let mut forged = shared.clone();
    let last = if forged.ends_with('A') { 'B' } else { 'A' };
    forged.replace_range(forged.len() - 5..forged.len() - 4, &last.to_string());
    assert_eq!(content(&app, &forged, "", None).await.0, 404);
    app.post(&format!("{one}/link"), &team.viewer, json!({ "seconds": 0 })).await.refused(422);
    assert_eq!(app.get("/auth/me", shared.rsplit('/').next().unwrap()).await.status.as_u16(), 401, "it lets nobody in");
    app.delete(&one, &team.admin).await;
    assert_eq!(content(&app, &shared, "", None).await.0, 404);
    app.end().await;
}

async fn fi_1_an_upload_is_found_again_and_no_file_is_a_folder(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let wish = json!({ "name": "a", "folder": "raw", "size": 3, "sha256": sha256 });
    let begun = app.post("/files", &team.editor, wish.clone()).await.good();
    let one = format!("/files/uploads/{}", begun["id"].as_str().unwrap());
    send(&app, &format!("{one}?offset=0"), &team.editor, b"a".to_vec()).await.good();
    let again = app.post("/files", &team.editor, wish.clone()).await.good();
    assert_eq!((&again["id"], &again["offset"]), (&begun["id"], &json!(1)));
    let other = app.post("/files", &team.admin, wish).await.good();
    assert_ne!(other["id"], begun["id"], "somebody else's is another");
    let made = send(&app, &format!("{one}?offset=1"), &team.editor, b"bc".to_vec()).await.good();
    assert_eq!(made["file"]["sha256"], sha256);
    // Its answer may have been lost.
    send(&app, &format!("{one}?offset=3"), &team.editor, vec![]).await.refused(404);

    for (folder, name) in [("raw/a", "b"), ("raw/a/b", "c"), ("", "raw")] {
        let wish = json!({ "name": name, "folder": folder, "size": 1 });
        app.post("/files", &team.editor, wish).await.refused(409);
    }
    app.post("/files", &team.editor, json!({ "name": "ra", "size": 1 })).await.good();
    app.end().await;
}

async fn fi_2_files_go_with_their_organization(database: &Database) {
    let app = App::start(database).await;
    app.team().await;
    let storage = crate::tests::storage(&database.home.path().join("storage"));
    let carl = app.sign_up("carl@example.com", json!({ "organization": "Second" })).await;
    send(&app, "/files?name=a.csv", &carl, b"x".to_vec()).await.good();
    assert_eq!(storage.list("etl-files").await.unwrap().len(), 1);
    assert_eq!(storage.list("etl-uploads").await.unwrap(), [""; 0], "no piece is left");
    assert_eq!(app.delete("/organizations/second", &carl).await.status.as_u16(), 204);
    assert_eq!(storage.list("etl-files").await.unwrap(), [""; 0]);
    app.end().await;
}

async fn fi_2_what_pipelines_write_lies_beside_what_was_uploaded(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    for name in ["b.csv", "sum.csv"] {
        send(&app, &format!("/files?name={name}&folder=out"), &team.editor, b"1234".to_vec()).await.good();
    }
    let (storage, own) = place_of(database, "out/b.csv").await;
    // As a load writes: what it keeps for itself is nobody's file.
    for name in ["a.parquet", "sum.csv", "deep/er/c.csv", ".sum.csv.flowetl/staging/x.csv", "_flowetl/manifest.json"] {
        storage.put(&format!("{own}out/{name}"), b"written".to_vec().into()).await.unwrap();
    }
    let get = async |query: &str| app.get(&format!("/files{query}"), &team.viewer).await.good();
    let names = |page: &Value| {
        let name = |file: &Value| file["name"].as_str().unwrap().to_owned();
        page["files"].as_array().unwrap().iter().map(name).collect::<Vec<_>>()
    };
    let all = get("?folder=out").await;
    assert_eq!(
        (names(&all), &all["folders"]),
        (["b.csv", "sum.csv", "a.parquet"].map(str::to_owned).into(), &json!(["deep"]))
    );
    assert_eq!(get("?folder=").await["folders"], json!(["out"]));
    assert_eq!(get("?folder=out/deep").await["folders"], json!(["er"]));
    assert_eq!(names(&get("?search=C.cs").await), ["c.csv"]);
    assert_eq!(get("?folder=nowhere").await["files"], json!([]));
    for folder in ["..", "a//b", "a/../..", "_flowetl", "%00"] {
        app.get(&format!("/files?folder={folder}"), &team.viewer).await.refused(422);
    }
    let mut paged = Vec::new();
    let mut query = "?limit=1".to_owned();
    while let page = get(&query).await
        && let [name] = &names(&page)[..]
    {
        paged.push(name.clone());
        let Some(next) = page["next"].as_str() else { break };
        query = format!("?limit=1&after={next}");
    }
    assert_eq!(paged, ["b.csv", "sum.csv", "a.parquet", "c.csv"]);

    // Later, and as large as what was uploaded.
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    storage.put(&format!("{own}out/b.csv"), b"4321".to_vec().into()).await.unwrap();
    let again = get("?folder=out").await["files"][0].clone();
    assert_eq!((&again["name"], &again["sha256"]), (&json!("b.csv"), &Value::Null));
    assert_eq!((&all["files"][0]["id"], all["files"][0]["sha256"].is_string()), (&again["id"], true));

    // Written over an upload: it is as large as it is now, and nobody's.
    let over = &all["files"][1];
    assert_eq!((&over["size"], &over["sha256"], &over["created_by"]), (&json!(7), &Value::Null, &Value::Null));
    let path = |file: &Value| format!("/files/{}", file["id"].as_str().unwrap());
    for file in [over, &all["files"][2]] {
        let whole = format!("{}/content", path(file));
        assert_eq!(content(&app, &whole, &team.viewer, None).await, (200, String::new(), b"written".to_vec()));
        let part = (206, "bytes 0-4/7".to_owned(), b"writt".to_vec());
        assert_eq!(content(&app, &whole, &team.viewer, Some("bytes=0-4")).await, part);
    }
    let written = path(&all["files"][2]);
    assert_eq!(app.get(&written, &team.viewer).await.good(), all["files"][2]);
    let link = app.post(&format!("{written}/link"), &team.editor, json!({})).await.good();
    let shared = link["url"].as_str().unwrap().strip_prefix("/api/v1").unwrap().to_owned();
    assert_eq!(content(&app, &shared, "", None).await.2, b"written");
    let carl = app.sign_up("carl@example.com", json!({ "organization": "Second" })).await;
    assert_eq!(app.get(&written, &carl).await.status.as_u16(), 404, "of another organization");
    assert_eq!(app.delete(&written, &team.admin).await.status.as_u16(), 204);
    assert_eq!(app.get(&written, &team.viewer).await.status.as_u16(), 404);
    assert_eq!(names(&get("?folder=out").await), ["b.csv", "sum.csv"]);
    for id in ["at-", "at-..", "at-Li4veA", "at-X2Zsb3dldGwveA"] {
        assert_eq!(app.get(&format!("/files/{id}"), &team.viewer).await.status.as_u16(), 404, "{id}");
    }
    app.end().await;
}

async fn fi_2_a_file_says_which_run_wrote_it(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    send(&app, "/files?name=in.csv", &team.editor, b"id\n1\n".to_vec()).await.good();
    let (storage, own) = place_of(database, "in.csv").await;
    let text = "name: daily\nblocks:\n  rows: {extract: files/in.csv}\n  one: {load: rows, to: files/out/sum.csv}\n  \
                parts: {load: rows, to: files/out/parts/}\n  far: {load: rows, to: 'file:///tmp/nowhere/far.csv'}\n";
    let made = app.post("/pipelines", &team.editor, json!({ "text": text })).await.good();
    let run = async || {
        let begun =
            app.post(&format!("/pipelines/{}/run", made["id"].as_str().unwrap()), &team.editor, Value::Null).await;
        let id = begun.good()["id"].as_str().unwrap().to_owned();
        let ended = app.served.process.wait(&RunId::new(&id)).await.unwrap();
        assert_eq!(ended.state, Phase::Success);
        id
    };
    let (first, second) = (run().await, run().await);
    let maker = |run: &str| json!({ "run_id": run, "pipeline": "daily", "pipeline_id": made["id"] });
    for (name, by) in [
        ("out/sum.csv", maker(&second)),
        (&format!("out/parts/{first}-t3-0-0.parquet"), maker(&first)),
        ("out/parts/report-to-the-board.csv", Value::Null),
        ("far.csv", Value::Null),
        ("in.csv", Value::Null),
    ] {
        if name != "in.csv" {
            storage.put(&format!("{own}{name}"), b"id\n1\n".to_vec().into()).await.unwrap();
        }
        let (folder, name) = name.rsplit_once('/').unwrap_or(("", name));
        for query in [format!("folder={folder}&search={name}"), format!("search={name}")] {
            let found = app.get(&format!("/files?{query}"), &team.viewer).await.good();
            assert_eq!(
                (found["files"].as_array().unwrap().len(), &found["files"][0]["written_by"]),
                (1, &by),
                "{name}"
            );
            let path = format!("/files/{}", found["files"][0]["id"].as_str().unwrap());
            assert_eq!(app.get(&path, &team.viewer).await.good()["written_by"], by, "{name}");
        }
    }

    // What is uploaded in its place is nobody's but who brought it.
    send(&app, "/files?name=sum.csv&folder=out", &team.editor, b"mine".to_vec()).await.good();
    assert_eq!(app.get("/files?folder=out", &team.viewer).await.good()["files"][0]["written_by"], Value::Null);
    // Another organization has a file of the same name.
    let carl = app.sign_up("carl@example.com", json!({ "organization": "Second" })).await;
    send(&app, "/files?name=in.csv", &carl, b"1".to_vec()).await.good();
    let found = storage.list("etl-files").await.unwrap();
    let theirs = found.iter().find(|key| !key.starts_with(&own)).unwrap().strip_suffix("in.csv").unwrap();
    for name in ["out/sum.csv", &format!("out/{first}-t3-0-0.parquet")] {
        storage.put(&format!("{theirs}{name}"), b"1".to_vec().into()).await.unwrap();
    }
    let found = app.get("/files?folder=out", &carl).await.good();
    let by: Vec<_> = found["files"].as_array().unwrap().iter().map(|file| &file["written_by"]).collect();
    assert_eq!(by, [&Value::Null; 2]);
    app.end().await;
}

async fn fi_2_an_upload_takes_no_folder_of_a_pipeline_for_a_file(database: &Database) {
    let app = App::start(database).await;
    let team = app.team().await;
    send(&app, "/files?name=in.csv", &team.editor, b"1".to_vec()).await.good();
    let (storage, own) = place_of(database, "in.csv").await;
    for name in ["out/a.parquet", "out/deep/er/c.csv"] {
        storage.put(&format!("{own}{name}"), b"written".to_vec().into()).await.unwrap();
    }
    for (folder, name, why) in [
        ("", "out", "`out` is a folder"),
        ("out", "deep", "`out/deep` is a folder"),
        ("out/a.parquet", "b.csv", "`out/a.parquet` is a file, and no folder"),
        ("out/a.parquet/b", "c.csv", "`out/a.parquet` is a file, and no folder"),
    ] {
        let wish = json!({ "name": name, "folder": folder, "size": 1 });
        let refused = app.post("/files", &team.editor, wish).await.refused(409);
        assert!(refused.contains(why), "{refused}");
    }
    send(&app, "/files?folder=out&name=a.parquet", &team.editor, b"over it".to_vec()).await.good();
    send(&app, "/files?folder=out/deep&name=other.csv", &team.editor, b"beside it".to_vec()).await.good();
    app.end().await;
}
