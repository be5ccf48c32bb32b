//! A network between the store and its server, which may break at the worst moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// How long a commit is on its way when it is late.
pub(super) const LATE: Duration = Duration::from_millis(700);

/// What happens to the next commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Next {
    /// It goes through, and so does its answer.
    Passes = 0,
    /// The connection breaks before it arrives.
    IsLost = 1,
    /// It arrives, and the connection breaks before the answer.
    IsUnanswered = 2,
    /// The connection breaks, and it arrives later.
    IsLate = 3,
}

/// Stands between a store and its server.
pub(super) struct Proxy {
    port: u16,
    next: Arc<AtomicU8>,
    executed: Arc<AtomicUsize>,
}

impl Proxy {
    /// A proxy for the server at an address such as `postgres://user:password@host:port/name`.
    pub(super) async fn start(url: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = address_of(url).to_owned();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            next: Arc::default(),
            executed: Arc::default(),
        };
        let (next, executed) = (Arc::clone(&proxy.next), Arc::clone(&proxy.executed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.unwrap();
                let (next, executed) = (Arc::clone(&next), Arc::clone(&executed));
                tokio::spawn(pass_on(client, server, next, executed));
            }
        });
        proxy
    }

    /// The address by which the server is reached through it.
    pub(super) fn url(&self, url: &str) -> String {
        url.replace(address_of(url), &format!("127.0.0.1:{}", self.port))
    }

    /// Decides about the next commit.
    pub(super) fn set_next(&self, next: Next) {
        self.next.store(next as u8, Ordering::SeqCst);
    }

    /// How many statements have been executed since this was asked last.
    pub(super) fn executed(&self) -> usize {
        self.executed.swap(0, Ordering::SeqCst)
    }
}

/// The host and port within an address.
fn address_of(url: &str) -> &str {
    let (_, rest) = url.rsplit_once('@').unwrap();
    rest.split_once('/').unwrap().0
}

async fn pass_on(
    client: TcpStream,
    server: TcpStream,
    next: Arc<AtomicU8>,
    executed: Arc<AtomicUsize>,
) {
    for socket in [&client, &server] {
        socket.set_nodelay(true).unwrap();
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answers = tokio::spawn(async move {
        let _ = tokio::io::copy(&mut from_server, &mut to_client).await;
    });
    // What is sent before the first message with a letter: wishes for encryption, and the start.
    let mut has_started = false;
    loop {
        let Some(message) = read_message(&mut from_client, &mut has_started).await else {
            break;
        };
        if message[0] == b'E' && has_started {
            executed.fetch_add(1, Ordering::SeqCst);
        }
        let is_commit = message == b"Q\0\0\0\x0bcommit\0";
        let what = if is_commit {
            next.swap(Next::Passes as u8, Ordering::SeqCst)
        } else {
            Next::Passes as u8
        };
        if what != Next::Passes as u8 {
            answers.abort();
            let _ = answers.await;
            drop(from_client);
            if what == Next::IsLate as u8 {
                tokio::time::sleep(LATE).await;
            }
            if what != Next::IsLost as u8 {
                to_server.write_all(&message).await.unwrap();
                // Until it is read: closing at once could discard it.
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
            return;
        }
        if to_server.write_all(&message).await.is_err() {
            break;
        }
    }
    answers.abort();
}

async fn read_message(
    client: &mut tokio::net::tcp::OwnedReadHalf,
    has_started: &mut bool,
) -> Option<Vec<u8>> {
    let mut message = Vec::new();
    if *has_started {
        message.push(client.read_u8().await.ok()?);
    }
    let length = client.read_u32().await.ok()?;
    message.extend(length.to_be_bytes());
    let head = message.len();
    message.resize(head + length as usize - 4, 0);
    client.read_exact(&mut message[head..]).await.ok()?;
    // The protocol's version, where a wish for encryption has another number.
    *has_started |= message[4..].starts_with(&[0, 3, 0, 0]) && head == 4;
    Some(message)
}
