//! Raw sockets against the accept loop. Real time, with short limits.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Instant;

use http_body_util::BodyExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;

/// The limit that a test waits for.
const SHORT: Duration = Duration::from_millis(300);
/// A limit that no test reaches.
const LONG: Duration = Duration::from_mins(1);
/// How much later than its limit a connection may end, on a busy machine.
const SLACK: Duration = Duration::from_secs(3);

fn patient() -> Config {
    Config {
        header_timeout: LONG,
        idle_timeout: LONG,
        body_window: LONG,
        linger_timeout: LONG,
        write_timeout: LONG,
        ..Config::default()
    }
}

struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<usize>,
}

impl Server {
    fn start(config: Config) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap(), config).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(listener.serve(tower::service_fn(answer), async {
            let _ = stopped.await;
        }));
        Self {
            address,
            stop: Some(stop),
            running,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    fn stop(&mut self) {
        self.stop.take().unwrap().send(()).unwrap();
    }
}

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let body = match request.uri().path() {
        "/" => Body::from("hello"),
        "/slow" => {
            tokio::time::sleep(SHORT).await;
            Body::from("slow")
        }
        "/refuse" => Body::from("no"),
        "/big" => Body::from(vec![0_u8; 64 << 20]),
        "/count" => Body::from(count(request.into_body()).await),
        path => panic!("{path}"),
    };
    Ok(Response::new(body))
}

/// Answers how many bytes came, or why they broke off.
async fn count(body: Body) -> String {
    match body.collect().await {
        Ok(body) => body.to_bytes().len().to_string(),
        Err(error) => error.to_string(),
    }
}

/// Reads until the server closes; what it said, and after how long.
async fn read_to_close(stream: &mut TcpStream) -> (String, Duration) {
    let began = Instant::now();
    let mut answer = Vec::new();
    match stream.read_to_end(&mut answer).await {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("{error}"),
    }
    let answer = String::from_utf8_lossy(&answer).into_owned();
    (answer, began.elapsed())
}

/// Reads one answer whose body is known.
async fn read_answer(stream: &mut TcpStream, body: &str) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(body.as_bytes()) {
        let mut buffer = [0; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(
            read,
            0,
            "closed after {:?}",
            String::from_utf8_lossy(&answer)
        );
        answer.extend_from_slice(&buffer[..read]);
    }
    String::from_utf8(answer).unwrap()
}

fn assert_about(took: Duration, limit: Duration) {
    assert!(
        took >= limit * 9 / 10,
        "closed after {took:?}, limit {limit:?}"
    );
    assert!(
        took < limit + SLACK,
        "closed after {took:?}, limit {limit:?}"
    );
}

#[tokio::test]
async fn who_sends_no_header_is_closed() {
    let server = Server::start(Config {
        header_timeout: SHORT,
        ..patient()
    });
    let (answer, took) = read_to_close(&mut server.connect().await).await;
    assert_eq!(answer, "");
    assert_about(took, SHORT);
}

#[tokio::test]
async fn who_drips_a_header_is_closed_at_the_same_time() {
    let server = Server::start(Config {
        header_timeout: SHORT,
        ..patient()
    });
    let (mut reading, mut writing) = server.connect().await.into_split();
    let dripping = tokio::spawn(async move {
        writing
            .write_all(b"GET / HTTP/1.1\r\nX-Slow: ")
            .await
            .unwrap();
        while writing.write_all(b"a").await.is_ok() {
            tokio::time::sleep(SHORT / 10).await;
        }
    });
    let began = Instant::now();
    let mut answer = Vec::new();
    let _ = reading.read_to_end(&mut answer).await;
    assert_about(began.elapsed(), SHORT);
    dripping.await.unwrap();
}

#[tokio::test]
async fn a_slow_header_on_a_kept_connection_is_closed_too() {
    let server = Server::start(Config {
        header_timeout: SHORT,
        ..patient()
    });
    let mut stream = server.connect().await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_answer(&mut stream, "hello").await;
    tokio::time::sleep(SHORT * 2).await;
    stream.write_all(b"GET / HT").await.unwrap();
    let (answer, took) = read_to_close(&mut stream).await;
    assert_eq!(answer, "");
    assert_about(took, SHORT);
}

