//! The accept loop: bounded connections, timeouts that really work, and a graceful stop.
//!
//! `axum::serve` gives hyper no timer, so its header timeout never fires and an idle or stalled peer
//! holds a connection for ever. Here every state of a connection has its limit:
//!
//! - waiting for a request: [`Config::idle_timeout`] (a new connection: the header timeout)
//! - between the first byte and the end of the header: [`Config::header_timeout`]
//! - within the body: [`Config::body_bytes_per_sec_min`] over every [`Config::body_window`]
//! - within a body that nobody reads any more: [`Config::linger_timeout`] and
//!   [`Config::linger_bytes_max`]
//! - writing to a peer that does not read: [`Config::write_timeout`]
//!
//! # Layout
//! - `connection`: one connection
//! - `socket`: the socket with its timeouts
//! - `body`: bodies that know when they are too slow, and when they have ended

mod body;
mod connection;
mod socket;
#[cfg(test)]
mod tests;

pub use body::BodyError;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Request, Response};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::Service;

/// Open connections that the kernel keeps for us until we accept them.
const ACCEPT_BACKLOG: u32 = 1_024;
/// Pause after a failed accept, such as one for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The limits of connections. The defaults are those of `ARCHITECTURE.md`.
#[derive(Debug, Clone)]
pub struct Config {
    /// Connections open at once; more wait in the kernel's queue.
    pub connections_max: usize,
    /// From a request's first byte (or from connecting) to the end of its header.
    pub header_timeout: Duration,
    /// From the end of an answer to the first byte of the next request.
    pub idle_timeout: Duration,
    /// A body must bring `body_bytes_per_sec_min` over every window of this length.
    pub body_window: Duration,
    /// Slowest body that is waited for.
    pub body_bytes_per_sec_min: u32,
    /// Bytes of a body that nobody wants which are read all the same, so that the peer gets to
    /// reading its answer: more than any SDK sends at once.
    pub linger_bytes_max: u64,
    /// How long they may take.
    pub linger_timeout: Duration,
    /// How long a peer may read nothing of what we have to say.
    pub write_timeout: Duration,
    /// Bytes in a request's header.
    pub header_bytes_max: usize,
    /// How long a stop waits for requests in flight.
    pub stop_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            header_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_mins(1),
            body_window: Duration::from_secs(10),
            body_bytes_per_sec_min: 1_024,
            linger_bytes_max: 256 << 20,
            linger_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(30),
            header_bytes_max: 32 * 1024,
            stop_timeout: Duration::from_secs(8),
        }
    }
}

/// The other end of the connection, as the kernel knows it; an extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A bound address, not yet served.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    config: Arc<Config>,
}

impl Listener {
    /// Takes the address; port 0 takes a free one.
    pub fn bind(address: SocketAddr, config: Config) -> std::io::Result<Self> {
        let socket = match address {
            SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4()?,
            SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6()?,
        };
        // A restart must not wait for the kernel to forget the old connections.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(Self {
            socket: socket.listen(ACCEPT_BACKLOG)?,
            config: Arc::new(config),
        })
    }

    /// The address taken.
    pub fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Serves until `stop` resolves, then finishes the requests in flight, for at most
    /// [`Config::stop_timeout`]. Answers how many connections were cut off after that.
    pub async fn serve<S>(self, service: S, stop: impl Future<Output = ()>) -> usize
    where
        S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>
            + Clone
            + Send
            + 'static,
        S::Future: Send + 'static,
    {
        let graceful = GracefulShutdown::new();
        let connections = Arc::new(Semaphore::new(self.config.connections_max));
        let mut stop = std::pin::pin!(stop);
        let mut running = tokio::task::JoinSet::new();
        loop {
            let (stream, peer, permit) = tokio::select! {
                biased;
                () = &mut stop => break,
                accepted = self.accept(&connections) => accepted,
            };
            while running.try_join_next().is_some() {}
            let connection = connection::serve(stream, peer, service.clone(), &self.config);
            let connection = graceful.watch(connection);
            running.spawn(async move {
                if let Err(error) = connection.await {
                    tracing::debug!(%peer, %error, "connection ended");
                }
                drop(permit);
            });
        }
        drop(self.socket);
        let _ = tokio::time::timeout(self.config.stop_timeout, graceful.shutdown()).await;
        let cut_off = running.len() - std::iter::from_fn(|| running.try_join_next()).count();
        running.shutdown().await;
        cut_off
    }

    async fn accept(
        &self,
        connections: &Arc<Semaphore>,
    ) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
        let permit = Arc::clone(connections).acquire_owned().await;
        let permit = permit.expect("the semaphore is never closed");
        loop {
            match self.socket.accept().await {
                Ok((stream, peer)) => return (stream, peer, permit),
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}
