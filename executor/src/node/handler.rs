//! What a node does with the coordinator's requests.

use std::future::Future;
use std::sync::Arc;

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, WrapFuture};
use arrow::datatypes::SchemaRef;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::{AttemptEvent, AttemptEventKind, AttemptSpec, Output, Prepared};
use flowetl_proto::id::{BlockId, Token};
use flowetl_proto::log::Level;
use flowetl_proto::trace;

use super::{
    AttemptOver, CancelAttempt, Discard, NameHelpers, NodeActor, Publish, Retain, Running, Start, Surroundings,
};
use crate::connectors::{Committed, Sink};
use crate::destination::{Destination, root};
use crate::fence::Admission;
use crate::memory::Budget;
use crate::schema::schema_from_json;
use crate::segment::{Cancel, Help, SegmentActor, work};
use crate::{Result, figures};

impl Handler<Start> for NodeActor {
    type Result = Result<bool, Failure>;

    fn handle(&mut self, Start(spec): Start, context: &mut Self::Context) -> Self::Result {
        match self.fence.admit(&spec.id) {
            Admission::Repeated => return Ok(false),
            Admission::Refused(failure) => return Err(failure),
            Admission::Begin => {}
        }
        if let Some(host) = &self.surroundings.host {
            host.admit(&spec.id)?;
        }
        let token = spec.id.token;
        let node = context.address().recipient();
        let help = Arc::new(Help::new(spec.id.clone(), self.events.clone()));
        let around = Arc::clone(&self.surroundings);
        let actor = SegmentActor::new(spec, around, self.events.clone(), node, Arc::clone(&help));
        self.running.insert(token, Running { segment: actor.start(), help });
        figures::running(self.running.len());
        Ok(true)
    }
}

impl Handler<NameHelpers> for NodeActor {
    type Result = Result<(), Failure>;

    fn handle(&mut self, NameHelpers(spec): NameHelpers, _: &mut Self::Context) -> Self::Result {
        let is_awaited = self.running.get(&spec.id.token).is_some_and(|running| running.help.name(spec.helpers));
        let late = || Failure::new(Class::Fenced, format!("attempt {} does not wait for help", spec.id.token));
        is_awaited.then_some(()).ok_or_else(late)
    }
}

impl Handler<Retain> for NodeActor {
    type Result = ();

    fn handle(&mut self, Retain(runs, until): Retain, _: &mut Self::Context) {
        self.fence.retain(&runs, until);
    }
}

impl Handler<AttemptOver> for NodeActor {
    type Result = ();

    fn handle(&mut self, over: AttemptOver, context: &mut Self::Context) {
        self.running.remove(&over.token);
        figures::running(self.running.len());
        self.surroundings.config.freed.notify_one();
        if let Some(sink) = over.sink {
            self.prepared.insert(over.token, sink);
        }
        if let Some(spec) = self.ending.remove(&over.token) {
            self.remove(spec, context);
        }
    }
}

impl Handler<CancelAttempt> for NodeActor {
    type Result = Result<(), Failure>;

    fn handle(&mut self, CancelAttempt(token): CancelAttempt, context: &mut Self::Context) -> Self::Result {
        self.end(token, context);
        Ok(())
    }
}

impl Handler<Publish> for NodeActor {
    type Result = Result<(), Failure>;

    fn handle(&mut self, Publish(spec, prepared): Publish, context: &mut Self::Context) -> Self::Result {
        let kept = self.prepared.remove(&spec.id.token);
        let surroundings = Arc::clone(&self.surroundings);
        let id = spec.id.clone();
        let publishing = async move {
            let scribe = surroundings.journal.scribe(&spec);
            let published = publish(&spec, &prepared, kept, &surroundings).await;
            match &published {
                Ok(Committed::Done) => scribe.info(None, committed(&prepared)),
                Ok(Committed::Lost) => scribe.say(Level::Warn, None, "what was made is gone before it was published"),
                Err(error) => scribe.say(Level::Error, None, format!("publishing failed: {}", error.to_failure())),
            }
            Ok(match published? {
                Committed::Done => AttemptEventKind::Committed,
                Committed::Lost => AttemptEventKind::Lost,
            })
        };
        self.answer("publish", id, publishing, context);
        Ok(())
    }
}

impl Handler<Discard> for NodeActor {
    type Result = Result<(), Failure>;

    fn handle(&mut self, Discard(spec): Discard, context: &mut Self::Context) -> Self::Result {
        if self.end(spec.id.token, context) {
            self.ending.insert(spec.id.token, spec);
        } else {
            self.remove(spec, context);
        }
        Ok(())
    }
}

