//! Signing up, in and out: passwords become sessions, and sessions access tokens.

use std::net::IpAddr;

use flowetl_proto::run::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::secret::{Claims, Secret, hash};
use super::{Accounts, Caller, Change, Membership, Person, Refusal, document, invitation, organization, text};
use crate::store::Directory;
use crate::{Result, clock};

/// How long an access token counts. What it stands for is looked up with every call, so that it ends at once with its
/// session all the same.
const ACCESS_SECONDS: i64 = 15 * 60;
/// How long a refresh token may wait to be exchanged.
const REFRESH_MS: i64 = 7 * 24 * 3_600_000;

/// A person who signs up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Registration {
    pub email: String,
    /// At least 8 characters.
    #[schema(format = Password)]
    pub password: String,
    pub name: String,
    /// The name of the organization that is made; without it, the person's name stands in it.
    pub organization: Option<String>,
    /// The secret of an invitation, in whose organization the person is from then on: none is made then.
    pub invitation: Option<String>,
}

/// What a person calls with from now on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// Goes into the header `Authorization: Bearer ...` of each call.
    pub access_token: String,
    /// To be exchanged once, for the next of both.
    pub refresh_token: String,
    /// Always `bearer`.
    pub token_type: &'static str,
    /// Seconds for which the access token counts.
    pub expires_in: i64,
}

impl Accounts {
    /// Makes a person, with an organization of their own or in that of an invitation. The first of an installation may do
    /// everything in it, and owns its default organization.
    pub(crate) async fn register(&self, wish: Registration, address: IpAddr) -> Result<Tokens, Refusal> {
        let (email, name) = (text::email(&wish.email)?, text::name(&wish.name)?);
        text::password(&wish.password)?;
        let own = wish.organization.as_deref().map(text::name).transpose()?;
        let password_hash = self.doors.hasher.hash(wish.password).await?;
        let now = clock::now();
        let mut directory = self.store.change_directory().await?;
        directory.lock().await?;
        let is_first = !directory.has_people().await?;
        let (id, created_at) = (clock::new_id(), Timestamp(now));
        let person = Person { id, email, name, super_admin: is_first, created_at };
        if !directory.add_person(&person, &password_hash).await? {
            return Err(Refusal::Conflict("someone has this address already: sign in".into()));
        }
        let caller = Caller { person: Some(person.clone()), ..Caller::nobody(address) };
        let registered = Change {
            organization: None,
            action: "person.registered",
            subject: &person.id,
            before: None,
            after: document(&person),
        };
        directory.audit(&caller.entry(registered)).await?;
        match &wish.invitation {
            Some(secret) => invitation::take(&mut directory, &caller, &person, secret, now).await?,
            None => {
                let name = own.unwrap_or_else(|| format!("{}'s organization", person.name));
                found(&mut directory, &caller, &person, &name, is_first).await?;
            }
        }
        let tokens = self.begin_session(&mut directory, &caller, &person, now).await?;
        directory.commit().await?;
        Ok(tokens)
    }

    /// Signs a person in.
    pub(crate) async fn sign_in(&self, email: &str, password: String, address: IpAddr) -> Result<Tokens, Refusal> {
        let wrong = || Refusal::Unknown("the address or the password is wrong".into());
        // One spelling of each, and none that is long: what failed is remembered by it.
        let email = text::email(email).map_err(|_| wrong())?;
        let begun = self.throttle(|throttle| throttle.begin(&email, address, clock::now()));
        begun.map_err(|wait_ms| Refusal::TooOften { wait_ms })?;
        let credentials = self.store.directory().await?.credentials(&email).await?;
        let (person, hash) = credentials.map(|c| (c.person, c.password_hash)).unzip();
        let is_right = self.doors.hasher.matches(password, hash.flatten()).await?;
        let Some(person) = person.filter(|_| is_right) else {
            tracing::info!(%address, "a sign-in failed");
            return Err(wrong());
        };
        self.throttle(|throttle| throttle.succeeded(&email, address));
        let mut directory = self.store.change_directory().await?;
        let caller = Caller { person: Some(person.clone()), ..Caller::nobody(address) };
        let tokens = self.begin_session(&mut directory, &caller, &person, clock::now()).await?;
        directory.commit().await?;
        Ok(tokens)
    }

    /// Exchanges a refresh token, which counts once: whoever shows it again has stolen it, or was stolen from, and the
    /// session ends.
    pub(crate) async fn refresh(&self, secret: &str, address: IpAddr) -> Result<Tokens, Refusal> {
        let unknown = || Refusal::Unknown("this refresh token does not count: sign in".into());
        let (hash, now) = (hash(secret), clock::now());
        let mut directory = self.store.change_directory().await?;
        let refresh = directory.refresh(&hash).await?.ok_or_else(unknown)?;
        if refresh.is_over || refresh.expires_at <= now {
            return Err(unknown());
        }
        if !directory.use_refresh(&hash, now).await? {
            let caller = Caller::nobody(address);
            end(&mut directory, &caller, &refresh.session, "session.revoked", now).await?;
            directory.commit().await?;
            tracing::warn!(%address, person = refresh.person.id, "a refresh token was shown twice: its session is ended");
            return Err(unknown());
        }
        let tokens = self.tokens(&mut directory, &refresh.person, &refresh.session, now).await?;
        directory.commit().await?;
        Ok(tokens)
    }

