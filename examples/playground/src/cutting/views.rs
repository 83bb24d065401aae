//! What an operator sees of the objects: lists that show the past, watches that are silent or skip events. Everything it
//! shows was once true; it never makes an event up.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::stream;
use http_body_util::{BodyExt, StreamBody};
use hyper::Response;
use hyper::body::{Bytes, Frame};
use hyper::http::request::Parts;
use serde_json::Value;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::{Answer, Body, Front, ON_ITS_WAY, Side, end_to_end};

#[derive(Default)]
pub(super) struct Views {
    /// The list request that came last, to be made again on our own account.
    asked: Mutex<Option<Parts>>,
    picture: Mutex<Option<Bytes>>,
    frozen: watch::Sender<bool>,
    events: Mutex<Events>,
}

/// Which event is withheld, and how many came.
#[derive(Default)]
struct Events {
    withhold: Option<usize>,
    seen: usize,
}

pub(super) fn is_watch(parts: &Parts) -> bool {
    parts.uri.query().is_some_and(|query| query.split('&').any(|pair| pair == "watch=true"))
}

pub(super) fn is_list(parts: &Parts) -> bool {
    parts.method == "GET" && parts.uri.path().ends_with("/ackclusters")
}

impl Views {
    pub fn remember(&self, parts: &Parts) {
        *self.asked.lock().expect("a request") = Some(parts.clone());
    }

    pub fn freeze(&self, on: bool) {
        self.frozen.send_replace(on);
    }

    /// The list of the past, while it is shown.
    pub fn picture(&self) -> Option<Answer> {
        let body = self.picture.lock().expect("a picture").clone().filter(|_| *self.frozen.borrow())?;
        let json = hyper::header::HeaderValue::from_static("application/json");
        let headers = [(hyper::header::CONTENT_TYPE, json)].into_iter().collect();
        Some(Answer { status: hyper::StatusCode::OK, headers, body })
    }

    pub fn withhold(&self, event: usize) {
        *self.events.lock().expect("events") = Events { withhold: Some(event), seen: 0 };
    }

    pub fn events(&self) -> usize {
        self.events.lock().expect("events").seen
    }

    /// Counts an event; answers whether it is the one to withhold.
    fn strikes(&self) -> bool {
        let mut events = self.events.lock().expect("events");
        events.seen += 1;
        events.withhold == Some(events.seen)
    }
}

impl Front {
    pub(super) async fn take_picture(&self) {
        let asked = self.views.asked.lock().expect("a request").clone();
        let Some(parts) = asked else { return };
        if let Some(answer) = self.forward(Side::Kubernetes, &parts, Bytes::new()).await {
            *self.views.picture.lock().expect("a picture") = Some(answer.body);
        }
    }

    /// A stream of events, each of which passes through [`pump`].
    pub(super) async fn watch(self: &Arc<Front>, parts: &Parts) -> Option<Response<Body>> {
        let upstream = self.send(Side::Kubernetes, parts, Bytes::new()).await?;
        let (status, headers) = (upstream.status(), end_to_end(upstream.headers()));
        let (events, received) = mpsc::channel::<Bytes>(64);
        tokio::spawn(pump(self.clone(), upstream, events));
        let frames = stream::unfold(received, async |mut received| {
            let event = received.recv().await?;
            Some((Ok(Frame::data(event)), received))
        });
        let mut response = Response::new(StreamBody::new(frames).boxed_unsync());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Some(response)
    }
}

/// Passes events on until either end closes, or the view is thawed after it was frozen: then the reader comes again, from
/// the last event that it knows.
async fn pump(front: Arc<Front>, mut upstream: reqwest::Response, events: mpsc::Sender<Bytes>) {
    let mut frozen = front.views.frozen.subscribe();
    let mut half = Vec::new();
    // What is withheld: the last event of each object, until the time is over.
    let (mut kept, mut until) = (BTreeMap::<String, Bytes>::new(), None::<Instant>);
    loop {
        let over = async { tokio::time::sleep_until(until.unwrap_or_else(Instant::now)).await };
        tokio::select! {
            () = events.closed() => return,
            () = becomes(&mut frozen, true) => {
                becomes(&mut frozen, false).await;
                return;
            }
            () = over, if until.is_some() => {
                until = None;
                for (_, event) in std::mem::take(&mut kept) {
                    let _ = events.send(event).await;
                }
            }
            chunk = upstream.chunk() => {
                let Ok(Some(chunk)) = chunk else { return };
                half.extend_from_slice(&chunk);
                while let Some(end) = half.iter().position(|byte| *byte == b'\n') {
                    let line = Bytes::from_iter(half.drain(..=end));
                    let Some(name) = object(&line) else {
                        // A bookmark tells how far the reader has come, which is not true while something is withheld.
                        if until.is_none() {
                            let _ = events.send(line).await;
                        }
                        continue;
                    };
                    if front.views.strikes() {
                        until = Some(Instant::now() + ON_ITS_WAY);
                    }
                    if until.is_some() {
                        kept.insert(name, line);
                    } else {
                        let _ = events.send(line).await;
                    }
                }
            }
        }
    }
}

async fn becomes(frozen: &mut watch::Receiver<bool>, wanted: bool) {
    let _ = frozen.wait_for(|frozen| *frozen == wanted).await;
}

/// Whom an event is about; `None` where it is about none.
fn object(line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line).ok()?;
    let told = ["ADDED", "MODIFIED", "DELETED"].iter().any(|kind| event["type"] == *kind);
    told.then(|| event["object"]["metadata"]["name"].as_str().unwrap_or_default().to_owned())
}
