//! `copal org`: shared organizations, and plans.

use anyhow::Context as _;
use clap::Subcommand;
use copal_model::limits::ORG_NAME_CHARS_MAX;
use copal_model::{Clock as _, Email, OrgId, Organization, Plan, Slug, name};
use copal_server::fresh;
use copal_store::OrgScope;
use copal_store::access::OrgRef;
use copal_store::lifecycle::RestoredBy;
use copal_store::organizations::{NewOrganization, OrganizationPatch};
use serde::Serialize;

use super::out::Format;
use super::{Context, email};
use crate::ambient::{SystemClock, SystemEntropy};

/// What can be done with organizations.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a shared organization
    Create {
        /// Address of the user who becomes its owner
        #[arg(long, value_parser = email)]
        owner: Email,
        /// Name of the organization
        #[arg(long)]
        name: String,
        #[command(flatten)]
        format: Format,
    },
    /// Set an organization's plan
    SetPlan {
        /// The organization
        slug: String,
        /// FREE, PRO or ENTERPRISE
        plan: Plan,
        #[command(flatten)]
        format: Format,
    },
    /// Take the deletion of an organization back
    Restore {
        /// The organization
        slug: String,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    id: String,
    slug: String,
    name: String,
    plan: &'static str,
    is_personal: bool,
}

/// Runs the command.
pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    match command {
        Command::Create {
            owner,
            name,
            format,
        } => {
            let new = NewOrganization {
                id: OrgId::new(fresh::uuid_v7(&SystemClock, &SystemEntropy)),
                name: name::parse(&name, ORG_NAME_CHARS_MAX).context("`--name` cannot be used")?,
                plan: context.config.default_plan,
                owner: context.user(&owner).await?.id,
                now: SystemClock.now(),
            };
            let made = context.store.create_organization(new).await;
            let made = made.context("cannot create the organization")?;
            let text = format!("Created the organization {}.", made.slug);
            format.print(&Shown::of(made), &text)
        }
        Command::SetPlan { slug, plan, format } => {
            let (scope, _) = open(context, &slug).await?;
            let patch = OrganizationPatch {
                plan: Some(plan),
                ..OrganizationPatch::default()
            };
            let changed = context.store.update_organization(&scope, patch).await;
            let changed = changed.context("cannot set the plan")?;
            let text = format!("{} has the plan {} now.", changed.slug, changed.plan);
            format.print(&Shown::of(changed), &text)
        }
        Command::Restore { slug, format } => {
            let restored = restore(context, &slug).await?;
            let text = format!("{} is back, as it was.", restored.slug);
            format.print(&Shown::of(restored), &text)
        }
    }
}

/// Takes back that the organization with this slug was deleted.
async fn restore(context: &Context, slug: &str) -> anyhow::Result<Organization> {
    let missing = || format!("no organization with the slug {slug} was deleted lately");
    let parsed = Slug::parse(slug).ok().with_context(missing)?;
    let store = &context.store;
    let wanted = OrgRef::Slug(parsed);
    let found = store.open_deleted_org_as_operator(&wanted).await?;
    let (scope, _) = found.with_context(missing)?;
    let restored = store.restore_organization(&scope, RestoredBy::Operator);
    restored.await?.ok().with_context(missing)
}

/// Opens the organization with this slug.
pub(super) async fn open(
    context: &Context,
    slug: &str,
) -> anyhow::Result<(OrgScope, Organization)> {
    let missing = || format!("no organization has the slug {slug}");
    let parsed = Slug::parse(slug).ok().with_context(missing)?;
    let opened = context
        .store
        .open_org_as_operator(&OrgRef::Slug(parsed))
        .await?;
    opened.with_context(missing)
}

impl Shown {
    fn of(organization: Organization) -> Self {
        Self {
            id: organization.id.to_string(),
            slug: organization.slug.to_string(),
            name: organization.name,
            plan: organization.plan.as_str(),
            is_personal: organization.is_personal,
        }
    }
}
