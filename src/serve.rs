//! `copal serve`: opens what there is, starts what runs, and stops it in the right order.
//!
//! Start: store, journal (recovered), pipeline, jobs, listener. Stop: the listener finishes its
//! requests, the journal syncs, the pipeline records what it has in hand; what is left in the
//! journal is recorded at the next start. When a disk fails nothing is acknowledged any more and
//! the process ends with exit code 3.

use std::io::{IsTerminal as _, Write as _};
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use copal_journal::fs::RealFs;
use copal_journal::{AppendError, Folder, Journal};
use copal_model::{Entropy as _, ProjectId};
use copal_pipeline::driver::{self, Pipeline, ToStore};
use copal_pipeline::prepare::Steps;
use copal_server::app::{App, Parts, Settings};
use copal_server::auth::throttle::LoginLimits;
use copal_server::listen::{self, Listener};
use copal_server::middleware::{self, Stack};
use copal_server::news::{News, Newsroom};
use copal_server::{jobs, operate, routes};
use copal_store::record::Recorded;
use copal_store::{Options, Store};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::{data, failure};

/// Files that may have to be open at once: 10,000 connections, readers of the store, segments.
const OPEN_FILES_WANTED: u64 = 12_000;
/// Recorded events that wait to be told to pages; beyond, pages miss some.
const NEWS_WAITING_MAX: usize = 1_024;

/// Runs everything until a signal or a failed disk ends it.
pub(crate) fn run(config: &Config) -> anyhow::Result<ExitCode> {
    run_beside(config, |_, _| std::future::pending())
}

/// The same, beside `companion`, which is given the app and the address once the server listens;
/// when it ends, so does the server.
pub(crate) fn run_beside<F: Future<Output = anyhow::Result<()>>>(
    config: &Config,
    companion: impl FnOnce(App, SocketAddr) -> F,
) -> anyhow::Result<ExitCode> {
    log_to_stderr(&config.log)?;
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    runtime.block_on(serve(config, companion))
}

async fn serve<F: Future<Output = anyhow::Result<()>>>(
    config: &Config,
    companion: impl FnOnce(App, SocketAddr) -> F,
) -> anyhow::Result<ExitCode> {
    let metrics = operate::metrics::install().context("cannot install the metrics recorder")?;
    let store = data::open(config, Options::default()).await?;
    data::require_durability(&*store, config.risk).await?;
    let journal = open_journal(config, &*store).await?;
    let listener = Listener::bind(config.listen, listen::Config::default())
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr().context("cannot tell the address")?;

    let app = App::new(Parts {
        store: Arc::clone(&store),
        journal: journal.clone(),
        metrics,
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        settings: settings(config, address),
    });
    store
        .set_server_address(Some(&app.settings.base_url))
        .await?;
    let (stop, stopping) = watch::channel(false);
    let recording = tokio::spawn(record(journal.clone(), app.clone(), stopping.clone()));
    let jobs = jobs::start(&app);
    let stack = stack(&app, config);
    let listening = tokio::spawn(listener.serve(stack, stopped(stopping)));
    announce(address)?;

    let end = async {
        tokio::select! {
            signal = end_signal() => signal,
            ended = companion(app.clone(), address) => ended,
        }
    };
    let ending = wait_for_end(&journal, recording, stop, &app, (listening, end)).await;
    drop(jobs);
    store.set_server_address(None).await.ok();
    ending
}

/// Waits for a signal or a failure, then stops everything in order.
async fn wait_for_end(
    journal: &Journal,
    mut recording: tokio::task::JoinHandle<Result<(), driver::Error>>,
    stop: watch::Sender<bool>,
    app: &App,
    (listening, end): (
        tokio::task::JoinHandle<usize>,
        impl Future<Output = anyhow::Result<()>>,
    ),
) -> anyhow::Result<ExitCode> {
    tokio::select! {
        ended = end => ended?,
        () = journal.failed() => {
            let failed = anyhow::Error::new(AppendError::Failed);
            give_up(failed.context("the journal cannot be written"))
        }
        ended = &mut recording => give_up(pipeline_ended(ended)),
    }
    tracing::info!("stopping");
    app.news.close();
    stop.send_replace(true);
    let cut_off = listening.await.context("the listener panicked")?;
    if cut_off > 0 {
        tracing::warn!(cut_off, "connections were cut off");
    }
    journal.close().await;
    recording.await.context("the pipeline panicked")??;
    Ok(ExitCode::SUCCESS)
}

/// Why the pipeline ended although nobody told it to.
fn pipeline_ended(
    ended: Result<Result<(), driver::Error>, tokio::task::JoinError>,
) -> anyhow::Error {
    match ended {
        Ok(Ok(())) => anyhow::anyhow!("the pipeline ended by itself"),
        Ok(Err(error)) => error.into(),
        Err(panic) => anyhow::Error::new(panic).context("the pipeline panicked"),
    }
}

