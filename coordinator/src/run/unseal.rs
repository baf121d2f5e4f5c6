//! What is opened of vaults for a command, a moment before it is performed.

use actix::Addr;
use flowetl_proto::code::{Class, Failure};
use flowetl_proto::control::AttemptSpec;
use flowetl_proto::pipeline::Unsealed;

use super::{Command, Event, Happened, RunActor, Surroundings};
use crate::Error;
use crate::connections::{sealed_by, unseal};
use crate::vault::Fault;

/// The attempt with what its connections need of vaults. `None` where it is not to be asked for: its run was told.
pub(super) async fn opened(
    around: &Surroundings,
    actor: &Addr<RunActor>,
    command: Command,
    spec: AttemptSpec,
) -> Option<AttemptSpec> {
    let token = command.token();
    loop {
        let specs = || spec.connections.values();
        let secrets = match command {
            Command::Start(_) | Command::Commit(_) | Command::Discard(_) => unseal(&around.vault, specs()).await,
            Command::Reattach(_) | Command::Cancel(_) => Ok(Unsealed::default()),
        };
        let failure = match (secrets, command) {
            (Ok(secrets), _) => return Some(AttemptSpec { secrets, ..spec }),
            (Err(Error::Vault(Fault::Locked)), Command::Start(_)) => {
                // A run that is gone by now has no use for it.
                let _ = actor.send(Happened(Event::Locked(token))).await;
                return None;
            }
            (Err(Error::Vault(Fault::Locked)), Command::Commit(_)) => {
                let _ = actor.send(Happened(Event::Locked(token))).await;
                around.vault.unlocked(&sealed_by(specs())).await;
                continue;
            }
            (Err(error @ (Error::Vault(_) | Error::NoSecret(_))), _) => Failure::new(Class::User, error.to_string()),
            (Err(error), _) => Failure::new(Class::SourceTransient, error.chain()),
        };
        let _ = actor.send(Happened(Event::Refused { command, failure })).await;
        return None;
    }
}
