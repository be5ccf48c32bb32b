//! `copal project`: projects, made with their first key.

use anyhow::Context as _;
use clap::Subcommand;
use copal_model::limits::{PLATFORM_CHARS_MAX, PROJECT_NAME_CHARS_MAX};
use copal_model::{Clock as _, KeyId, Project, Slug, name};
use copal_server::fresh;
use copal_store::access::ProjectRef;
use copal_store::projects::NewProject;
use serde::Serialize;

use super::out::Format;
use super::{Context, org};
use crate::ambient::{SystemClock, SystemEntropy};

/// What can be done with projects.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a project
    Create {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Name of the project
        #[arg(long)]
        name: String,
        /// SDK platform, such as python
        #[arg(long)]
        platform: Option<String>,
        #[command(flatten)]
        format: Format,
    },
    /// Take the deletion of a project back
    Restore {
        /// Slug of the organization
        #[arg(long, value_name = "SLUG")]
        org: String,
        /// Slug of the project
        slug: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: String,
    slug: String,
    name: String,
    org_id: String,
    api_key: Option<String>,
    dsn: Option<String>,
}

/// Runs the command.
pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create {
            org,
            name,
            platform,
            format,
        } => create(context, (&org, &name, platform), &format).await,
        Command::Restore { org, slug, format } => restore(context, (&org, &slug), &format).await,
    }
}

async fn create(
    context: &Context,
    (org, name, platform): (&str, &str, Option<String>),
    format: &Format,
) -> anyhow::Result<()> {
    let (scope, _) = org::open(context, org).await?;
    let new = NewProject {
        name: name::parse(name, PROJECT_NAME_CHARS_MAX).context("`--name` cannot be used")?,
        platform: platform
            .map(|platform| name::parse(&platform, PLATFORM_CHARS_MAX))
            .transpose()
            .context("`--platform` cannot be used")?,
        key_id: KeyId::new(fresh::uuid_v7(&SystemClock, &SystemEntropy)),
        public_key: fresh::public_key(&SystemEntropy),
        now: SystemClock.now(),
    };
    let made = context.store.create_project(&scope, new).await;
    let made = made.context("cannot create the project")?;
    let created = Created::of(made, context).await?;
    let text = format!(
        "Created the project {} in {org}.\nDSN: {}",
        created.slug,
        created.dsn.as_deref().unwrap_or("none")
    );
    format.print(&created, &text)
}

async fn restore(
    context: &Context,
    (org, slug): (&str, &str),
    format: &Format,
) -> anyhow::Result<()> {
    let (scope, _) = org::open(context, org).await?;
    let missing = || format!("no project of {org} with the slug {slug} was deleted lately");
    let wanted = Slug::parse(slug).with_context(missing)?;
    let restored = context
        .store
        .restore_project(&scope, &ProjectRef::Slug(wanted))
        .await;
    let restored = match restored {
        Err(copal_store::Error::NotFound { .. }) => None.with_context(missing)?,
        answer => answer.context("cannot take the deletion back")?,
    };
    let text = format!("{} is back, as it was.", restored.slug);
    format.print(&Created::of(restored, context).await?, &text)
}

impl Created {
    async fn of(project: Project, context: &Context) -> anyhow::Result<Self> {
        Ok(Self {
            dsn: project.dsn(&context.base_url().await?),
            id: project.id.to_string(),
            slug: project.slug.to_string(),
            name: project.name,
            org_id: project.org_id.to_string(),
            api_key: project.public_key,
        })
    }
}