impl NodeActor {
    /// Ends an attempt if it runs, and says whether it does.
    fn end(&self, token: Token, context: &mut Context<Self>) -> bool {
        let Some(running) = self.running.get(&token) else { return false };
        let request = running.segment.send(Cancel);
        context.spawn(request.into_actor(self).map(|sent, _, _| {
            if sent.is_err() {
                tracing::debug!("an attempt ended while it was being cancelled");
            }
        }));
        true
    }

    /// Removes what an attempt that has ended staged.
    fn remove(&mut self, spec: AttemptSpec, context: &mut Context<Self>) {
        let kept = self.prepared.remove(&spec.id.token);
        let surroundings = Arc::clone(&self.surroundings);
        let id = spec.id.clone();
        let removing = async move {
            let scribe = surroundings.journal.scribe(&spec);
            if let Err(error) = discard(&spec, kept, &surroundings).await {
                tracing::warn!(
                    segment = %spec.id.segment, token = %spec.id.token, error = error.to_failure().message,
                    "what an attempt staged cannot be removed"
                );
                scribe.say(Level::Warn, None, format!("what was staged cannot be removed: {}", error.to_failure()));
                return Err(error);
            }
            scribe.say(Level::Debug, None, "what was staged is removed");
            Ok(AttemptEventKind::Discarded)
        };
        self.answer("discard", id, removing, context);
    }

    /// Runs `step` on the data runtime and tells the coordinator how it ended.
    fn answer(
        &self,
        name: &'static str,
        id: flowetl_proto::control::AttemptId,
        step: impl Future<Output = Result<AttemptEventKind>> + Send + 'static,
        context: &mut Context<Self>,
    ) {
        let events = self.events.clone();
        let work = trace::Work::begin(&id, name);
        let task = self.surroundings.data.spawn(async move {
            let done = step.await;
            work.end(done.as_ref().err().map(|error| error.class));
            done
        });
        let answering = async move {
            let kind = match task.await {
                Ok(Ok(kind)) => kind,
                Ok(Err(error)) => AttemptEventKind::Failed(error.to_failure()),
                Err(error) => {
                    let root = BlockId::new(id.segment.as_str());
                    AttemptEventKind::Failed(crate::operator::ended_early(error).in_block(&root))
                }
            };
            let event = AttemptEvent::new(id.run, id.segment, id.token, kind);
            if events.send(event).await.is_err() {
                tracing::warn!("the coordinator was gone before it heard of an attempt's end");
            }
        };
        context.spawn(answering.into_actor(self));
    }
}

/// What is visible from now on.
fn committed(prepared: &Prepared) -> String {
    match &prepared.manifest {
        Some(manifest) => format!("committed {} rows", manifest.rows()),
        None => "committed".to_owned(),
    }
}

async fn publish(
    spec: &AttemptSpec,
    prepared: &Prepared,
    kept: Option<Arc<dyn Sink>>,
    surroundings: &Surroundings,
) -> Result<Committed> {
    let (Some(staged), root) = (&prepared.staged, &root(spec)?.id) else { return Ok(Committed::Done) };
    let sink = match kept {
        Some(sink) => sink,
        None => {
            let schema = prepared.manifest.as_ref().map(|m| schema_from_json(&m.schema)).transpose()?.map(Arc::new);
            reopen(spec, surroundings, schema).await?
        }
    };
    let positions: Vec<_> = spec.carried.iter().map(|(b, p)| (b.clone(), p.clone())).collect();
    sink.commit(staged, &positions).await.map_err(|e| e.in_block(root))
}

async fn discard(spec: &AttemptSpec, kept: Option<Arc<dyn Sink>>, surroundings: &Surroundings) -> Result<()> {
    let sink = match (kept, spec.segment.output) {
        (Some(sink), _) => sink,
        (None, Output::Verdict) => return Ok(()),
        (None, _) => {
            // Nothing moves, so that a ceiling too small to run under is no reason to leave anything behind.
            let systems = work::systems(spec, surroundings, Budget::new(None)?);
            Destination::of(spec)?.open_to_discard(&surroundings.config.storage, &systems).await?
        }
    };
    sink.discard().await
}

async fn reopen(spec: &AttemptSpec, surroundings: &Surroundings, schema: Option<SchemaRef>) -> Result<Arc<dyn Sink>> {
    let systems = work::systems(spec, surroundings, Budget::new(spec.memory)?);
    Destination::of(spec)?.open(&surroundings.config.storage, &systems, schema).await
}
