//! Stored pipelines in both databases: made, changed, brought back, run, removed.

use std::sync::{Arc, Mutex};

use flowetl_proto::id::RunId;
use flowetl_proto::pipeline::Layout;
use flowetl_proto::run::Phase;
use serde_json::json;

use super::simulate::{Process, world};
use super::world::{Blind, Turn, World};
use super::{Database, on_both, service};
use crate::accounts::{Accounts, Caller, Doors, Refusal, Tenant};
use crate::fleet::Alone;
use crate::pipelines::{Outcome, PipelineItem, PipelineWish, Pipelines, RunWish, Standing, Status};
use crate::schedule::Schedules;
use crate::store::PipelineQuery;

on_both!(
    pl_1_a_pipeline_is_made_changed_and_removed,
    x7_every_change_is_a_revision_and_the_same_again_is_none,
    x7_an_old_revision_comes_back_as_a_new_one,
    pl_4_a_draft_need_not_be_right_and_says_what_is_wrong,
    pl_2_a_graph_makes_the_same_pipeline_as_its_file,
    pl_11_and_pl_12_runs_are_of_their_pipeline_and_revision,
    organizations_share_no_state_of_pipelines_that_are_called_the_same,
);

pub(crate) const FILE: &str = "
name: shop
description: orders to the log
connections: {db: 'postgres://etl:${env:P}@127.0.0.1/db'}
blocks:
  orders: {extract: db.public.orders, sync: {cursor: n}}
  log: {load: orders, to: db.public.log, write: append}
";

/// Whoever works with pipelines of the default organization.
pub(crate) struct Desk {
    pub process: Process,
    pub pipelines: Pipelines,
    pub schedules: Schedules,
    pub accounts: Accounts,
    pub caller: Caller,
    pub tenant: Tenant,
    pub world: Arc<Mutex<World>>,
}

impl Desk {
    pub(crate) async fn new(database: &Database) -> Self {
        let world = world(&[]);
        let process = Process::start(database, &world).await;
        let handle = process.handle.clone();
        let roster = Arc::new(Alone::new(handle.clone(), service::catalogue(), Arc::new(Blind)));
        let accounts = Accounts::open(handle.store(), &Doors::new()).await.unwrap();
        let tenant = accounts.open_tenant(None).await.unwrap();
        let caller = Caller::nobody([127, 0, 0, 1].into());
        let (pipelines, schedules) = (Pipelines::new(handle.clone(), roster.clone()), Schedules::new(handle, roster));
        Self { process, pipelines, schedules, accounts, caller, tenant, world }
    }

    pub(crate) async fn create(&self, text: &str) -> String {
        self.pipelines.create(&self.caller, &self.tenant, wish(text)).await.unwrap().pipeline.id
    }

    pub(crate) async fn apply(&self, text: &str) -> (Outcome, i64) {
        let applied = self.pipelines.apply(&self.caller, &self.tenant, wish(text)).await.unwrap();
        (applied.outcome, applied.pipeline.revision)
    }

    async fn update(&self, id: &str, revision: Option<i64>, wish: PipelineWish) -> Result<i64, Refusal> {
        let updated = self.pipelines.update(&self.caller, &self.tenant, (id, revision), wish).await?;
        Ok(updated.pipeline.revision)
    }

    async fn list(&self, search: &str, statuses: &[Status]) -> Vec<PipelineItem> {
        let query = PipelineQuery {
            organization: self.tenant.organization.id.clone(),
            search: search.into(),
            statuses: statuses.to_vec(),
            limit: 100,
            ..Default::default()
        };
        self.pipelines.list(&query).await.unwrap()
    }

    /// A run of a pipeline, to its end.
    async fn run(&self, id: &str, wish: RunWish) -> (RunId, Phase) {
        let run = self.pipelines.run(&self.caller, &self.tenant, id, wish).await.unwrap().run.id;
        let state = self.process.wait(&run).await.unwrap().state;
        (run, state)
    }

    pub(crate) async fn end(self) {
        let Self { process, pipelines, schedules, accounts, .. } = self;
        drop((pipelines, schedules, accounts));
        process.die().await;
    }
}

fn wish(text: &str) -> PipelineWish {
    PipelineWish { text: Some(text.into()), ..Default::default() }
}

