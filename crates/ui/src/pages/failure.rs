//! The page for a request that came to nothing: what happened and what to do next.

use askama::Template;

use crate::filters;
use crate::icon::Icon;
use crate::nav::{CSRF_FIELD, Nav, NavItem};
use crate::urls;

/// Any error page.
#[derive(Debug, Clone, Template)]
#[template(path = "pages/failure.html")]
pub struct Failure {
    /// What is around the page; without user and organization where they are not known.
    pub nav: Nav,
    /// What went wrong.
    pub kind: FailureKind,
    /// The request's id, to be found in the log.
    pub request_id: Option<String>,
}

/// What went wrong, as far as it concerns the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FailureKind {
    /// 400: the request makes no sense; the text says what would.
    BadRequest(String),
    /// 403: they may not; the text says why and who can help.
    Forbidden(String),
    /// 403: the form is older than the session, or from elsewhere.
    StaleForm,
    /// 404: nothing here, or nothing that they may know of.
    NotFound,
    /// 405: not by this method.
    MethodNotAllowed,
    /// 409: somebody else was faster; the text says at what.
    Conflict(String),
    /// 413: too large.
    TooLarge,
    /// 429: too many tries; seconds until the next.
    TooMany(u64),
    /// 500: our fault.
    Broken,
    /// 503: back soon.
    Unavailable,
}

impl FailureKind {
    /// The status of the answer.
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest(_) => 400,
            Self::Forbidden(_) | Self::StaleForm => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Conflict(_) => 409,
            Self::TooLarge => 413,
            Self::TooMany(_) => 429,
            Self::Broken => 500,
            Self::Unavailable => 503,
        }
    }

    /// What happened, in a few words.
    pub const fn title(&self) -> &'static str {
        match self {
            Self::BadRequest(_) => "That request makes no sense",
            Self::Forbidden(_) => "You may not do that",
            Self::StaleForm => "This form has expired",
            Self::NotFound => "Nothing here",
            Self::MethodNotAllowed => "Not in this way",
            Self::Conflict(_) => "Somebody was faster",
            Self::TooLarge => "Too large",
            Self::TooMany(_) => "Too many tries",
            Self::Broken => "Something broke on our side",
            Self::Unavailable => "Copal is not ready",
        }
    }

    /// Why, and what to do next.
    pub fn advice(&self) -> String {
        match self {
            Self::BadRequest(why) | Self::Forbidden(why) | Self::Conflict(why) => why.clone(),
            Self::StaleForm => "You may have logged out or in again in another tab since the page \
                was opened. Go back, reload the page and send the form once more."
                .to_owned(),
            Self::NotFound => {
                "There is no such page, or it belongs to an organization that you are \
                not a member of. If somebody sent you the link, ask them to invite you."
                    .to_owned()
            }
            Self::MethodNotAllowed => {
                "This address only takes forms that a page of Copal sends.".to_owned()
            }
            Self::TooLarge => "What was sent is larger than Copal takes here.".to_owned(),
            Self::TooMany(seconds) => format!("Wait {seconds} s, then try again."),
            Self::Broken => {
                "It has been noted in the log. Try again; if it stays broken, give your \
                administrator the request id below."
                    .to_owned()
            }
            Self::Unavailable => {
                "It is starting, stopping, or its storage does not answer. Events \
                that were acknowledged are safe. Try again in a minute."
                    .to_owned()
            }
        }
    }
}
