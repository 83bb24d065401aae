//! The body of an answer: one piece of bytes, which may be sent without telling how long it is, so that the head can lie
//! about that. Knows nothing of what it says.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use hyper::Response;
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::CONTENT_LENGTH;

use crate::faults::Spoilt;

/// What is still to be sent.
#[derive(Debug)]
pub struct Said {
    bytes: Option<Bytes>,
    /// Without it the server believes the head's Content-Length, and breaks off when there is no more to send.
    measured: bool,
}

impl Said {
    /// An honest body.
    pub fn new(bytes: impl Into<Bytes>) -> Said {
        Said { bytes: Some(bytes.into()), measured: true }
    }

    /// The server says what the head says.
    pub fn unmeasured(self) -> Said {
        Said { measured: false, ..self }
    }
}

impl Body for Said {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.bytes.take().map(|bytes| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        match (&self.bytes, self.measured) {
            (Some(bytes), true) => SizeHint::with_exact(bytes.len() as u64),
            (None, true) => SizeHint::with_exact(0),
            (_, false) => SizeHint::default(),
        }
    }
}

/// The answer, spoilt.
pub fn spoil(answer: Response<Said>, way: Spoilt) -> Response<Said> {
    let (mut head, said) = answer.into_parts();
    let whole = said.bytes.unwrap_or_default();
    let body = Said::new(way.spoil(&String::from_utf8_lossy(&whole)));
    if way != Spoilt::CutOff {
        return Response::from_parts(head, body);
    }
    head.headers.insert(CONTENT_LENGTH, whole.len().into());
    Response::from_parts(head, body.unmeasured())
}
