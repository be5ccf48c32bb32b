//! `copal demo`: the server on a throw-away folder, with recorded events of real SDKs sent through
//! its own HTTP ingest.
//!
//! # Layout
//! - [`recording`]: the recorded envelopes, and how their times are moved to today
//! - [`client`]: sends them

mod client;
mod recording;

use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context as _, Result, ensure};
use copal_model::{Email, KeyId, OrgId, Plan, Project, UserId};
use copal_server::app::App;
use copal_server::auth::password;
use copal_server::fresh;
use copal_store::access::OrgRef;
use copal_store::issues::IssueQuery;
use copal_store::projects::NewProject;
use copal_store::users::NewUser;
use copal_store::{OrgScope, PageRequest};
use jiff::SignedDuration;

use crate::config::Config;
use crate::{data, serve};
use recording::Recorded;

/// Who logs in to the demo.
const EMAIL: &str = "demo@copal.example";
/// With this password; the demo listens on loopback and its data is thrown away.
const PASSWORD: &str = "copal-demo-2026";
/// Over how many days the events are spread.
const DAYS: i64 = 14;
/// The demo's projects: name, platform, and how their SDK names itself.
const PROJECTS: [(&str, &str, &str); 4] = [
    ("Shop", "python", "sentry.python/"),
    ("Storefront", "node", "sentry.javascript.node/"),
    ("Web", "javascript", "Mozilla/"),
    ("Worker", "rust", "ureq/"),
];

/// What `copal demo` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Stop when the events are loaded, after a summary
    #[arg(long)]
    exit_after_load: bool,
}

/// Runs the demo until it is told to stop; its folder goes with it. Rows in a database that the
/// settings name stay there.
pub(crate) fn run(mut config: Config, arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir().context("cannot make a throw-away folder")?;
    folder.path().clone_into(&mut config.data);
    let exit_after_load = arguments.exit_after_load;
    let database = config.database_url.is_some().then(|| data::place(&config));
    serve::run_beside(&config, |app, address| async move {
        if let Some(database) = &database {
            ensure!(
                app.store.count_users().await? == 0,
                "the demo fills an empty database, and {database} has accounts already: leave \
                 --database-url out to use a throw-away SQLite"
            );
        }
        load(&app, address).await?;
        summarize(&app, database.as_deref()).await?;
        if exit_after_load {
            Ok(())
        } else {
            std::future::pending().await
        }
    })
}

/// Makes the user, the organization and the projects, and sends the events.
async fn load(app: &App, address: SocketAddr) -> Result<()> {
    let scope = sign_up(app).await?;
    let mut projects = Vec::new();
    for (name, platform, sdk) in PROJECTS {
        let key = fresh::uuid_v7(&*app.clock, &*app.entropy);
        let project = NewProject {
            name: name.to_owned(),
            platform: Some(platform.to_owned()),
            key_id: KeyId::new(key),
            public_key: fresh::public_key(&*app.entropy),
            now: app.clock.now(),
        };
        projects.push((sdk, app.store.create_project(&scope, project).await?));
    }
    let recorded = oldest_first(recording::read()?)?;
    let total = i64::try_from(recorded.len())?;
    let mut client = client::Client::connect(address).await?;
    for (place, one) in recorded {
        let (_, project) = projects
            .iter()
            .find(|(sdk, _)| one.sdk.starts_with(sdk))
            .with_context(|| format!("no project for {}", one.sdk))?;
        let now = app.clock.now();
        let age = SignedDuration::from_secs(DAYS * 86_400 * place / total + 60);
        let envelope = recording::retime(&one.envelope, now - age, now)?;
        client.send(&path(project)?, envelope).await?;
    }
    wait_until_recorded(app, &scope, u64::try_from(total)?).await
}

/// Places in time, 0 the latest. The recording is in the order of its SDKs; a stride spreads each
/// over the whole time. They are sent in the order in which they happen, as events mostly are.
fn oldest_first(recorded: Vec<Recorded>) -> Result<Vec<(i64, Recorded)>> {
    let total = i64::try_from(recorded.len())?;
    let mut placed: Vec<_> = (0..)
        .map(|number: i64| number * 97 % total)
        .zip(recorded)
        .collect();
    placed.sort_by_key(|(place, _)| std::cmp::Reverse(*place));
    Ok(placed)
}

async fn sign_up(app: &App) -> Result<OrgScope> {
    let id = |()| fresh::uuid_v7(&*app.clock, &*app.entropy);
    let signed_up = app
        .store
        .sign_up(NewUser {
            id: UserId::new(id(())),
            email: Email::parse(EMAIL)?,
            name: "Demo".to_owned(),
            password_hash: password::hash_here(PASSWORD, &*app.entropy),
            org_id: OrgId::new(id(())),
            plan: Plan::Enterprise,
            is_verified: true,
            now: app.clock.now(),
        })
        .await?;
    let org = OrgRef::Id(signed_up.organization.id);
    let opened = app.store.open_org(signed_up.user.id, &org).await?;
    Ok(opened.context("the organization was just made")?.scope)
}

fn path(project: &Project) -> Result<String> {
    let key = project
        .public_key
        .as_deref()
        .context("the project was made with a key")?;
    Ok(format!(
        "/api/{}/envelope/?sentry_key={key}&sentry_version=7",
        project.id
    ))
}

/// Every event was acknowledged; this waits until all are grouped and counted.
async fn wait_until_recorded(app: &App, scope: &OrgScope, total: u64) -> Result<()> {
    for _ in 0..600 {
        if count(app, scope).await?.1 >= total {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    anyhow::bail!("the events were accepted but not recorded within 30 s")
}

/// Issues, and the events that they count.
async fn count(app: &App, scope: &OrgScope) -> Result<(usize, u64)> {
    let page = PageRequest::first(100);
    let issues = app
        .store
        .list_issues(scope, &IssueQuery::default(), &page)
        .await?;
    ensure!(
        issues.next.is_none(),
        "the demo has fewer than a hundred issues"
    );
    let events = issues.rows.iter().map(|issue| issue.events_count).sum();
    Ok((issues.rows.len(), events))
}

#[expect(
    clippy::print_stdout,
    reason = "how to log in, and what there is to see"
)]
async fn summarize(app: &App, database: Option<&str>) -> Result<()> {
    let email = Email::parse(EMAIL)?;
    let login = app
        .store
        .find_login(&email)
        .await?
        .context("the user was just made")?;
    let org = OrgRef::Id(login.user.default_org);
    let opened = app
        .store
        .open_org(login.user.id, &org)
        .await?
        .context("their organization")?;
    let (issues, events) = count(app, &opened.scope).await?;
    println!(
        "loaded {events} events of real SDKs into {issues} issues and {} projects",
        PROJECTS.len()
    );
    if let Some(database) = database {
        println!(
            "{database} keeps the demo's rows when it ends, and not the events' contents: drop it"
        );
    }
    println!("open     {}/login", app.settings.base_url);
    println!("e-mail   {EMAIL}");
    println!("password {PASSWORD}");
    Ok(())
}
