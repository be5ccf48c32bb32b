//! As much of an HTTP/1.1 client as a load generator needs, and no more: it shares the processor
//! with what it measures.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// One connection, kept alive.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The values of a header, whose name is given in lower case.
    pub(crate) fn headers<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        headers(&self.head, name)
    }
}

fn headers<'a>(head: &'a str, name: &'a str) -> impl Iterator<Item = &'a str> {
    head.lines().filter_map(move |line| {
        let (key, value) = line.split_once(':')?;
        key.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

impl Connection {
    pub(crate) async fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address)
            .await
            .with_context(|| format!("connecting to {address}"))?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            buffer: Vec::with_capacity(16 * 1024),
        })
    }

    /// Sends a request that is written out already, and reads the answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.stream.write_all(request).await?;
        tokio::time::timeout(Duration::from_secs(30), self.read_answer())
            .await
            .context("no answer in 30 s")?
    }

    /// Asks for a path, with an API token or a cookie in `headers`.
    pub(crate) async fn get(&mut self, path: &str, headers: &str) -> Result<Answer> {
        self.exchange(format!("GET {path} HTTP/1.1\r\nhost: copal\r\n{headers}\r\n").as_bytes())
            .await
    }

    async fn read_answer(&mut self) -> Result<Answer> {
        self.buffer.clear();
        let head_end = loop {
            if let Some(at) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break at + 4;
            }
            self.fill().await?;
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head
            .get(9..12)
            .and_then(|code| code.parse().ok())
            .context("no status line")?;
        ensure!(
            headers(&head, "transfer-encoding").next().is_none(),
            "a chunked answer: {head}"
        );
        let length = match headers(&head, "content-length").next() {
            Some(length) => length.parse::<usize>()?,
            None => 0,
        };
        while self.buffer.len() < head_end + length {
            self.fill().await?;
        }
        Ok(Answer {
            status,
            head,
            body: self.buffer[head_end..head_end + length].to_vec(),
        })
    }

    async fn fill(&mut self) -> Result<()> {
        if self.stream.read_buf(&mut self.buffer).await? == 0 {
            bail!("the server closed the connection");
        }
        Ok(())
    }
}
