//! Answers that no server should give, from a socket that sends bytes as they are. None may be taken for an outcome.

use ack_operator::ack::Error;
use ack_operator::terms::Class;
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::{account, create, region};

/// Serves `answer` to every connection, once its request's head and body have come; counts connections.
struct Canned {
    url: String,
    count: std::sync::Arc<std::sync::atomic::AtomicUsize>,
}

impl Canned {
    async fn start(answer: impl Into<Vec<u8>>) -> Canned {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (answer, count) = (answer.into(), std::sync::Arc::default());
        let canned = Canned { url, count: std::sync::Arc::clone(&count) };
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                let mut request = Vec::new();
                while !is_whole(&request) && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0) {}
                // The client may hang up in the middle of an endless answer.
                if stream.write_all(&answer).await.is_ok() {
                    stream.shutdown().await.ok();
                }
            }
        });
        canned
    }

    fn connections(&self) -> usize {
        self.count.load(std::sync::atomic::Ordering::SeqCst)
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

fn answer(status: &str, body: &str) -> Vec<u8> {
    let date = jiff::Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    let length = body.len();
    format!("HTTP/1.1 {status}\r\nDate: {date}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .into_bytes()
}

/// What is sent, and a part of the sentence that must come of it. A create never counts as not executed, nothing is ever
/// "not found", and a read never succeeds.
pub async fn odd_answers() {
    let long = |status: &str, rest: &str| format!("HTTP/1.1 {status}\r\n{rest}").into_bytes();
    let deep = "[".repeat(200_000);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (answer("200 OK", ""), "empty"),
        (answer("200 OK", "{\"cluster_id\":\"c1\""), "ends too early"),
        (answer("200 OK", "<html>welcome to this hotel</html>"), "not JSON"),
        (answer("200 OK", "<?xml version=\"1.0\"?><Error><Code>X</Code></Error>"), "not JSON"),
        (answer("200 OK", "{\"cluster_id\":\"c1\",\"cluster_id\":\"c2\"}"), "twice"),
        (answer("200 OK", "[]"), "no object"),
        (answer("200 OK", "null"), "no object"),
        (answer("200 OK", &deep), "not JSON"),
        (answer("204 No Content", ""), ""),
        (long("200 OK", "Content-Length: 500\r\n\r\n{\"cluster_id\":\"c1\"}"), "no whole answer"),
        (long("200 OK", "Transfer-Encoding: chunked\r\n\r\n13\r\n{\"cluster_id\":\"c1\"}"), "no whole answer"),
        (long("200 OK", "Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}"), "no whole answer"),
        (long("404 Not Found", "Content-Length: 500\r\n\r\n{\"code\":\"ErrorClusterNotFound\"}"), "no whole answer"),
        (answer("404 Not Found", ""), "HTTP404"),
        (answer("404 Not Found", "<html>nginx</html>"), "nginx"),
        (answer("404 Not Found", "{\"code\":\"ErrorClusterNotFound\",\"code\":\"X\"}"), "HTTP404"),
        (answer("403 Forbidden", "blocked by your company"), "blocked by your company"),
        (answer("407 Proxy Authentication Required", ""), "HTTP407"),
        (answer("502 Bad Gateway", "<html><body>bad\u{0}gateway"), "bad gateway"),
        (answer("503 Service Unavailable", "{\"code\":\"Throttling.User\",\"message\":\"slow\"}"), "slow"),
        (answer("599 Odd", "{\"Code\":\"ErrorClusterNotFound\"}"), "ErrorClusterNotFound"),
        (b"HTTP/1.1 200 OK\r\n".to_vec(), "no whole answer"),
        (b"SSH-2.0-OpenSSH_9.6\r\n".to_vec(), "no whole answer"),
        (b"\x15\x03\x01\x00\x02\x02\x0a".to_vec(), "no whole answer"),
        (Vec::new(), "no whole answer"),
    ];
    join_all(cases.into_iter().map(async |(bytes, part)| {
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        let server = Canned::start(bytes).await;
        let account = account(&server.url);
        let error = create(&account, "one").await.expect_err(&shown);
        assert!(!error.never_executed(), "{shown}: {error}");
        assert!(error.to_string().contains(part), "{shown}: {error}");
        assert_eq!(server.connections(), 1, "{shown}");

        let (region, id) = (region(), "c1".into());
        let client = account.client();
        let (detail, tasks, list) = tokio::join!(
            client.cluster(&region, &id),
            client.tasks(&region, &id),
            account.listing(&region, jiff::Timestamp::UNIX_EPOCH)
        );
        assert_ne!(detail.expect_err(&shown).class(), Class::NotFound, "{shown}");
        tasks.expect_err(&shown);
        list.expect_err(&shown);
    }))
    .await;
}

pub async fn redirect() {
    let target = Canned::start(answer("200 OK", "{\"cluster_id\":\"c1\"}")).await;
    for status in ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"] {
        let head = format!("HTTP/1.1 {status}\r\nLocation: {}/clusters\r\nContent-Length: 0\r\n\r\n", target.url);
        let server = Canned::start(head.into_bytes()).await;
        let error = create(&account(&server.url), "one").await.unwrap_err();
        assert!(matches!(&error, Error::Unreadable { .. }) && !error.never_executed(), "{error}");
        assert!(error.to_string().contains("redirect"), "{error}");
    }
    assert_eq!(target.connections(), 0);
}

pub async fn endless_answer() {
    let body = " ".repeat(10 << 20);
    let server = Canned::start(answer("200 OK", &body)).await;
    let error = create(&account(&server.url), "one").await.unwrap_err();
    assert!(matches!(&error, Error::Unreadable { .. }) && error.to_string().contains("longer than 4 MiB"), "{error}");
}
