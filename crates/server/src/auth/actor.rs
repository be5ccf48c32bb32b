//! Who changes something that is decided where it is changed, and what they are told if it is not.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use copal_model::UserId;
use copal_model::policy::{POLICY, Refused};
use copal_store::invitations::{AddressProof, Answer};
use copal_store::members::{Actor, NotChanged};

use crate::app::App;
use crate::auth::{OrgMember, Refusal, SignedIn, path};

impl SignedIn {
    /// The caller as the store asks who wants to change something.
    pub fn actor(&self, app: &App) -> Actor {
        let actions = POLICY.iter().map(|rule| rule.action);
        Actor {
            user: self.user.id,
            reaches: actions
                .filter(|action| self.reaches(*action, app).is_ok())
                .collect(),
            proof: address_proof(app),
            now: app.clock.now(),
        }
    }
}

impl<A> OrgMember<A> {
    /// What was changed, or else why not and what would help.
    ///
    /// # Errors
    /// When it was not changed.
    pub async fn changed<T>(&self, answer: Answer<T, NotChanged>, app: &App) -> Result<T, Refusal> {
        match answer {
            Ok(changed) => Ok(changed),
            Err(NotChanged::OutOfReach(action)) => {
                let reach = action.rule().reach.check(self.signed_in.proof(app));
                // Else it has just become stale: whoever asks again is told.
                Err(reach.map_or_else(Refusal::from, |()| Refusal::SignInFirst))
            }
            Err(NotChanged::Refused(Refused::RoleTooLow(action))) => {
                let denied = self.denied(action, app).await?;
                Err(Refusal::RoleTooLow(Box::new(denied)))
            }
            Err(NotChanged::Refused(refused)) => Err(refused.into()),
        }
    }
}

/// The member that a path names as `{member}`, by the user's id.
#[derive(Debug, Clone, Copy)]
pub struct MemberInPath(pub UserId);

impl FromRequestParts<App> for MemberInPath {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Refusal> {
        let text = path::path_param(parts, "member").await?;
        text.parse()
            .map(Self)
            .map_err(|_| Refusal::NotFound { what: "member" })
    }
}

/// Whether accounts have to prove their address: no mail can be sent yet.
pub fn address_proof(_: &App) -> AddressProof {
    AddressProof::Waived
}
