//! What every page has around it, and how pages become answers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use copal_model::Timestamp;
use copal_ui::{Nav, NavItem, NavOrg, NavUser, Template, Theme};

use crate::app::App;
use crate::auth::cookie::Cookie;
use crate::auth::permit::Permit;
use crate::auth::{OrgMember, SignedIn, form};
use crate::web::Error;

/// Bytes of a notice that are carried to the next page.
const NOTICE_BYTES_MAX: usize = 300;
/// How long a notice waits for its page, in seconds.
const NOTICE_SECS: u64 = 60;

/// What every page has around it; an extractor.
#[derive(Debug)]
pub struct Frame {
    app_cookies: Vec<HeaderValue>,
    headers: HeaderMap,
    theme: Theme,
    path: String,
    notice: Option<String>,
    now: Timestamp,
}

impl FromRequestParts<App> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let path = parts.uri.path_and_query();
        let notice = read_notice(&parts.headers, app);
        let mut app_cookies = Vec::new();
        if notice.is_some() {
            app_cookies.push(Cookie::Notice.clear(&app.settings));
        }
        Ok(Self {
            app_cookies,
            theme: theme(&parts.headers, app),
            path: path.map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned()),
            headers: parts.headers.clone(),
            notice,
            now: app.clock.now(),
        })
    }
}

impl Frame {
    /// The time that ages on the page are counted from.
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// Around a page of an organization.
    ///
    /// # Errors
    /// When the store cannot say which organizations the person is in.
    pub async fn in_org<A: Permit>(
        &self,
        member: &OrgMember<A>,
        active: NavItem,
        app: &App,
    ) -> Result<Nav, Error> {
        let mut nav = self.of_person(&member.signed_in, active, app).await?;
        nav.org = Some(NavOrg {
            name: member.organization.name.clone(),
            slug: member.organization.slug.clone(),
            role: member.member.role,
            is_personal: member.organization.is_personal,
        });
        Ok(nav)
    }

    /// Around a page of a person, outside any organization.
    ///
    /// # Errors
    /// When the store cannot say which organizations the person is in.
    pub async fn of_person(
        &self,
        signed_in: &SignedIn,
        active: NavItem,
        app: &App,
    ) -> Result<Nav, Error> {
        let orgs = app.store.list_organizations(signed_in.user.id).await?;
        Ok(Nav {
            user: Some(NavUser {
                name: signed_in.user.name.clone(),
                email: signed_in.user.email.to_string(),
            }),
            org: None,
            orgs: orgs
                .into_iter()
                .map(|(organization, role)| NavOrg {
                    name: organization.name,
                    slug: organization.slug,
                    role,
                    is_personal: organization.is_personal,
                })
                .collect(),
            active,
            csrf: signed_in.form_token_text().to_owned(),
            theme: self.theme,
            path: self.path.clone(),
            now: self.now,
            notice: self.notice.clone(),
        })
    }

    /// Around a page for everybody. Its forms are bound to the browser by a cookie.
    pub fn for_everybody(&mut self, app: &App) -> Nav {
        let (token, cookie) = form::open_token(&self.headers, app);
        self.app_cookies.extend(cookie);
        Nav::anonymous(
            token.expose().to_owned(),
            self.theme,
            self.path.clone(),
            self.now,
        )
    }

    /// Shows a page.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn show(self, page: &impl Template) -> Result<Response, Error> {
        self.show_as(StatusCode::OK, page)
    }

    /// Shows a page under another status: a form with something wrong in it, say.
    ///
    /// # Errors
    /// When the page cannot be written.
    pub fn show_as(self, status: StatusCode, page: &impl Template) -> Result<Response, Error> {
        let mut response = (status, Html(page.render()?)).into_response();
        for cookie in self.app_cookies {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(response)
    }
}

/// Goes to a path of this site after something was done, and says there what.
pub fn redirect_with_notice(path: &str, notice: &str, app: &App) -> Response {
    let mut end = notice.len().min(NOTICE_BYTES_MAX);
    while !notice.is_char_boundary(end) {
        end -= 1;
    }
    let value = URL_SAFE_NO_PAD.encode(&notice[..end]);
    let cookie = Cookie::Notice.set(&value, NOTICE_SECS, &app.settings);
    let mut response = Redirect::to(path).into_response();
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

/// The theme that the browser remembers.
pub fn theme(headers: &HeaderMap, app: &App) -> Theme {
    Cookie::Theme
        .read(headers, &app.settings)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

/// A notice is plain text of ours in a cookie; whatever stands there instead is only shown,
/// escaped, to the browser that has it.
fn read_notice(headers: &HeaderMap, app: &App) -> Option<String> {
    let text = Cookie::Notice.read(headers, &app.settings)?;
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let notice = String::from_utf8(bytes).ok()?;
    (!notice.is_empty() && notice.len() <= NOTICE_BYTES_MAX).then_some(notice)
}
