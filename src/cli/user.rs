//! `copal user`: people, made as signing up makes them.

use std::io::Read as _;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use copal_model::limits::{PASSWORD_CHARS_MAX, USER_NAME_CHARS_MAX};
use copal_model::{Clock as _, Email, OrgId, UserId, name};
use copal_server::auth::password;
use copal_server::auth::secret::Secret;
use copal_server::fresh;
use copal_store::Error;
use copal_store::users::NewUser;
use serde::Serialize;

use super::out::Format;
use super::{Context, email};
use crate::ambient::{SystemClock, SystemEntropy};

/// Bytes read from stdin for a password: no allowed one is longer, whatever its characters.
const PASSWORD_BYTES_MAX: u64 = 4 * PASSWORD_CHARS_MAX as u64 + 2;

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a user and the personal organization, as signing up does
    Create {
        /// Address to log in with
        #[arg(long, value_parser = email)]
        email: Email,
        /// Name of the person
        #[arg(long)]
        name: String,
        /// Read the password from stdin; without it one is made and shown once
        #[arg(long)]
        password_stdin: bool,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    id: String,
    email: String,
    name: String,
    default_org_id: String,
    default_org_slug: String,
    /// The password, when it was made here.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

/// Runs the command.
pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let Command::Create {
        email,
        name,
        password_stdin,
        format,
    } = command;
    let (password, made_here) = if password_stdin {
        (read_password()?, None)
    } else {
        let made = Secret::new(&SystemEntropy).expose().to_owned();
        (made.clone(), Some(made))
    };
    if let Err(why) = password::check_new(&password, &email) {
        bail!("{why}");
    }
    let uuid = || fresh::uuid_v7(&SystemClock, &SystemEntropy);
    let new = NewUser {
        id: UserId::new(uuid()),
        name: name::parse(&name, USER_NAME_CHARS_MAX).context("`--name` cannot be used")?,
        password_hash: password::hash_here(&password, &SystemEntropy),
        org_id: OrgId::new(uuid()),
        plan: context.config.default_plan,
        is_verified: true,
        now: SystemClock.now(),
        email,
    };
    let address = new.email.clone();
    let made = match context.store.sign_up(new).await {
        Err(Error::Conflict { what: "email" }) => {
            bail!("an account with the address {address} exists already")
        }
        other => other.context("cannot create the user")?,
    };
    let created = Created {
        id: made.user.id.to_string(),
        email: address.to_string(),
        name: made.user.name,
        default_org_id: made.organization.id.to_string(),
        default_org_slug: made.organization.slug.to_string(),
        password: made_here,
    };
    let mut text = format!(
        "Created {} <{}> with the organization {}.",
        created.name, created.email, created.default_org_slug
    );
    if let Some(password) = &created.password {
        text = format!("{text}\nPassword, shown only now: {password}");
    }
    format.print(&created, &text)
}

fn read_password() -> anyhow::Result<String> {
    let mut text = String::new();
    std::io::stdin()
        .take(PASSWORD_BYTES_MAX)
        .read_to_string(&mut text)
        .context("cannot read the password from stdin")?;
    Ok(text.trim_end_matches(['\r', '\n']).to_owned())
}
