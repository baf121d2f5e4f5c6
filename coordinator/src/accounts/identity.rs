//! People who sign in through another service: met again, joined to who has their address, or made.

use std::net::IpAddr;

use flowetl_proto::run::Timestamp;

use super::{Accounts, Caller, Change, Person, Refusal, Tokens, document, entry, text};
use crate::clock;
use crate::store::Directory;

/// Who someone is at another service, which has made sure of the address.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    pub issuer: String,
    /// What the service calls them, and no one else ever.
    pub subject: String,
    pub email: String,
    pub name: Option<String>,
}

impl Accounts {
    /// Lets in whoever another service vouches for.
    pub(crate) async fn enter(&self, identity: &Identity, address: IpAddr) -> Result<Tokens, Refusal> {
        let now = clock::now();
        let mut directory = self.store.change_directory().await?;
        directory.lock().await?;
        let person = match directory.person_of_identity(&identity.issuer, &identity.subject).await? {
            Some(person) => person,
            None => meet(&mut directory, identity, address, now).await?,
        };
        let caller = Caller { person: Some(person.clone()), ..Caller::nobody(address) };
        let tokens = self.begin_session(&mut directory, &caller, &person, now).await?;
        directory.commit().await?;
        Ok(tokens)
    }
}

/// Joins someone who comes for the first time to the person of that address, or makes a person.
async fn meet(directory: &mut Directory, identity: &Identity, address: IpAddr, now: i64) -> Result<Person, Refusal> {
    let email = text::email(&identity.email)?;
    let known = directory.credentials(&email).await?.map(|credentials| credentials.person);
    let is_known = known.is_some();
    let person = match known {
        Some(person) => {
            // Nobody had to prove that the address was theirs before: whoever took it first is let in no more.
            directory.set_password(&person.id, "").await?;
            directory.end_other_sessions(&person.id, None, now).await?;
            person
        }
        None => make(directory, identity, email, address, now).await?,
    };
    directory.add_identity(&identity.issuer, &identity.subject, &person.id, now).await?;
    let caller = Caller { person: Some(person.clone()), ..Caller::nobody(address) };
    let joined = Change {
        organization: None,
        action: if is_known { "person.identity_joined" } else { "person.identity_added" },
        subject: &person.id,
        before: None,
        after: Some(serde_json::json!({ "issuer": identity.issuer, "subject": identity.subject })),
    };
    directory.audit(&caller.entry(joined)).await?;
    Ok(person)
}

/// Someone who signs up by coming: with an organization of their own, and no password.
async fn make(
    directory: &mut Directory,
    identity: &Identity,
    email: String,
    address: IpAddr,
    now: i64,
) -> Result<Person, Refusal> {
    let own = email.split('@').next().unwrap_or_default();
    let named = identity.name.as_deref().and_then(|name| text::name(name).ok());
    let name = named.or_else(|| text::name(own).ok()).unwrap_or_else(|| "Someone".to_owned());
    let is_first = !directory.has_people().await?;
    let person = Person { id: clock::new_id(), email, name, super_admin: is_first, created_at: Timestamp(now) };
    directory.add_person(&person, "").await?;
    let caller = Caller { person: Some(person.clone()), ..Caller::nobody(address) };
    let registered = Change {
        organization: None,
        action: "person.registered",
        subject: &person.id,
        before: None,
        after: document(&person),
    };
    directory.audit(&caller.entry(registered)).await?;
    entry::found(directory, &caller, &person, &format!("{}'s organization", person.name), is_first).await?;
    Ok(person)
}
