//! Lines are read as they were said: by whom ever, in their order, none twice, and those that were lost are counted.

use flowetl_proto::id::{SegmentId, Token};
use flowetl_proto::log::{Cursor, Filter};
use tempfile::TempDir;

use super::*;
use crate::tests::world::World;

fn journal(folder: &TempDir) -> (Journal, Storage) {
    let storage = World::storage_in(folder.path());
    (Journal::open(storage.clone(), Some("e".into()), &Handle::current()), storage)
}

fn scribe(journal: &Journal, run: &str) -> Scribe {
    let attempt = AttemptId { pipeline: "p".into(), run: run.into(), segment: SegmentId::new("load"), token: Token(7) };
    Scribe { journal: journal.clone(), attempt }
}

async fn read(journal: &Journal, after: &Cursor, filter: Filter, limit: usize) -> Page {
    journal.read(&Query { run: "r".into(), after: after.clone(), filter, limit }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ap_15_no_line_is_lost_or_told_twice() {
    let folder = TempDir::new().unwrap();
    let (one, _) = journal(&folder);
    let (two, _) = journal(&folder);
    let (first, second) = (scribe(&one, "r"), scribe(&two, "r"));
    let block = BlockId::new("orders");
    scribe(&one, "other").info(None, "of another run");
    for number in 0..1_000 {
        first.info(Some(&block), format!("line {number}"));
        second.say(Level::Warn, None, format!("said {number}"));
    }
    two.close().await;
    let (mut after, mut lines) = (Cursor::new(), Vec::new());
    loop {
        let page = read(&one, &after, Filter::default(), 77).await;
        assert!(page.lines.len() <= 77);
        lines.extend(page.lines);
        after = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(lines.len(), 2_000);
    assert!(lines.is_sorted_by_key(|line| line.at));
    for of in ["line", "said"] {
        let own: Vec<_> = lines.iter().filter(|line| line.message.starts_with(of)).collect();
        let expected = (0..1_000).map(|number| format!("{of} {number}"));
        assert!(own.iter().map(|line| line.message.clone()).eq(expected), "each once, in its order");
    }
    assert_eq!((lines[0].token, lines[0].executor.as_deref()), (Some(Token(7)), Some("e")));
    // What is said later comes behind the cursor.
    first.info(None, "later");
    let page = read(&one, &after, Filter::default(), 10).await;
    assert_eq!(page.lines.iter().map(|line| &*line.message).collect::<Vec<_>>(), ["later"]);
    assert!(read(&one, &page.next, Filter::default(), 10).await.lines.is_empty());

    let found = read(&one, &Cursor::new(), Filter { search: Some("NE 99".into()), ..Filter::default() }, 100).await;
    assert_eq!(found.lines.len(), 11);
    let found = Filter { level: Level::Warn, block: Some("load".into()), search: None };
    assert_eq!(read(&one, &Cursor::new(), found, 5_000).await.lines.len(), 1_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_wait_for_storage_and_those_that_do_not_fit_are_counted() {
    let folder = TempDir::new().unwrap();
    let (journal, _) = journal(&folder);
    // A file stands where the folder is to be made.
    let in_the_way = folder.path().join("logs");
    std::fs::write(&in_the_way, "").unwrap();
    let speaks = scribe(&journal, "r");
    let long = "x".repeat(10_000);
    for number in 0..1_000 {
        speaks.info(None, format!("{number} {long}"));
    }
    journal.write_down(None).await;
    std::fs::remove_file(&in_the_way).unwrap();
    let page = read(&journal, &Cursor::new(), Filter::default(), 5_000).await;
    let last = page.lines.last().unwrap();
    assert_eq!(last.level, Level::Warn);
    let lost: usize = last.message.split(' ').next().unwrap().parse().unwrap();
    assert_eq!(page.lines.len() - 1 + lost, 1_000, "every line is there or counted");
    assert!(lost > 0 && page.lines.len() > 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_of_old_runs_are_removed() {
    let folder = TempDir::new().unwrap();
    let (journal, storage) = journal(&folder);
    assert_eq!(storage.remove_folders_before(FOLDER, "z").await.unwrap(), 0, "nothing was ever said");
    for run in ["018f", "0190"] {
        scribe(&journal, run).info(None, "hello");
    }
    journal.close().await;
    assert_eq!(storage.remove_folders_before(FOLDER, "0190").await.unwrap(), 1);
    assert_eq!(storage.folders(FOLDER, crate::storage::Side::Read).await.unwrap(), ["0190"]);
}