async fn pl_1_a_pipeline_is_made_changed_and_removed(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    let detail = desk.pipelines.get(&desk.tenant, &id).await.unwrap();
    assert_eq!((detail.item.name.as_str(), detail.item.revision), ("shop", 1));
    assert_eq!(detail.item.description.as_deref(), Some("orders to the log"));
    assert_eq!(
        (detail.item.status, detail.item.is_active, detail.item.last_run.is_none()),
        (Status::Active, true, true)
    );
    assert_eq!(detail.file.text, FILE);
    assert_eq!(detail.graph_definition.unwrap().edges.len(), 1);
    let twice = desk.pipelines.create(&desk.caller, &desk.tenant, wish(FILE)).await.unwrap_err();
    assert_eq!(twice.to_string(), "there is a pipeline `shop` already");

    let other = desk.create(&FILE.replace("shop", "100%_other").replace('%', "_")).await;
    let names = |items: Vec<PipelineItem>| items.into_iter().map(|item| item.name).collect::<Vec<_>>();
    assert_eq!(names(desk.list("", &[]).await), ["100__other", "shop"]);
    assert_eq!(names(desk.list("SHO", &[]).await), ["shop"]);
    assert_eq!(names(desk.list("0__o", &[]).await), ["100__other"], "no letter stands for others");
    assert_eq!(names(desk.list("100%", &[]).await), [""; 0]);
    assert_eq!(names(desk.list("the log", &[Status::Paused, Status::Error]).await), [""; 0]);

    let paused = PipelineWish { status: Some(Standing::Paused), ..Default::default() };
    assert_eq!(desk.update(&id, Some(1), paused).await.unwrap(), 1, "how it stands is no revision");
    assert_eq!(names(desk.list("", &[Status::Paused]).await), ["shop"]);
    let renamed = wish(&FILE.replace("name: shop", "name: market"));
    assert_eq!(desk.update(&id, None, renamed).await.unwrap(), 2);
    let taken = desk.update(&other, None, wish(&FILE.replace("shop", "market"))).await.unwrap_err();
    assert!(matches!(&taken, Refusal::Conflict(_)), "{taken}");
    assert_eq!(desk.run(&id, RunWish::default()).await.1, Phase::Success, "paused, but asked for by a person");

    assert!(!desk.process.handle.positions(Some("shop")).await.unwrap().is_empty());
    desk.pipelines.remove(&desk.caller, &desk.tenant, (&id, None)).await.unwrap();
    assert!(desk.process.handle.positions(Some("shop")).await.unwrap().is_empty(), "what it remembered is gone");
    assert!(matches!(desk.pipelines.get(&desk.tenant, &id).await, Err(Refusal::NotFound(_))));
    let log = desk.accounts.audit_log(Some(&desk.tenant.organization.id), None, 20).await.unwrap();
    let actions: Vec<_> = log.iter().filter(|entry| entry.subject == id).map(|entry| entry.action.as_str()).collect();
    let expected = ["pipeline.removed", "pipeline.run", "pipeline.changed", "pipeline.changed", "pipeline.made"];
    assert_eq!(actions, expected);
    desk.end().await;
}

async fn x7_every_change_is_a_revision_and_the_same_again_is_none(database: &Database) {
    let desk = Desk::new(database).await;
    assert_eq!(desk.apply(FILE).await, (Outcome::Created, 1));
    assert_eq!(desk.apply(FILE).await, (Outcome::Unchanged, 1));
    let longer = FILE.replace("n}}", "n}, where: n > 1}");
    let refused = desk.pipelines.apply(&desk.caller, &desk.tenant, wish(&longer)).await.unwrap_err();
    let Refusal::Invalid(problems) = refused else { panic!("{refused}") };
    assert_eq!((problems.len(), problems[0].at.line), (1, 6), "{problems:?}");
    let changed = format!("{FILE}  again: {{load: orders, to: db.public.again, write: append}}\nmemory: 512MB\n");
    assert_eq!(desk.apply(&changed).await, (Outcome::Changed, 2));
    let id = desk.list("", &[]).await.remove(0).id;
    let layout = Layout::from([("log".into(), flowetl_proto::pipeline::Spot { x: 1.0, y: 2.0 })]);
    let moved = PipelineWish { layout: Some(layout.clone()), ..Default::default() };
    assert_eq!(desk.update(&id, Some(2), moved).await.unwrap(), 2, "where blocks stand is no revision");
    let late = desk.update(&id, Some(1), wish(FILE)).await.unwrap_err();
    assert!(matches!(&late, Refusal::Changed(_)), "{late}");
    let detail = desk.pipelines.get(&desk.tenant, &id).await.unwrap();
    assert_eq!((detail.item.revision, &detail.layout), (2, &layout));

    let difference = desk.pipelines.difference(&desk.tenant, &id, 1, 2).await.unwrap();
    assert_eq!(
        (difference.blocks_added, difference.keys_changed),
        (vec!["again".to_owned()], vec!["memory".to_owned()])
    );
    assert!(difference.blocks_removed.is_empty() && difference.blocks_changed.is_empty());
    assert!(
        difference.text.contains("--- revision 1") && difference.text.contains("+memory: 512MB"),
        "{}",
        difference.text
    );

    let leaky = FILE.replace("${env:P}", "hunter2");
    let refused = desk.pipelines.apply(&desk.caller, &desk.tenant, wish(&leaky)).await.unwrap_err();
    let Refusal::Invalid(problems) = refused else { panic!("{refused}") };
    assert!(problems[0].to_string().contains("a secret stands here itself"), "{problems:?}");
    desk.end().await;
}