    /// Changes the caller's password. Whoever else has signed in as them has to do so again, with the new one.
    pub(crate) async fn change_password(&self, caller: &Caller, old: String, new: String) -> Result<(), Refusal> {
        let person = caller.person()?;
        text::password(&new)?;
        let begun = self.throttle(|throttle| throttle.begin(&person.email, caller.address, clock::now()));
        begun.map_err(|wait_ms| Refusal::TooOften { wait_ms })?;
        let credentials = self.store.directory().await?.credentials(&person.email).await?;
        if !self.doors.hasher.matches(old, credentials.and_then(|c| c.password_hash)).await? {
            return Err(Refusal::wrong("old", "this is not your password"));
        }
        self.throttle(|throttle| throttle.succeeded(&person.email, caller.address));
        let hash = self.doors.hasher.hash(new).await?;
        let mut directory = self.store.change_directory().await?;
        directory.set_password(&person.id, &hash).await?;
        directory.end_other_sessions(&person.id, caller.session.as_deref(), clock::now()).await?;
        let changed = Change {
            organization: None,
            action: "person.password_changed",
            subject: &person.id,
            before: None,
            after: None,
        };
        directory.audit(&caller.entry(changed)).await?;
        Ok(directory.commit().await?)
    }

    /// Ends the session of a call.
    pub(crate) async fn sign_out(&self, caller: &Caller) -> Result<(), Refusal> {
        let session = caller.session.as_ref().ok_or_else(|| Refusal::Forbidden("an API key has no session".into()))?;
        let mut directory = self.store.change_directory().await?;
        end(&mut directory, caller, session, "session.ended", clock::now()).await?;
        Ok(directory.commit().await?)
    }

    /// The organizations that a caller belongs to; with an API key, the one that the key is for.
    pub(crate) async fn memberships(&self, caller: &Caller) -> Result<Vec<Membership>, Refusal> {
        let mut memberships = self.store.directory().await?.memberships(&caller.person()?.id).await?;
        if let Some(key) = &caller.key {
            memberships.retain(|membership| membership.organization.id == key.organization);
        }
        Ok(memberships)
    }

    pub(super) async fn caller_of_session(&self, token: &str, address: IpAddr) -> Result<Option<Caller>> {
        let Some(claims) = self.key.open(token, clock::now() / 1000) else { return Ok(None) };
        let person = self.store.directory().await?.person_of_session(&claims.sid, &claims.sub).await?;
        Ok(person.map(|person| Caller { person: Some(person), session: Some(claims.sid), key: None, address }))
    }

    pub(super) async fn begin_session(
        &self,
        directory: &mut Directory,
        caller: &Caller,
        person: &Person,
        now: i64,
    ) -> Result<Tokens> {
        directory.forget_sessions(&person.id, now).await?;
        let session = clock::new_id();
        directory.add_session(&session, &person.id, now).await?;
        let begun =
            Change { organization: None, action: "session.begun", subject: &session, before: None, after: None };
        directory.audit(&caller.entry(begun)).await?;
        self.tokens(directory, person, &session, now).await
    }

    /// The next tokens of a session.
    async fn tokens(&self, directory: &mut Directory, person: &Person, session: &str, now: i64) -> Result<Tokens> {
        let refresh = Secret::generate("")?;
        directory.add_refresh(&refresh.hash, session, now + REFRESH_MS).await?;
        directory.see(&person.id, now).await?;
        let iat = now / 1000;
        let claims = Claims { sub: person.id.clone(), sid: session.to_owned(), iat, exp: iat + ACCESS_SECONDS };
        Ok(Tokens {
            access_token: self.key.sign(&claims),
            refresh_token: refresh.text,
            token_type: "bearer",
            expires_in: ACCESS_SECONDS,
        })
    }
}

/// Makes the organization of a person who signs up; the first person takes over the default one, if it was made before.
pub(super) async fn found(
    directory: &mut Directory,
    caller: &Caller,
    person: &Person,
    name: &str,
    is_first: bool,
) -> Result<(), Refusal> {
    let default = directory.default_organization().await?;
    let taken_over = match default.as_deref().filter(|_| is_first) {
        Some(id) => directory.organization(id).await?,
        None => None,
    };
    let made = match taken_over {
        Some(organization) => organization,
        None => organization::make(directory, name).await?,
    };
    if default.is_none() {
        directory.set_default_organization(&made.id).await?;
    }
    organization::own(directory, caller, person, &made).await
}

async fn end(directory: &mut Directory, caller: &Caller, session: &str, action: &'static str, now: i64) -> Result<()> {
    directory.end_session(session, now).await?;
    let change = Change { organization: None, action, subject: session, before: None, after: None };
    directory.audit(&caller.entry(change)).await
}
