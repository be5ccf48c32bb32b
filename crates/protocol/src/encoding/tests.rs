use std::io::Write as _;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// [`HELLO`] in Brotli, by the reference encoder.
const BROTLI_HELLO: &[u8] = &[
    0x1b, 0x16, 0x00, 0xf8, 0x8d, 0x94, 0x6e, 0xde, 0x44, 0x55, 0x86, 0x96, 0x6c, 0x20, 0x6f, 0x21,
    0x4f, 0x1c, 0xe0, 0x38,
];
/// 16 MiB of zeros in Brotli, by the reference encoder.
const BROTLI_BOMB: &[u8] = &[
    0xcb, 0xff, 0xff, 0x3f, 0xf8, 0x27, 0x00, 0xe2, 0xb1, 0x40, 0x20, 0xf7, 0xfe, 0x2f, 0xff, 0xff,
    0xff, 0xf0, 0x4f, 0x00, 0xc4, 0x61, 0x11, 0x80, 0xee, 0xfd, 0x1f,
];
const HELLO: &[u8] = b"hello hello hello hello";

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(bytes, 1).unwrap()
}

/// Decodes in pieces of `chunk_bytes`.
fn decode(
    encoding: ContentEncoding,
    body: &[u8],
    limit_bytes: usize,
    chunk_bytes: usize,
) -> Result<Vec<u8>, DecodeError> {
    let mut decoder = Decoder::new(encoding, limit_bytes);
    let mut output = Vec::new();
    for chunk in body.chunks(chunk_bytes) {
        let result = decoder.feed(chunk, &mut output);
        assert!(output.len() <= limit_bytes);
        result?;
    }
    assert_eq!(decoder.finish()?, output.len());
    Ok(output)
}

fn every_encoding(bytes: &[u8]) -> Vec<(ContentEncoding, Vec<u8>)> {
    let mut two_members = gzip(&bytes[..bytes.len() / 2]);
    two_members.extend(gzip(&bytes[bytes.len() / 2..]));
    let mut padded = gzip(bytes);
    padded.extend([0; 5]);
    let mut two_frames = zstd(&bytes[..bytes.len() / 2]);
    two_frames.extend(zstd(&bytes[bytes.len() / 2..]));
    vec![
        (ContentEncoding::Identity, bytes.to_vec()),
        (ContentEncoding::Gzip, gzip(bytes)),
        (ContentEncoding::Gzip, two_members),
        (ContentEncoding::Gzip, padded),
        (ContentEncoding::Deflate, zlib(bytes)),
        (ContentEncoding::Deflate, raw_deflate(bytes)),
        (ContentEncoding::Zstd, zstd(bytes)),
        (ContentEncoding::Zstd, two_frames),
    ]
}

#[test]
fn the_header_is_read_in_all_its_forms() {
    let read = |header| ContentEncoding::parse(Some(header));
    for header in ["", "UTF-8", "utf-8", "identity", " , "] {
        assert_eq!(read(header), Ok(ContentEncoding::Identity), "{header}");
    }
    assert_eq!(ContentEncoding::parse(None), Ok(ContentEncoding::Identity));
    for header in [
        "gzip",
        "GZip",
        "x-gzip",
        " gzip ",
        "identity, gzip",
        "gzip,",
    ] {
        assert_eq!(read(header), Ok(ContentEncoding::Gzip), "{header}");
    }
    assert_eq!(read("deflate"), Ok(ContentEncoding::Deflate));
    assert_eq!(read("br"), Ok(ContentEncoding::Brotli));
    assert_eq!(read("ZSTD"), Ok(ContentEncoding::Zstd));
    for header in ["compress", "gzip, gzip", "gzip, br", "gzip2", "br;q=1"] {
        assert_eq!(read(header), Err(UnsupportedEncoding), "{header}");
    }
}

#[test]
fn bodies_are_decoded_in_pieces_of_any_size() {
    let long: Vec<u8> = (0_u32..30_000)
        .flat_map(|i| (i * i).to_le_bytes())
        .collect();
    for bytes in [HELLO, &long, b"", b"x"] {
        for (encoding, body) in every_encoding(bytes) {
            for chunk_bytes in [1, 7, 4_096, usize::MAX] {
                let decoded = decode(encoding, &body, 200_000, chunk_bytes);
                assert_eq!(decoded.as_deref(), Ok(bytes), "{encoding} by {chunk_bytes}");
            }
        }
    }
    for chunk_bytes in [1, 7, 4_096] {
        let decoded = decode(ContentEncoding::Brotli, BROTLI_HELLO, 100, chunk_bytes);
        assert_eq!(decoded.as_deref(), Ok(HELLO));
    }
}

