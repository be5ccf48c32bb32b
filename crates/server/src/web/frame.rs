//! What every page has around it, and how pages become answers.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use copal_model::{Organization, Role, Timestamp};
use copal_ui::nav::Notice;
use copal_ui::{Nav, NavItem, NavOrg, NavUser, Template, Theme};

use crate::app::App;
use crate::auth::cookie::Cookie;
use crate::auth::permit::Permit;
use crate::auth::{OrgMember, SignedIn, form};
use crate::web::{Error, notice};

/// What every page has around it; an extractor.
#[derive(Debug)]
pub struct Frame {
    app_cookies: Vec<HeaderValue>,
    headers: HeaderMap,
    theme: Theme,
    path: String,
    notice: Option<Notice>,
    now: Timestamp,
}

impl FromRequestParts<App> for Frame {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let path = parts.uri.path_and_query();
        let path = path.map_or("/", |path| path.as_str());
        let mut frame = Self::of(&parts.headers, path, app);
        frame.notice = notice::read(&parts.headers, app);
        if frame.notice.is_some() {
            let forget = Cookie::Notice.clear(&app.settings);
            frame.app_cookies.push(forget);
        }
        Ok(frame)
    }
}

impl Frame {
    /// What a request's headers and path say, without the notice: it waits for another page.
    pub fn of(headers: &HeaderMap, path: &str, app: &App) -> Self {
        Self {
            app_cookies: Vec::new(),
            theme: theme(headers, app),
            path: path.to_owned(),
            headers: headers.clone(),
            notice: None,
            now: app.clock.now(),
        }
    }

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
        nav.org = Some(nav_org(&member.organization, member.member.role));
        Ok(nav)
    }

    /// Around a page of a person. Its navigation is of the organization that the path names, where
    /// they are a member, or else of their default one: from everywhere it goes on.
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
        let named = slug_in(&self.path);
        let shown = orgs
            .iter()
            .find(|(org, _)| Some(org.slug.as_str()) == named)
            .or_else(|| {
                let default = signed_in.user.default_org;
                orgs.iter().find(|(org, _)| org.id == default)
            })
            .or_else(|| orgs.first());
        Ok(Nav {
            user: Some(NavUser {
                name: signed_in.user.name.clone(),
                email: signed_in.user.email.to_string(),
            }),
            org: shown.map(|(org, role)| nav_org(org, *role)),
            orgs: orgs.iter().map(|(org, role)| nav_org(org, *role)).collect(),
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

fn nav_org(organization: &Organization, role: Role) -> NavOrg {
    NavOrg {
        name: organization.name.clone(),
        slug: organization.slug.clone(),
        role,
        is_personal: organization.is_personal,
    }
}

/// The organization that a path names: `acme` of `/o/acme/issues`.
fn slug_in(path: &str) -> Option<&str> {
    path.strip_prefix("/o/")?.split(['/', '?']).next()
}

/// The theme that the browser remembers.
pub fn theme(headers: &HeaderMap, app: &App) -> Theme {
    Cookie::Theme
        .read(headers, &app.settings)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}
