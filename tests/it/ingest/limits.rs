//! Bodies at the edge of every limit and far beyond it: answered clearly, in bounded memory and
//! time, and harmless to whatever comes next.

use std::time::{Duration, Instant};

use flate2::write::GzEncoder;
use flate2::{Compress, Compression, FlushCompress};
use reqwest::Client;

use super::raw::Raw;
use super::{assert_refused, base64, gzip, zlib};
use crate::support::{Engine, TestApp, on_each_engine};

const MIB: usize = 1 << 20;
/// What the server may grow by while it refuses a bomb.
const GROWTH_BYTES_MAX: u64 = 64 << 20;
/// How long it may take to refuse one, in a build without optimisation on a busy machine.
const REFUSED_WITHIN: Duration = Duration::from_secs(20);
/// Zeros in one piece of a bomb.
const PIECE_BYTES: usize = 16 * MIB;
/// Pieces in 10 GiB.
const PIECES: usize = (10 << 30) / PIECE_BYTES;

/// An envelope of exactly so many bytes.
fn envelope_of(bytes: usize) -> Vec<u8> {
    let head =
        |length: usize| format!("{{}}\n{{\"type\":\"attachment\",\"length\":{length:>9}}}\n");
    let length = bytes - head(0).len();
    let mut envelope = head(length).into_bytes();
    envelope.resize(bytes, 0);
    envelope
}

/// An event of exactly so many bytes.
fn event_of(bytes: usize) -> Vec<u8> {
    let (head, tail) = ("{\"message\":\"large\",\"extra\":{\"a\":\"", "\"}}");
    let filler = "a".repeat(bytes - head.len() - tail.len());
    format!("{head}{filler}{tail}").into_bytes()
}

/// Sends a valid event that nothing may have harmed.
async fn send_neighbour(app: &TestApp) {
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let request = Client::new().post(url).body("{\"message\":\"neighbour\"}");
    assert_eq!(request.send().await.unwrap().status(), 200);
}

async fn assert_neighbours(app: &TestApp, expected: u64) {
    app.settle().await;
    let issues = app.get("issues?query=title:neighbour").await;
    assert_eq!(issues[0]["eventsCount"], expected, "{issues}");
    let broken = "select count(*) from outcomes where outcome = 'internal'";
    assert_eq!(app.count(broken), 0);
    assert_eq!(app.count("select count(*) from quarantine"), 0);
}

async fn a_body_as_sent_may_have_20_mib(engine: Engine) {
    let app = TestApp::start(engine);
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let post = |bytes: usize| Client::new().post(&url).body(envelope_of(bytes)).send();
    assert_eq!(post(20 * MIB).await.unwrap().status(), 200);
    assert_refused(post(20 * MIB + 1).await.unwrap(), 413, "20971520 bytes").await;
    let target = format!("/api/{}/envelope/?sentry_key={}", app.project_id, app.key);
    for (beyond, expected) in [(0, 200), (1, 413)] {
        let body = envelope_of(20 * MIB + beyond);
        let mut raw = Raw::connect(&app);
        raw.head("POST", &target, "transfer-encoding: chunked\r\n");
        for piece in body.chunks(100_000) {
            raw.chunk(piece);
        }
        assert_eq!(raw.chunk(b"").answer().status, expected);
    }
    send_neighbour(&app).await;
    assert_neighbours(&app, 1).await;
}

async fn an_envelope_may_decode_to_100_mib(engine: Engine) {
    let app = TestApp::start(engine);
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let before = app.server().forget_peak();
    for (beyond, expected) in [(0, 200), (1, 413)] {
        let body = gzip(&envelope_of(100 * MIB + beyond));
        let request = Client::new().post(&url).header("content-encoding", "gzip");
        let answer = request.body(body).send().await.unwrap();
        assert_eq!(answer.status(), expected);
    }
    send_neighbour(&app).await;
    assert_neighbours(&app, 1).await;
    // Neither taking it in nor recording it holds the whole of it.
    let growth = app.server().memory("VmHWM:").saturating_sub(before);
    assert!(growth < GROWTH_BYTES_MAX, "{growth} bytes");
}

async fn an_event_may_have_1_mib(engine: Engine) {
    let app = TestApp::start(engine);
    let url = format!("{}?sentry_key={}", app.store_url(), app.key);
    let post = |encoding: &'static str, body: Vec<u8>| {
        let request = Client::new()
            .post(&url)
            .header("content-encoding", encoding);
        request.body(body).send()
    };
    assert_eq!(post("", event_of(MIB)).await.unwrap().status(), 200);
    let large = event_of(MIB + 1);
    assert_refused(post("", large.clone()).await.unwrap(), 413, "1048576 bytes").await;
    assert_refused(post("gzip", gzip(&large)).await.unwrap(), 413, "too large").await;
    // What old clients send: base64 within JSON's place, and zlib within that.
    let legacy = base64(&zlib(&large)).into_bytes();
    assert_refused(post("", legacy).await.unwrap(), 413, "too large").await;

    // In an envelope such an event is dropped alone; what is beside it is not.
    let header = "{}\n{\"type\":\"event\"}\n";
    let report =
        "{\"discarded_events\":[{\"reason\":\"x\",\"category\":\"error\",\"quantity\":5}]}";
    let report = format!("\n{{\"type\":\"client_report\"}}\n{report}\n");
    let envelope = [header.as_bytes(), &large, report.as_bytes()].concat();
    let url = format!("{}?sentry_key={}", app.envelope_url(), app.key);
    let answer = Client::new().post(url).body(envelope).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    send_neighbour(&app).await;
    assert_neighbours(&app, 1).await;
    let ended = "select sum(quantity) from outcomes where category = 'error' and reason = ";
    assert_eq!(app.count(&format!("{ended} 'too_large'")), 1);
    assert_eq!(app.count(&format!("{ended} 'x'")), 5);
    assert_eq!(
        app.get("issues?query=title:large").await[0]["eventsCount"],
        1
    );
}

