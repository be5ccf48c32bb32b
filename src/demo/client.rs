//! Sends envelopes to the server over HTTP, as an SDK would.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Request, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// One connection, kept alive.
pub(super) struct Client {
    sender: SendRequest<Full<Bytes>>,
    host: String,
}

impl Client {
    /// Connects.
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .context("connecting to the own server")?;
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Self {
            sender,
            host: address.to_string(),
        })
    }

    /// Sends one envelope; it is on disk when this answers.
    pub(super) async fn send(&mut self, path: &str, envelope: String) -> Result<()> {
        let request = Request::post(path)
            .header(header::HOST, &self.host)
            .body(Full::new(Bytes::from(envelope)))?;
        self.sender
            .ready()
            .await
            .context("the own server hung up")?;
        let answer = self
            .sender
            .send_request(request)
            .await
            .context("sending an event")?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(
            status.is_success(),
            "an event was answered {status}: {}",
            String::from_utf8_lossy(&body)
        );
        Ok(())
    }
}
