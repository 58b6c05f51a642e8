//! Response bodies, including ones that break off or misstate their length.

use std::{
    future::Future as _,
    io::{self, Write as _},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

/// A body: bytes, followed by a proper end or a broken connection.
#[derive(Debug)]
pub(crate) struct Payload {
    data: Option<Bytes>,
    /// `Content-Length`; `None` sends chunks.
    announced: Option<u64>,
    drip: Option<Drip>,
    end: End,
}

/// Pacing of a body that is sent in pieces.
#[derive(Debug)]
struct Drip {
    bytes: usize,
    pause: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
}

#[derive(Debug, PartialEq)]
enum End {
    Proper,
    /// The buffers are flushed before the connection breaks; otherwise the client would receive nothing.
    BreakAfterFlush,
    Break,
}

impl Payload {
    pub fn whole(data: Bytes) -> Self {
        let announced = u64::try_from(data.len()).ok();
        Self { data: Some(data).filter(|data| !data.is_empty()), announced, drip: None, end: End::Proper }
    }

    /// A chunked body that breaks off.
    pub fn truncated(data: Bytes) -> Self {
        Self { data: Some(data), announced: None, drip: None, end: End::BreakAfterFlush }
    }

    /// A body sent in pieces of `bytes`, `pause` apart.
    pub fn dripping(data: Bytes, bytes: usize, pause: Duration) -> Self {
        let drip = Drip { bytes: bytes.max(1), pause, waiting: None };
        Self { drip: Some(drip), ..Self::whole(data) }
    }

    /// A body announced `excess` bytes longer than it is.
    pub fn too_short(data: Bytes, excess: u64) -> Self {
        let length = u64::try_from(data.len()).unwrap_or(0);
        Self { data: Some(data), announced: Some(length.saturating_add(excess)), drip: None, end: End::BreakAfterFlush }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(drip) = &mut self.drip {
            if let Some(waiting) = &mut drip.waiting {
                ready!(waiting.as_mut().poll(context));
            }
            drip.waiting = Some(Box::pin(sleep(drip.pause)));
            let bytes = drip.bytes;
            if let Some(data) = self.data.as_mut().filter(|data| data.len() > bytes) {
                return Poll::Ready(Some(Ok(Frame::data(data.split_to(bytes)))));
            }
        }
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        match self.end {
            End::Proper => Poll::Ready(None),
            End::BreakAfterFlush => {
                self.end = End::Break;
                context.waker().wake_by_ref();
                Poll::Pending
            }
            End::Break => Poll::Ready(Some(Err(io::Error::other("a fault cut the response off")))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.end == End::Proper
    }

    fn size_hint(&self) -> SizeHint {
        self.announced.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

/// A gzip stream that unpacks to `mebibytes` of spaces.
pub(crate) fn gzip_bomb(mebibytes: u32) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let blanks = vec![b' '; 1 << 20];
    for _ in 0..mebibytes {
        // Writing to memory does not fail.
        if encoder.write_all(&blanks).is_err() {
            break;
        }
    }
    encoder.finish().unwrap_or_default().into()
}
