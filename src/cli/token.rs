//! `copal token`: personal API tokens, shown once.

use anyhow::Context as _;
use clap::Subcommand;
use copal_model::limits::TOKEN_NAME_CHARS_MAX;
use copal_model::policy;
use copal_model::{Clock as _, Email, TokenId, name};
use copal_server::auth::secret::Secret;
use copal_server::fresh;
use copal_store::tokens::Token;
use serde::Serialize;

use super::out::Format;
use super::{Context, email};
use crate::ambient::{SystemClock, SystemEntropy};

/// What can be done with tokens.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Create a token
    Create {
        /// Address of the user it speaks for
        #[arg(long, value_parser = email)]
        user: Email,
        /// What it is for
        #[arg(long)]
        name: String,
        /// Narrow it to these scopes, such as event:read,org:read
        #[arg(long, value_delimiter = ',', value_parser = scope)]
        scopes: Option<Vec<String>>,
        #[command(flatten)]
        format: Format,
    },
}

#[derive(Serialize)]
struct Created {
    id: String,
    token: String,
}

/// Runs the command.
pub(super) async fn run(context: &Context, command: Command) -> anyhow::Result<()> {
    let Command::Create {
        user,
        name,
        scopes,
        format,
    } = command;
    let secret = Secret::new_token(&SystemEntropy);
    let token = Token {
        id: TokenId::new(fresh::uuid_v7(&SystemClock, &SystemEntropy)),
        user: context.user(&user).await?.id,
        name: name::parse(&name, TOKEN_NAME_CHARS_MAX).context("`--name` cannot be used")?,
        prefix: secret.token_shown(),
        scopes,
        created_at: SystemClock.now(),
        last_used_at: None,
        expires_at: None,
    };
    let created = Created {
        id: token.id.to_string(),
        token: secret.expose().to_owned(),
    };
    let stored = context.store.create_token(token, secret.hash()).await;
    stored.context("cannot create the token")?;
    let text = format!("Token, shown only now: {}", created.token);
    format.print(&created, &text)
}

fn scope(text: &str) -> Result<String, String> {
    let known = policy::scopes();
    if known.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!("known scopes are {}", known.join(", ")))
    }
}
