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
use copal_journal::{Folder, Journal};
use copal_model::{Clock, Entropy, ProjectId};
use copal_pipeline::driver::{self, Pipeline};
use copal_pipeline::prepare::Steps;
use copal_server::app::{App, Settings};
use copal_server::auth::throttle::LoginLimits;
use copal_server::ingest::{self, Ingest};
use copal_server::listen::{self, Listener};
use copal_server::middleware::{self, Stack};
use copal_server::news::{News, Newsroom};
use copal_server::operate::{self, Operate};
use copal_server::{jobs, routes};
use copal_store::Store;
use copal_store::record::{Recorded, Recorder as _};
use copal_store::sqlite::{Options, SqliteStore};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::ambient::{SystemClock, SystemEntropy};
use crate::config::Config;
use crate::data;

/// Exit code when a write or fsync failed (interface of the program).
const STORAGE_FAILED: u8 = 3;
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
    let metrics = PrometheusBuilder::new()
        .install_recorder()
        .context("cannot install the metrics recorder")?;
    let store = data::open(&config.data, Options::default())?;
    let journal = open_journal(config, &store).await?;
    let engine = Arc::new(store);
    let store: Arc<dyn Store> = Arc::clone(&engine) as Arc<dyn Store>;
    let listener = Listener::bind(config.listen, listen::Config::default())
        .with_context(|| format!("cannot listen on {}", config.listen))?;
    let address = listener.local_addr().context("cannot tell the address")?;

    let app = app(config, address, Arc::clone(&store));
    let ingest = Arc::new(Ingest::new(
        Arc::clone(&store),
        journal.clone(),
        Arc::clone(&app.clock),
        Arc::clone(&app.entropy),
        ingest::Config::default(),
    ));
    store
        .set_server_address(Some(&app.settings.base_url))
        .await?;
    let (stop, stopping) = watch::channel(false);
    let recording = tokio::spawn(record(
        engine,
        journal.clone(),
        app.clone(),
        stopping.clone(),
    ));
    let jobs = jobs::start(&app, &ingest);
    let stack = stack(&app, &ingest, &journal, metrics);
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
    let failure = tokio::select! {
        ended = end => { ended?; None }
        () = journal.failed() => Some("the journal cannot be written".to_owned()),
        ended = &mut recording => Some(match ended {
            Ok(Ok(())) => "the pipeline ended".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }),
    };
    if let Some(why) = failure {
        #[expect(
            clippy::print_stderr,
            reason = "the one clear sentence, whatever the log filter"
        )]
        {
            eprintln!("copal: storage failed, nothing was acknowledged after it: {why}");
        }
        // Not a return: waiting for anything could hold back the end.
        std::process::exit(i32::from(STORAGE_FAILED));
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

async fn open_journal(config: &Config, store: &SqliteStore) -> anyhow::Result<Journal> {
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

fn app(config: &Config, address: SocketAddr, store: Arc<dyn Store>) -> App {
    let settings = Settings {
        base_url: config
            .base_url
            .clone()
            .unwrap_or_else(|| format!("http://{address}")),
        signup: config.signup,
        default_plan: config.default_plan,
        login_limits: LoginLimits::default(),
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
    App::new(store, clock, entropy, settings)
}

fn stack(app: &App, ingest: &Arc<Ingest>, journal: &Journal, metrics: PrometheusHandle) -> Stack {
    let operate = Arc::new(Operate {
        store: Arc::clone(&app.store),
        journal: journal.clone(),
        metrics,
    });
    let mut table = routes::table();
    table.extend(ingest::routes(ingest));
    table.extend(operate::routes(&operate));
    let config = middleware::Config {
        base_url: app.settings.base_url.clone(),
        trusted_proxies: Vec::new(),
        clock: Arc::clone(&app.clock),
        entropy: Arc::clone(&app.entropy),
    };
    Stack::new(routes::router(table, app.clone()), config)
}

/// Runs the pipeline, and tells pages what it records.
async fn record(
    engine: Arc<SqliteStore>,
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
        store: engine,
        clock: Arc::clone(&app.clock),
        steps: Arc::new(Steps),
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

/// Says that requests are answered now, to people and to scripts.
fn announce(address: SocketAddr) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "copal listening on http://{address}").context("cannot write to stdout")?;
    out.flush().context("cannot write to stdout")
}

/// Lines for people on a terminal, JSON for programs elsewhere.
fn log_to_stderr(filter: &str) -> anyhow::Result<()> {
    let filter = tracing_subscriber::EnvFilter::try_new(filter)
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
