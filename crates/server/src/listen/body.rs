//! Bodies on their way: one that fails when it comes too slowly, one that says when it has gone.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::body::{Body, Bytes};
use hyper::body::{Frame, Incoming, SizeHint};
use tokio::time::Instant;

use super::Config;
use super::socket::{Alarm, InRequest};

/// Why the body of a request broke off.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It came in more slowly than [`Config::body_bytes_per_sec_min`].
    #[error("the body came in too slowly")]
    TooSlow,
    /// The connection or its framing broke.
    #[error("the body broke off")]
    Broken(#[from] hyper::Error),
}

/// The body of a request. Every window of time must bring its share of bytes.
pub(super) struct PacedBody {
    body: Incoming,
    config: Arc<Config>,
    /// End of the window under way; none while the peer does not keep us waiting.
    window_end: Option<Instant>,
    window_bytes: u64,
    alarm: Alarm,
}

impl PacedBody {
    pub(super) fn new(body: Incoming, config: &Arc<Config>) -> Self {
        Self {
            body,
            config: Arc::clone(config),
            window_end: None,
            window_bytes: 0,
            alarm: Alarm::default(),
        }
    }

    /// Ready once a window has passed that brought too little.
    fn poll_too_slow(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let window = self.config.body_window;
        loop {
            let end = *self
                .window_end
                .get_or_insert_with(|| Instant::now() + window);
            ready!(self.alarm.poll(end, cx));
            let share = u128::from(self.config.body_bytes_per_sec_min) * window.as_millis();
            if u128::from(self.window_bytes) * 1_000 < share {
                return Poll::Ready(());
            }
            self.window_bytes = 0;
            self.window_end = None;
        }
    }
}

impl hyper::body::Body for PacedBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.body).poll_frame(cx) {
            Poll::Ready(Some(Ok(frame))) => {
                this.window_bytes += frame.data_ref().map_or(0, |data| data.len() as u64);
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(end) => Poll::Ready(end.map(|frame| frame.map_err(BodyError::Broken))),
            Poll::Pending => {
                ready!(this.poll_too_slow(cx));
                Poll::Ready(Some(Err(BodyError::TooSlow)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

/// The body of an answer. When it is dropped, hyper has taken over its last byte.
pub(super) struct AnswerBody {
    body: Body,
    in_request: InRequest,
}

impl AnswerBody {
    pub(super) const fn new(body: Body, in_request: InRequest) -> Self {
        Self { body, in_request }
    }
}

impl Drop for AnswerBody {
    fn drop(&mut self) {
        self.in_request.end();
    }
}

impl hyper::body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
