//! Tables and folders that all executors of a segment read and write together.

use super::{Cluster, server};
use crate::failure::nothing_left;
use crate::world::{Database, World};

#[test]
fn a_table_goes_to_files_and_back_through_three_executors() {
    let (world, database) = (World::new(), Database::postgres());
    database.run(
        "create table source as select v as id, v % 7 as kind, repeat('x', 40) || v as note, v::numeric(12,2) / 3 as share
         from generate_series(1, 200000) v",
    );
    database.run("analyze source");
    database.run("create table merged as select id, kind, 'old' as note, share from source where id % 2 = 0");
    database.run("alter table merged add primary key (id)");
    let s3 = server("FLOWETL_TEST_S3");
    let (bucket, options) = s3.split_once('?').expect("`FLOWETL_TEST_S3` has options");
    let name = database.url.rsplit('/').next().unwrap();
    let connections = format!("connections: {{db: \"{}\", lake: \"{bucket}/{name}-lake?{options}\"}}\n", database.url);
    let out = "{load: source, to: lake/out/, partition_by: kind}";
    let loads = [
        ("out.yml", format!("  source: {{extract: db.public.source}}\n  out: {out}\n")),
        ("back.yml", "  rows: {extract: lake/out/}\n  back: {load: rows, to: db.public.back}\n".to_owned()),
        (
            "merge.yml",
            "  rows: {extract: db.public.source}\n  merged: {load: rows, to: db.public.merged, write: merge, key: id}\n"
                .to_owned(),
        ),
    ];
    let cluster = Cluster::new(&world);
    let (_coordinator, url) = cluster.coordinator("coordinator");
    let executors: Vec<_> = (1..=3)
        .map(|count| cluster.executor_with(&format!("executor-{count}"), &url, count, &["--share", "8KB"]))
        .collect();
    for (before, (file, blocks)) in loads.into_iter().enumerate() {
        world.write(file, &format!("{connections}blocks:\n{blocks}"));
        cluster.ask(&url, &["run", file]).expect(0);
        let spread: usize = executors.iter().map(|executor| executor.warned("a segment is spread")).sum();
        assert_eq!(spread, before + 1, "{file} was done by one executor alone");
    }
    for made in ["back", "merged"] {
        let columns = "id, kind, note, share::numeric(30,10)";
        let rows = |table: &str| format!("select {columns} from {table}");
        let (wanted, made) = (rows("source"), rows(made));
        let differ =
            format!("select count(*) from (({wanted} except all {made}) union all ({made} except all {wanted})) d");
        assert_eq!(database.number(&differ), 0, "{made}");
    }
    nothing_left(&database);
}