async fn x7_an_old_revision_comes_back_as_a_new_one(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    desk.apply(&FILE.replace("db.public.log", "db.public.elsewhere")).await;
    let back = desk.pipelines.restore(&desk.caller, &desk.tenant, (&id, Some(2)), 1).await.unwrap();
    assert_eq!((back.outcome, back.pipeline.revision), (Outcome::Changed, 3));
    let again = desk.pipelines.restore(&desk.caller, &desk.tenant, (&id, None), 1).await.unwrap();
    assert_eq!((again.outcome, again.pipeline.revision), (Outcome::Unchanged, 3));
    let revisions = desk.pipelines.revisions(&desk.tenant, &id, i64::MAX, 10).await.unwrap();
    let seen: Vec<_> = revisions.iter().map(|r| (r.number, r.restored)).collect();
    assert_eq!(seen, [(3, Some(1)), (2, None), (1, None)]);
    assert_eq!(desk.pipelines.revisions(&desk.tenant, &id, 2, 10).await.unwrap().len(), 1);
    assert_eq!(desk.pipelines.revision(&desk.tenant, &id, 3).await.unwrap().1.text, FILE);
    assert!(matches!(desk.pipelines.revision(&desk.tenant, &id, 4).await, Err(Refusal::NotFound(_))));
    desk.end().await;
}

async fn pl_4_a_draft_need_not_be_right_and_says_what_is_wrong(database: &Database) {
    let desk = Desk::new(database).await;
    let draft = |text: &str| PipelineWish { status: Some(Standing::Draft), name: Some("plan".into()), ..wish(text) };
    let unfinished = "blocks: {orders: {extract: db.public.orders}, log: {load: ordres, to: db.public.log}}";
    let made = desk.pipelines.create(&desk.caller, &desk.tenant, draft(unfinished)).await.unwrap();
    let id = made.pipeline.id;
    let detail = desk.pipelines.get(&desk.tenant, &id).await.unwrap();
    assert_eq!((detail.item.status, detail.item.name.as_str(), detail.item.is_active), (Status::Draft, "plan", false));
    assert!(!detail.problems.is_empty());
    assert_eq!(detail.graph_definition.unwrap().nodes.len(), 2);
    let refused = desk.pipelines.run(&desk.caller, &desk.tenant, &id, RunWish::default()).await.unwrap_err();
    assert_eq!(refused.to_string(), "pipeline `plan` is a draft that is not right yet");
    let activate = || PipelineWish { status: Some(Standing::Active), ..Default::default() };
    assert!(matches!(desk.update(&id, None, activate()).await, Err(Refusal::Invalid(_))));
    for hopeless in ["blocks: [", "a: postgres://u:secret@h/d\nblocks: {}"] {
        assert!(matches!(desk.update(&id, None, draft(hopeless)).await, Err(Refusal::Invalid(_))), "{hopeless}");
    }
    assert_eq!(desk.update(&id, None, wish(&FILE.replace("name: shop", ""))).await.unwrap(), 2);
    assert_eq!(desk.update(&id, None, activate()).await.unwrap(), 2);
    assert_eq!(desk.pipelines.get(&desk.tenant, &id).await.unwrap().item.status, Status::Active);
    desk.end().await;
}

async fn pl_2_a_graph_makes_the_same_pipeline_as_its_file(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    let mut graph = desk.pipelines.get(&desk.tenant, &id).await.unwrap().graph_definition.unwrap();
    graph.file.insert("name".into(), json!("copy"));
    graph.nodes[0].position = Some(flowetl_proto::pipeline::Spot { x: 3.0, y: 4.0 });
    let drawn = PipelineWish { graph_definition: Some(graph.clone()), ..Default::default() };
    let made = desk.pipelines.create(&desk.caller, &desk.tenant, drawn).await.unwrap().pipeline;
    let copy = desk.pipelines.get(&desk.tenant, &made.id).await.unwrap();
    assert_eq!(copy.graph_definition.as_ref(), Some(&graph), "{}", copy.file.text);
    let both = PipelineWish { text: Some(FILE.into()), graph_definition: Some(graph.clone()), ..Default::default() };
    assert!(matches!(desk.update(&id, None, both).await, Err(Refusal::Wrong { field: "text", .. })));
    // PL-8: an edge that no setting says is refused.
    graph.edges[0].source = "log".into();
    let wrong = PipelineWish { graph_definition: Some(graph), ..Default::default() };
    let refused = desk.update(&made.id, None, wrong).await.unwrap_err();
    assert!(refused.to_string().contains("an edge from `log` to `log`"), "{refused}");
    desk.end().await;
}