/// 16 MiB of zeros as a piece of a deflate stream, which may be repeated.
fn deflated_zeros() -> Vec<u8> {
    let mut compress = Compress::new(Compression::best(), false);
    let mut piece = Vec::with_capacity(MIB);
    let zeros = vec![0; PIECE_BYTES];
    compress
        .compress_vec(&zeros, &mut piece, FlushCompress::Full)
        .unwrap();
    assert_eq!(compress.total_in(), PIECE_BYTES as u64);
    piece
}

/// 10 GiB of zeros: what a stream begins with, and the piece that it then repeats.
fn bombs() -> Vec<(&'static str, Vec<u8>, Vec<u8>)> {
    let deflated = deflated_zeros();
    let gzip_head = GzEncoder::new(Vec::new(), Compression::best());
    let gzip_head = gzip_head.finish().unwrap()[..10].to_vec();
    let zstd = zstd::bulk::compress(&vec![0; PIECE_BYTES], 3).unwrap();
    // By the reference encoder, flushed after every 16 MiB: the first piece, and every later one.
    let brotli_head = b"\xcf\xff\xff\x7f\x00\x24\x00\xe2\xb1\x40\x72\xef\xff\x0d".to_vec();
    let brotli = b"\xfc\xff\xff\x07\x40\x02\x20\x0e\x0b\x40\xf7\xfe\xdf\x00".to_vec();
    vec![
        ("gzip", gzip_head, deflated.clone()),
        ("deflate", vec![0x78, 0xda], deflated),
        ("zstd", Vec::new(), zstd),
        ("br", brotli_head, brotli),
    ]
}

async fn bombs_in_every_encoding_are_refused_in_little_memory_and_time(engine: Engine) {
    let app = TestApp::start(engine);
    let target = format!("/api/{}/envelope/?sentry_key={}", app.project_id, app.key);
    let bombs = bombs();
    let count = bombs.len() as u64;
    for (encoding, head, piece) in bombs {
        let before = app.server().forget_peak();
        let began = Instant::now();
        let mut raw = Raw::connect(&app);
        let encoding_line = format!("content-encoding: {encoding}\r\n");
        let headers = format!("{encoding_line}transfer-encoding: chunked\r\n");
        raw.head("POST", &target, &headers);
        raw.chunk(&head_or_piece(&head, &piece));
        for _ in 1..PIECES {
            raw.chunk(&piece);
        }
        let answer = raw.chunk(b"").answer();
        assert_eq!(answer.status, 413, "{encoding}: {answer:?}");
        assert!(answer.body.contains("104857600 bytes"), "{answer:?}");
        assert!(began.elapsed() < REFUSED_WITHIN, "{:?}", began.elapsed());
        let growth = app.server().memory("VmHWM:").saturating_sub(before);
        assert!(growth < GROWTH_BYTES_MAX, "{encoding}: {growth} bytes");
        send_neighbour(&app).await;
    }
    assert_neighbours(&app, count).await;
}

/// The first piece, with whatever must stand before it.
fn head_or_piece(head: &[u8], piece: &[u8]) -> Vec<u8> {
    // A Brotli stream's first piece has its head in it.
    if head.len() == piece.len() {
        head.to_vec()
    } else {
        [head, piece].concat()
    }
}

async fn who_sends_far_too_much_still_reads_why_it_was_refused(engine: Engine) {
    let app = TestApp::start(engine);
    let target = format!("/api/{}/envelope/?sentry_key={}", app.project_id, app.key);
    let zeros = vec![0; MIB];
    for headers in [
        "content-length: 104857600\r\n",
        "transfer-encoding: chunked\r\n",
    ] {
        let mut raw = Raw::connect(&app);
        raw.head("POST", &target, headers);
        for _ in 0..100 {
            if headers.starts_with("content") {
                raw.send(&zeros);
            } else {
                raw.chunk(&zeros);
            }
        }
        let answer = raw.answer();
        assert_eq!(answer.status, 413, "{answer:?}");
        assert!(answer.body.contains("at most 20971520 bytes"), "{answer:?}");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        send_neighbour(&app).await;
    }
    assert_neighbours(&app, 2).await;
}

on_each_engine!(
    async a_body_as_sent_may_have_20_mib,
    async an_envelope_may_decode_to_100_mib,
    async an_event_may_have_1_mib,
    async bombs_in_every_encoding_are_refused_in_little_memory_and_time,
    async who_sends_far_too_much_still_reads_why_it_was_refused,
);
