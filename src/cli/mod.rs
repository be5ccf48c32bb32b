//! The commands: what they are called, and how they end.
//!
//! # Layout
//! - [`user`], [`org`], [`project`], [`token`]: what is made at the command line
//! - [`check`], [`fsck`], [`migrate`]: the data folder itself
//! - [`out`]: what commands print

mod check;
mod fsck;
mod migrate;
mod org;
mod out;
mod project;
mod token;
mod user;

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use copal_model::Email;
use copal_store::{Options, Store};

use crate::config::{Config, Flags};
use crate::{data, demo, failure, serve};

/// A small, self-hosted, multi-tenant error tracker for the Sentry SDKs.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    flags: Flags,
    /// Address to serve on; port 0 picks a free one [default: 127.0.0.1:8000]
    #[arg(long, global = true, value_name = "ADDR")]
    listen: Option<String>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run everything (the default)
    Serve,
    /// Run everything on a throw-away folder, with recorded events of real SDKs
    ///
    /// With --database-url the rows go to that database, which must be empty, and stay there.
    Demo(demo::Arguments),
    /// Users
    #[command(subcommand)]
    User(user::Command),
    /// Organizations
    #[command(subcommand)]
    Org(org::Command),
    /// Projects
    #[command(subcommand)]
    Project(project::Command),
    /// Personal API tokens
    #[command(subcommand)]
    Token(token::Command),
    /// Check settings, data folder, database and their guarantees
    Check,
    /// Verify the invariants, reading only
    Fsck,
    /// Bring the schema up to date (`serve` does it too)
    Migrate,
}

/// Settings and store, opened for one command.
struct Context {
    config: Config,
    store: Arc<dyn Store>,
}

/// Runs the command that the arguments name.
pub(crate) fn run() -> ExitCode {
    // Clap answers wrong usage itself, with exit code 2.
    let arguments = Arguments::parse();
    match execute(arguments) {
        Ok(code) => code,
        Err(error) => ExitCode::from(failure::tell(&error)),
    }
}

fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let listen = arguments.listen.as_deref();
    let config = || Config::load(&arguments.flags, listen, |name| std::env::var(name).ok());
    let command = match arguments.command {
        None | Some(Command::Serve) => return serve::run(&config()?),
        Some(Command::Demo(demo)) => return demo::run(config()?, &demo),
        Some(command) => command,
    };
    let config = Config::load(&arguments.flags, None, |name| std::env::var(name).ok())?;
    if matches!(command, Command::Fsck) {
        data::ensure_some(&config)?;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(async {
        let context = Context::open(config).await?;
        match command {
            Command::Serve | Command::Demo(_) => Ok(()),
            Command::User(command) => user::run(&context, command).await,
            Command::Org(command) => org::run(&context, command).await,
            Command::Project(command) => project::run(&context, command).await,
            Command::Token(command) => token::run(&context, command).await,
            Command::Check => check::run(&context).await,
            Command::Fsck => fsck::run(&context).await,
            Command::Migrate => migrate::run(&context),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Context {
    async fn open(config: Config) -> anyhow::Result<Self> {
        let store = data::open(&config, Options::for_command()).await?;
        Ok(Self { config, store })
    }

    /// The address in DSNs and links: the one users see, else that of a server that runs on the
    /// same data, else the one a server would listen on.
    async fn base_url(&self) -> anyhow::Result<String> {
        if let Some(set) = &self.config.base_url {
            return Ok(set.clone());
        }
        let running = self.store.server_address().await?;
        Ok(running.unwrap_or_else(|| format!("http://{}", self.config.listen)))
    }

    /// The user with this address.
    async fn user(&self, email: &Email) -> anyhow::Result<copal_model::User> {
        let found = self.store.find_login(email).await?;
        let found = found.with_context(|| format!("no account has the address {email}"))?;
        Ok(found.user)
    }
}

/// Reads an address in an argument.
fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|why| why.to_string())
}