#[test]
fn nothing_is_an_empty_body_in_every_encoding() {
    for encoding in [
        ContentEncoding::Identity,
        ContentEncoding::Gzip,
        ContentEncoding::Deflate,
        ContentEncoding::Brotli,
        ContentEncoding::Zstd,
    ] {
        assert_eq!(decode(encoding, b"", 0, 1), Ok(Vec::new()));
    }
}

#[test]
fn the_limit_holds_to_the_byte() {
    let mut bodies = every_encoding(HELLO);
    bodies.push((ContentEncoding::Brotli, BROTLI_HELLO.to_vec()));
    for (encoding, body) in bodies {
        let exact = HELLO.len();
        assert_eq!(decode(encoding, &body, exact, 5).as_deref(), Ok(HELLO));
        let limit_bytes = exact - 1;
        let error = DecodeError::TooLarge { limit_bytes };
        assert_eq!(decode(encoding, &body, limit_bytes, 5), Err(error));
    }
}

#[test]
fn bombs_stop_at_the_limit() {
    let zeros = vec![0; 16 * 1024 * 1024];
    let bombs = [
        (ContentEncoding::Gzip, gzip(&zeros)),
        (ContentEncoding::Deflate, zlib(&zeros)),
        (ContentEncoding::Deflate, raw_deflate(&zeros)),
        (ContentEncoding::Brotli, BROTLI_BOMB.to_vec()),
        (ContentEncoding::Zstd, zstd(&zeros)),
    ];
    for (encoding, bomb) in bombs {
        let limit_bytes = 1024 * 1024;
        let error = DecodeError::TooLarge { limit_bytes };
        assert_eq!(
            decode(encoding, &bomb, limit_bytes, usize::MAX),
            Err(error),
            "{encoding}"
        );
    }
}

#[test]
fn a_zstd_window_of_more_than_eight_mib_is_refused() {
    let frame = |window_log: u32| {
        let mut encoder = zstd::stream::Encoder::new(Vec::new(), 1).unwrap();
        encoder.window_log(window_log).unwrap();
        encoder.write_all(HELLO).unwrap();
        encoder.finish().unwrap()
    };
    let at_limit = frame(ZSTD_WINDOW_LOG_MAX);
    assert_eq!(
        decode(ContentEncoding::Zstd, &at_limit, 100, 9).as_deref(),
        Ok(HELLO)
    );
    let beyond = frame(ZSTD_WINDOW_LOG_MAX + 1);
    let error = DecodeError::Corrupt(ContentEncoding::Zstd);
    assert_eq!(decode(ContentEncoding::Zstd, &beyond, 100, 9), Err(error));
}

#[test]
fn what_is_cut_short_or_followed_by_more_is_corrupt() {
    let mut bodies = every_encoding(HELLO);
    bodies.push((ContentEncoding::Brotli, BROTLI_HELLO.to_vec()));
    for (encoding, body) in bodies.into_iter().skip(1) {
        let error = DecodeError::Corrupt(encoding);
        if !body.ends_with(&[0; 5]) {
            let cut = &body[..body.len() - 1];
            assert_eq!(decode(encoding, cut, 100, 4), Err(error), "{encoding} cut");
        }
        let mut longer = body;
        longer.extend(b"more");
        assert_eq!(
            decode(encoding, &longer, 100, 4),
            Err(error),
            "{encoding} and more"
        );
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_or_exceed_the_limit(
        head in prop_oneof![
            Just(gzip(HELLO)), Just(zlib(HELLO)), Just(zstd(HELLO)),
            Just(BROTLI_HELLO.to_vec()), Just(Vec::new()),
        ],
        cut in 0_usize..40,
        tail in vec(any::<u8>(), 0..60),
        chunk_bytes in 1_usize..30,
    ) {
        let mut body = head;
        body.truncate(cut);
        body.extend(tail);
        for encoding in [
            ContentEncoding::Gzip,
            ContentEncoding::Deflate,
            ContentEncoding::Brotli,
            ContentEncoding::Zstd,
        ] {
            let _ = decode(encoding, &body, 1_000, chunk_bytes);
        }
    }

    #[test]
    fn what_is_encoded_decodes_the_same(bytes in vec(any::<u8>(), 0..300), chunk_bytes in 1_usize..50) {
        for (encoding, body) in every_encoding(&bytes) {
            prop_assert_eq!(decode(encoding, &body, 300, chunk_bytes), Ok(bytes.clone()));
        }
    }
}