async fn pl_11_and_pl_12_runs_are_of_their_pipeline_and_revision(database: &Database) {
    let desk = Desk::new(database).await;
    let id = desk.create(FILE).await;
    let (first, state) = desk.run(&id, RunWish::default()).await;
    assert_eq!(state, Phase::Success);
    let owned = desk.process.handle.run_of(&desk.tenant.organization.id, &first).await.unwrap();
    assert_eq!(
        (owned.pipeline.as_str(), owned.origin.pipeline.as_ref(), owned.origin.revision),
        ("shop", Some(&id), Some(1))
    );
    let wrong = RunWish { until: Some("nothing".into()), ..Default::default() };
    let refused = desk.pipelines.run(&desk.caller, &desk.tenant, &id, wrong).await.unwrap_err();
    assert!(matches!(refused, Refusal::Wrong { field: "until", .. }), "{refused}");
    let part = RunWish { until: Some("orders".into()), full_refresh: true, ..Default::default() };
    let (part, _) = desk.run(&id, part).await;
    let view = desk.process.handle.run(&part).await.unwrap();
    assert_eq!(view.blocks.keys().map(ToString::to_string).collect::<Vec<_>>(), ["orders"]);

    desk.world.lock().unwrap().turns.insert("log".into(), vec![Turn::Fail(flowetl_proto::code::Class::User)]);
    let (_, state) = desk.run(&id, RunWish::default()).await;
    assert_eq!(state, Phase::Failed);
    let item = desk.list("", &[Status::Error]).await.remove(0);
    assert!(item.is_active && item.last_run.is_some(), "{item:?}");

    desk.world.lock().unwrap().turns.insert("log".into(), vec![Turn::Hang]);
    let hanging = desk.pipelines.run(&desk.caller, &desk.tenant, &id, RunWish::default()).await.unwrap().run.id;
    let busy = desk.pipelines.run(&desk.caller, &desk.tenant, &id, RunWish::default()).await.unwrap_err();
    assert!(busy.to_string().contains("is already running"), "{busy}");
    let refused = desk.pipelines.remove(&desk.caller, &desk.tenant, (&id, None)).await.unwrap_err();
    assert_eq!(refused.to_string(), "pipeline `shop` is running: cancel its run first");
    desk.process.handle.cancel(&hanging).await.unwrap();
    desk.process.wait(&hanging).await.unwrap();
    desk.pipelines.remove(&desk.caller, &desk.tenant, (&id, None)).await.unwrap();
    desk.end().await;
}

async fn organizations_share_no_state_of_pipelines_that_are_called_the_same(database: &Database) {
    let desk = Desk::new(database).await;
    let mut directory = desk.process.handle.store().change_directory().await.unwrap();
    let organization = crate::accounts::Organization {
        id: crate::clock::new_id(),
        name: "Other".into(),
        slug: "other".into(),
        runs_at_once: None,
        created_at: flowetl_proto::run::Timestamp(0),
    };
    assert!(directory.add_organization(&organization).await.unwrap());
    directory.commit().await.unwrap();
    let other = desk.accounts.open_tenant(Some("other")).await.unwrap();
    let theirs = desk.pipelines.create(&desk.caller, &other, wish(FILE)).await.unwrap().pipeline;
    let id = desk.create(FILE).await;
    assert!(theirs.key.starts_with("shop.") && theirs.key != "shop");
    desk.run(&id, RunWish::default()).await;
    assert!(desk.process.handle.positions(Some(&theirs.key)).await.unwrap().is_empty());
    assert_eq!(desk.process.handle.positions(Some("shop")).await.unwrap().len(), 1);
    assert!(matches!(desk.pipelines.get(&desk.tenant, &theirs.id).await, Err(Refusal::NotFound(_))));
    assert!(matches!(
        desk.pipelines.run(&desk.caller, &other, &id, RunWish::default()).await,
        Err(Refusal::NotFound(_))
    ));
    assert!(matches!(desk.pipelines.remove(&desk.caller, &other, (&id, None)).await, Err(Refusal::NotFound(_))));
    let run = desk.pipelines.run(&desk.caller, &other, &theirs.id, RunWish::default()).await.unwrap();
    assert_eq!(run.pipeline, "shop", "whatever its runs are kept under");
    desk.process.wait(&run.run.id).await.unwrap();
    desk.end().await;
}