#[tokio::test]
async fn an_idle_kept_connection_is_closed() {
    let server = Server::start(Config {
        idle_timeout: SHORT,
        ..patient()
    });
    let mut stream = server.connect().await;
    for _ in 0..2 {
        stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        read_answer(&mut stream, "hello").await;
        tokio::time::sleep(SHORT / 3).await;
    }
    let (answer, took) = read_to_close(&mut stream).await;
    assert_eq!(answer, "");
    assert_about(took, SHORT * 2 / 3);
}

#[tokio::test]
async fn a_slow_handler_is_not_an_idle_connection() {
    let server = Server::start(Config {
        idle_timeout: SHORT / 10,
        header_timeout: SHORT / 3,
        ..patient()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\n\r\n")
        .await
        .unwrap();
    read_answer(&mut stream, "slow").await;
}

#[tokio::test]
async fn a_slow_body_breaks_off_and_a_steady_one_does_not() {
    let server = Server::start(Config {
        body_window: SHORT,
        body_bytes_per_sec_min: 1_000,
        ..patient()
    });
    for (bytes_a_drip, expected) in [(1, "too slowly"), (200, "2000")] {
        let mut stream = server.connect().await;
        stream
            .write_all(b"POST /count HTTP/1.1\r\nContent-Length: 2000\r\n\r\n")
            .await
            .unwrap();
        let mut sent = 0;
        let dripping = async {
            let drip = vec![b'a'; bytes_a_drip];
            while sent < 2_000 {
                tokio::time::sleep(SHORT / 6).await;
                sent += bytes_a_drip;
                if stream.write_all(&drip).await.is_err() || sent == 20 {
                    break;
                }
            }
        };
        dripping.await;
        let answer = read_answer(&mut stream, expected).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}

#[tokio::test]
async fn who_never_reads_is_cut_off() {
    let mut server = Server::start(Config {
        write_timeout: SHORT,
        connections_max: 1,
        ..patient()
    });
    let mut deaf = server.connect().await;
    deaf.write_all(b"GET /big HTTP/1.1\r\n\r\n").await.unwrap();
    // The only place becomes free when the deaf peer loses it.
    let began = Instant::now();
    let mut second = server.connect().await;
    second
        .write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let (answer, _) = read_to_close(&mut second).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert!(began.elapsed() < SHORT + SLACK);
    server.stop();
    assert_eq!(server.running.await.unwrap(), 0);
}

#[tokio::test]
async fn beyond_the_limit_connections_wait_for_a_place() {
    let server = Server::start(Config {
        connections_max: 2,
        idle_timeout: SHORT,
        header_timeout: SHORT,
        ..patient()
    });
    let began = Instant::now();
    let _holders = (server.connect().await, server.connect().await);
    let mut third = server.connect().await;
    third
        .write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    let (answer, _) = read_to_close(&mut third).await;
    assert!(answer.ends_with("hello"), "{answer}");
    assert_about(began.elapsed(), SHORT);
}

#[tokio::test]
async fn a_header_beyond_its_limit_is_refused() {
    let config = patient();
    let (below, above) = (config.header_bytes_max - 100, config.header_bytes_max + 100);
    let server = Server::start(config);
    for (bytes, expected) in [(below, "HTTP/1.1 200"), (above, "HTTP/1.1 431")] {
        let mut stream = server.connect().await;
        let filler = "a".repeat(bytes);
        let request = format!("GET / HTTP/1.1\r\nConnection: close\r\nX: {filler}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let (answer, _) = read_to_close(&mut stream).await;
        assert!(answer.starts_with(expected), "{bytes}: {answer}");
    }
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish_and_takes_no_new_ones() {
    let mut server = Server::start(patient());
    let mut idle = server.connect().await;
    idle.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_answer(&mut idle, "hello").await;
    let mut uploading = server.connect().await;
    uploading
        .write_all(b"POST /count HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        .await
        .unwrap();
    tokio::time::sleep(SHORT / 3).await;

    server.stop();
    let (answer, _) = read_to_close(&mut idle).await;
    assert_eq!(answer, "");
    assert!(TcpStream::connect(server.address).await.is_err());
    uploading.write_all(b"cd").await.unwrap();
    let (answer, _) = read_to_close(&mut uploading).await;
    assert!(answer.ends_with("\r\n\r\n4"), "{answer}");
    assert_eq!(server.running.await.unwrap(), 0);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let mut server = Server::start(Config {
        stop_timeout: SHORT,
        ..patient()
    });
    let mut stuck = server.connect().await;
    stuck
        .write_all(b"POST /count HTTP/1.1\r\nContent-Length: 4\r\n\r\nab")
        .await
        .unwrap();
    tokio::time::sleep(SHORT / 3).await;
    let began = Instant::now();
    server.stop();
    assert_eq!(server.running.await.unwrap(), 1);
    assert_about(began.elapsed(), SHORT);
}

#[tokio::test]
async fn a_client_that_closes_its_side_is_answered() {
    let server = Server::start(patient());
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /slow HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await
        .unwrap();
    stream.shutdown().await.unwrap();
    let (answer, _) = read_to_close(&mut stream).await;
    assert!(answer.ends_with("slow"), "{answer}");
}

#[tokio::test]
async fn expect_continue_and_chunks_are_understood() {
    let server = Server::start(patient());
    let mut stream = server.connect().await;
    stream
        .write_all(
            b"POST /count HTTP/1.1\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n",
        )
        .await
        .unwrap();
    read_answer(&mut stream, "HTTP/1.1 100 Continue\r\n\r\n").await;
    stream
        .write_all(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        .await
        .unwrap();
    read_answer(&mut stream, "\r\n\r\n5").await;
}

/// Sends a body of `bytes`, all of it before it reads, to a handler that does not want it.
async fn send_unwanted(server: &Server, bytes: usize) -> std::io::Result<String> {
    let mut stream = server.connect().await;
    let head = format!("POST /refuse HTTP/1.1\r\nContent-Length: {bytes}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    let piece = vec![b'a'; 1 << 16];
    for _ in 0..bytes / piece.len() {
        stream.write_all(&piece).await?;
    }
    stream
        .write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        .await?;
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await?;
    Ok(answers)
}

#[tokio::test]
async fn an_unwanted_body_is_drained_so_that_the_answer_arrives() {
    let server = Server::start(patient());
    let answers = send_unwanted(&server, 32 << 20).await.unwrap();
    // The connection stays in step: the next request on it is answered too.
    assert!(answers.contains("\r\n\r\nno"), "{answers}");
    assert!(answers.ends_with("hello"), "{answers}");
}

#[tokio::test]
async fn draining_has_its_limits() {
    let server = Server::start(Config {
        linger_bytes_max: 1 << 20,
        ..patient()
    });
    // Far more than the kernel's buffers hold.
    let reset = send_unwanted(&server, 64 << 20).await.unwrap_err();
    assert!(
        [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&reset.kind()),
        "{reset}"
    );
    let server = Server::start(Config {
        linger_timeout: SHORT,
        ..patient()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /refuse HTTP/1.1\r\nContent-Length: 9\r\n\r\n")
        .await
        .unwrap();
    let (answer, took) = read_to_close(&mut stream).await;
    assert!(answer.ends_with("no"), "{answer}");
    assert_about(took, SHORT);
}

#[tokio::test]
async fn who_asks_for_leave_is_refused_without_a_body() {
    let server = Server::start(patient());
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /refuse HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
        .await
        .unwrap();
    let (answer, _) = read_to_close(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.ends_with("no"), "{answer}");
}

#[tokio::test]
async fn a_drained_connection_may_be_idle_as_long_as_any() {
    let server = Server::start(Config {
        header_timeout: SHORT / 3,
        idle_timeout: SHORT * 2,
        ..patient()
    });
    let mut stream = server.connect().await;
    stream
        .write_all(b"POST /refuse HTTP/1.1\r\nContent-Length: 9\r\n\r\n12345")
        .await
        .unwrap();
    read_answer(&mut stream, "no").await;
    tokio::time::sleep(SHORT).await;
    stream.write_all(b"6789").await.unwrap();
    tokio::time::sleep(SHORT).await;
    stream.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
    read_answer(&mut stream, "hello").await;
}
