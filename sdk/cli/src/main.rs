//! The `flowetl` program: reads arguments and the environment, and runs everything in one process or asks a coordinator.

mod allocator;
mod api;
mod args;
mod backup;
mod checks;
mod connection;
mod coordinator;
mod executors;
mod files;
mod home;
mod login;
mod mail;
mod metrics;
mod people;
mod pipelines;
mod plan;
mod preview;
mod role;
mod run;
mod runs;
mod sample;
mod services;
mod show;
mod signals;
mod state;
mod traces;
mod transformation;
mod trust;
mod uploads;
mod vault;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};

/// What the program says to a shell: 0 it succeeded, 1 the run failed or was cancelled, 2 the pipeline or the arguments
/// are wrong and nothing ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Success,
    Failed,
    Wrong,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Success => 0,
            Outcome::Failed => 1,
            Outcome::Wrong => 2,
        })
    }
}

fn main() -> ExitCode {
    allocator::keep_batches();
    let arguments = Arguments::parse();
    show::start_logging(arguments.verbose);
    let runtime = match home::runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            show::error(&error);
            return Outcome::Failed.into();
        }
    };
    let outcome = runtime.block_on(traced(arguments.command));
    // A blocked read of a dead server must not hold the program up.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            show::error(&error);
            if let Some(hint) = trust::hint(&error) {
                show::note(&hint);
            }
            Outcome::Wrong.into()
        }
    }
}

/// Performs the command; where OpenTelemetry is set up, its spans are sent before it ends.
async fn traced(command: Command) -> anyhow::Result<Outcome> {
    let role = match &command {
        Command::Coordinator(_) => "flowetl-coordinator",
        Command::Executor(_) => "flowetl-executor",
        _ => "flowetl",
    };
    let traces = traces::Traces::start(role)?;
    let outcome = Box::pin(perform(command)).await;
    tokio::task::block_in_place(|| traces.close());
    outcome
}

async fn perform(command: Command) -> anyhow::Result<Outcome> {
    match command {
        Command::Run(run) => run::file(run).await,
        Command::Copy(copy) => run::copy(copy).await,
        Command::Plan(plan) => plan::plan(plan).await,
        Command::Preview(preview) => preview::preview(preview).await,
        Command::Validate(file) => files::validate(&file),
        Command::Schema => files::schema(),
        Command::Connection(command) => connection::perform(command).await,
        Command::Runs(runs) => runs::runs(runs).await,
        Command::Up(up) => role::up(*up).await,
        Command::State(state) => state::perform(state).await,
        Command::Executor(executor) => match *executor {
            args::Executor { command: Some(command), .. } => executors::perform(command).await,
            executor => role::executor(executor).await,
        },
        Command::Coordinator(coordinator) => Box::pin(role::coordinator(*coordinator)).await,
        Command::Keygen => {
            let key = flowetl_coordinator::vault::Keyring::generate().map_err(role::chained)?;
            show::line(key.reveal())?;
            Ok(Outcome::Success)
        }
        Command::Login(login) => login::login(login).await,
        Command::Logout(api) => login::logout(api).await,
        Command::Apply(apply) => pipelines::apply(apply).await,
        Command::Export { name, api } => pipelines::export(&name, &api).await,
        Command::Pipeline(command) => pipelines::pipeline(command).await,
        Command::Schedule(command) => pipelines::schedule(command).await,
        Command::Trigger(command) => pipelines::trigger(command).await,
        Command::Transformation(command) => transformation::perform(command).await,
        Command::User(command) => people::user(command).await,
        Command::Org(command) => people::org(command).await,
        Command::Backup(command) => backup::perform(command).await,
        Command::File(command) => uploads::perform(command).await,
        Command::Unlock { api, output } => vault::unlock(&api, output).await,
        Command::Lock { api, output } => vault::lock(&api, output).await,
        Command::Sample { folder } => {
            sample::write(&folder)?;
            Ok(Outcome::Success)
        }
    }
}
