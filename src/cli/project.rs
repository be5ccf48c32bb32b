//! `copal project`: projects, made with their first key.

use anyhow::Context as _;
use clap::Subcommand;
use copal_model::limits::{PLATFORM_CHARS_MAX, PROJECT_NAME_CHARS_MAX};
use copal_model::{Clock as _, KeyId, name};
use copal_server::fresh;
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
    let Command::Create {
        org,
        name,
        platform,
        format,
    } = command;
    let (scope, _) = org::open(context, &org).await?;
    let new = NewProject {
        name: name::parse(&name, PROJECT_NAME_CHARS_MAX).context("`--name` cannot be used")?,
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
    let created = Created {
        dsn: made.dsn(&context.base_url().await?),
        id: made.id.to_string(),
        slug: made.slug.to_string(),
        name: made.name,
        org_id: made.org_id.to_string(),
        api_key: made.public_key,
    };
    let text = format!(
        "Created the project {} in {org}.\nDSN: {}",
        created.slug,
        created.dsn.as_deref().unwrap_or("none")
    );
    format.print(&created, &text)
}