/// Ends the process at once: waiting for anything could hold back the end. Nothing is lost by it
/// that was acknowledged.
fn give_up(why: anyhow::Error) -> ! {
    let why = if failure::is_storage(&why) {
        why.context("storage failed, nothing was acknowledged after it")
    } else {
        why
    };
    std::process::exit(i32::from(failure::tell(&why)));
}

async fn open_journal(config: &Config, store: &dyn Store) -> anyhow::Result<Journal> {
    let path = config.data.join("journal");
    let random = &mut |bytes: &mut [u8]| SystemEntropy.fill(bytes);
    let folder = Folder::claim(&path, Arc::new(RealFs), random)
        .with_context(|| format!("cannot use the journal in {}", path.display()))?;
    let id = Uuid::from_bytes(folder.id());
    let position = store.journal_position(id).await?.unwrap_or(0);
    let (journal, recovery) = folder
        .open(copal_journal::Config::default(), position)
        .with_context(|| format!("cannot recover the journal in {}", path.display()))?;
    tracing::info!(?recovery, "journal recovered");
    Ok(journal)
}

fn settings(config: &Config, address: SocketAddr) -> Settings {
    let listening = || format!("http://{address}");
    Settings {
        base_url: config.base_url.clone().unwrap_or_else(listening),
        signup: config.signup,
        default_plan: config.default_plan,
        plans: config.plans,
        billing_url: config.billing_url.clone(),
        login_limits: LoginLimits::default(),
        operator_token: config.operator_token.clone(),
    }
}

fn stack(app: &App, config: &Config) -> Stack {
    let middleware = middleware::Config {
        base_url: app.settings.base_url.clone(),
        trusted_proxies: config.trusted_proxies.clone(),
        clock: Arc::clone(&app.clock),
        entropy: Arc::clone(&app.entropy),
    };
    Stack::new(routes::router(routes::table(), app.clone()), middleware)
}

/// Runs the pipeline, and tells pages what it records.
async fn record(
    journal: Journal,
    app: App,
    stop: watch::Receiver<bool>,
) -> Result<(), driver::Error> {
    let (sender, waiting) = mpsc::channel(NEWS_WAITING_MAX);
    tokio::spawn(tell_news(waiting, Arc::clone(&app.store), app.news.clone()));
    let news = app.news.clone();
    let on_recorded = move |recorded: &Recorded| {
        if news.listeners() == 0 {
            return;
        }
        for event in &recorded.events {
            if let Some(issue) = event.issue {
                // When full, pages miss some; they ask the store.
                let _ = sender.try_send((issue, event.clone()));
            }
        }
    };
    let pipeline = Pipeline {
        journal,
        store: Arc::new(ToStore(Arc::clone(&app.store))),
        clock: Arc::clone(&app.clock),
        steps: Arc::<Steps>::default(),
    };
    driver::run(pipeline, stop, on_recorded).await
}

/// Adds whose the news is: only that organization may hear it.
async fn tell_news(
    mut waiting: mpsc::Receiver<(copal_model::IssueId, copal_store::record::RecordedEvent)>,
    store: Arc<dyn Store>,
    newsroom: Newsroom,
) {
    let mut last: Option<(ProjectId, copal_model::OrgId)> = None;
    while let Some((issue, event)) = waiting.recv().await {
        let org = match last {
            Some((project, org)) if project == event.project => org,
            _ => match store.open_recording(event.project).await {
                Ok(Some(access)) => access.scope.org(),
                Ok(None) | Err(_) => continue,
            },
        };
        // Projects may move: what is remembered lives as long as news come without a pause.
        last = (!waiting.is_empty()).then_some((event.project, org));
        newsroom.tell(News {
            org,
            project: event.project,
            issue,
            event: event.event_id,
            disposition: event.disposition,
        });
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error says that the sender is gone, which is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}

async fn end_signal() -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot listen for SIGINT")?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// Each connection takes an open file; the soft limit of most systems is 1,024.
fn raise_open_files() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        ..limit
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit of open files");
    }
    // No limit at all is enough.
    if limit.maximum.is_some_and(|files| files < OPEN_FILES_WANTED) {
        tracing::warn!(
            limit.maximum,
            wanted = OPEN_FILES_WANTED,
            "the hard limit of open files is low: some connections will have to wait"
        );
    }
}

/// Says that requests are answered now, to people and to scripts.
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "copal listening on http://{address}").context("cannot write to stdout")?;
    out.flush().context("cannot write to stdout")
}

/// Lines for people on a terminal, JSON for programs elsewhere.
fn log_to_stderr(filter: &str) -> anyhow::Result<()> {
    // A lost connection is told by whoever needed it, once, and not for each in the pool.
    let quieter = format!("deadpool=error,{filter}");
    let filter = tracing_subscriber::EnvFilter::try_new(quieter)
        .with_context(|| format!("`log` must be a log filter such as info, not {filter}"))?;
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    let installed = if std::io::stderr().is_terminal() {
        builder.try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
    installed.map_err(|error| anyhow::anyhow!("cannot start the log: {error}"))
}
