//! Invitations by mail, sent while nobody waits for it: whoever invites has the link to pass on, too.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::accounts::{Invited, Person, Tenant};
use crate::run::Surroundings;

/// Pauses before the tries: a mail server that is busy is not for long.
const PAUSES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(10), Duration::from_secs(60)];
/// How long one try may take.
const TRY_LIMIT: Duration = Duration::from_secs(30);

/// Sends an invitation to whom it is for. False where no mail can be sent from here.
pub(crate) fn invite(around: &Surroundings, invited: &Invited, by: &Person, tenant: &Tenant) -> bool {
    let Some((mail, link)) = around.mail.as_ref().and_then(|mail| Some((mail.clone(), mail.link(&invited.link)?)))
    else {
        return false;
    };
    let organization = &tenant.organization.name;
    let subject = format!("{} invites you to {organization}", by.name);
    let text = format!(
        "{} invites you to the organization {organization} on FlowETL.\n\nSign up or accept here, within a week:\n\n{link}\n",
        by.name
    );
    let (invitation, to) = (invited.invitation.id.clone(), vec![invited.invitation.email.clone()]);
    around.runtime.spawn(async move {
        for pause in PAUSES {
            sleep(pause).await;
            match timeout(TRY_LIMIT, mail.send(&to, &subject, &text)).await {
                Ok(tried) if tried.is_taken => return,
                Ok(tried) => {
                    tracing::warn!(invitation, answer = tried.text, "an invitation was not taken by the mail server")
                }
                Err(_) => tracing::warn!(invitation, "the mail server does not answer"),
            }
        }
    });
    true
}
