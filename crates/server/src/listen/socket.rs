//! A TCP stream that fails when its peer is too slow.
//!
//! Everything happens in the connection's own task: while hyper waits for a request, it polls the
//! socket, and the socket polls its timer. Timers are re-armed only when they fire too early, so a
//! busy connection touches no timer at all.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::Config;

/// Whether a request is being handled; shared by the socket and the service.
///
/// Counts beginnings and ends together: odd while a request is under way, and a request that comes
/// and goes between two looks is still noticed.
#[derive(Debug, Clone, Default)]
pub(super) struct InRequest(Arc<AtomicU32>);

/// A request under way, until the last of its holders is dropped.
#[derive(Debug, Clone)]
pub(super) struct UnderWay(#[expect(dead_code, reason = "held for its end")] Arc<End>);

#[derive(Debug)]
struct End {
    in_request: InRequest,
    number: u32,
}

impl InRequest {
    /// A request's header has been read.
    pub(super) fn begin(&self) -> UnderWay {
        let next = |count: u32| (count | 1).wrapping_add((count & 1) * 2);
        let (count, in_request) = (&self.0, self.clone());
        let before = count
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| {
                Some(next(count))
            })
            .unwrap_or_default();
        let number = next(before);
        UnderWay(Arc::new(End { in_request, number }))
    }

    fn count(&self) -> u32 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Drop for End {
    fn drop(&mut self) {
        // Fails when the next request is under way already: its end is not ours to tell.
        let (count, number) = (&self.in_request.0, self.number);
        let _ = count.compare_exchange(
            number,
            number.wrapping_add(1),
            Ordering::Relaxed,
            Ordering::Relaxed,
        );
    }
}

/// What the socket waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaiting {
    /// The first byte of a request, until then.
    Request(Instant),
    /// The end of a header, until then.
    Header(Instant),
    /// Nothing: the body keeps its own time.
    Answer,
}

/// A TCP stream that fails when its peer is too slow.
#[derive(Debug)]
pub(super) struct Socket {
    stream: TcpStream,
    in_request: InRequest,
    seen: u32,
    awaiting: Awaiting,
    read_alarm: Alarm,
    /// Set while the peer takes nothing of what we write.
    stalled_until: Option<Instant>,
    write_alarm: Alarm,
    header_timeout: Duration,
    idle_timeout: Duration,
    write_timeout: Duration,
}

impl Socket {
    /// Wraps a stream that has just been accepted: its first header is due.
    pub(super) fn new(stream: TcpStream, in_request: InRequest, config: &Config) -> Self {
        Self {
            stream,
            in_request,
            seen: 0,
            awaiting: Awaiting::Header(Instant::now() + config.header_timeout),
            read_alarm: Alarm::default(),
            stalled_until: None,
            write_alarm: Alarm::default(),
            header_timeout: config.header_timeout,
            idle_timeout: config.idle_timeout,
            write_timeout: config.write_timeout,
        }
    }

    fn note_request(&mut self) {
        let count = self.in_request.count();
        if count == self.seen {
            return;
        }
        self.seen = count;
        self.awaiting = if count % 2 == 1 {
            Awaiting::Answer
        } else {
            Awaiting::Request(Instant::now() + self.idle_timeout)
        };
    }

    /// Ends a wait for the peer to read: an error once it is over.
    fn poll_stalled(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let timeout = self.write_timeout;
        let until = *self
            .stalled_until
            .get_or_insert_with(|| Instant::now() + timeout);
        ready!(self.write_alarm.poll(until, cx));
        Poll::Ready(too_slow("the peer does not read"))
    }

    /// Turns the outcome of an attempt to write into one that a stalled peer fails.
    fn watch_write<T>(
        &mut self,
        attempt: Poll<io::Result<T>>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        match attempt {
            Poll::Ready(result) => {
                self.stalled_until = None;
                Poll::Ready(result)
            }
            Poll::Pending => self.poll_stalled(cx).map(Err),
        }
    }
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        this.note_request();
        if let Poll::Ready(result) = Pin::new(&mut this.stream).poll_read(cx, buffer) {
            if let Awaiting::Request(_) = this.awaiting {
                this.awaiting = Awaiting::Header(Instant::now() + this.header_timeout);
            }
            return Poll::Ready(result);
        }
        let (until, what) = match this.awaiting {
            Awaiting::Request(until) => (until, "no further request"),
            Awaiting::Header(until) => (until, "the header is too slow"),
            Awaiting::Answer => return Poll::Pending,
        };
        ready!(this.read_alarm.poll(until, cx));
        Poll::Ready(Err(too_slow(what)))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.watch_write(attempt, cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let attempt = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.watch_write(attempt, cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn too_slow(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, what)
}

/// A timer that is made when first needed and re-armed as rarely as possible.
#[derive(Debug, Default)]
pub(super) struct Alarm {
    sleep: Option<Pin<Box<Sleep>>>,
}

impl Alarm {
    /// Ready once `until` is over; else wakes the task then.
    pub(super) fn poll(&mut self, until: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let sleep = self
            .sleep
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if sleep.deadline() > until {
            sleep.as_mut().reset(until);
        }
        loop {
            ready!(sleep.as_mut().poll(cx));
            if sleep.deadline() >= until {
                return Poll::Ready(());
            }
            sleep.as_mut().reset(until);
        }
    }
}
