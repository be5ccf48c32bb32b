//! HTTP by hand: for what no well-behaved client sends.

use std::io::{Read as _, Write};
use std::net::TcpStream;

use crate::support::TestApp;

/// A connection to the server.
pub(super) struct Raw(TcpStream);

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Answer {
    /// The value of a header, whose name is given in lower case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

impl Raw {
    pub(super) fn connect(app: &TestApp) -> Self {
        let address = app.base_url.strip_prefix("http://").unwrap();
        Self(TcpStream::connect(address).unwrap())
    }

    /// Sends the head of a request; every line of `headers` ends with CR LF.
    pub(super) fn head(&mut self, method: &str, target: &str, headers: &str) -> &mut Self {
        self.send(format!("{method} {target} HTTP/1.1\r\nhost: copal\r\n{headers}\r\n").as_bytes())
    }

    /// Sends bytes. A server that has answered already may take no more: that is no failure here.
    pub(super) fn send(&mut self, bytes: &[u8]) -> &mut Self {
        let _ = self.0.write_all(bytes);
        self
    }

    /// Sends a piece of a body in chunks.
    pub(super) fn chunk(&mut self, bytes: &[u8]) -> &mut Self {
        let size = format!("{:x}\r\n", bytes.len());
        self.send(&[size.as_bytes(), bytes, b"\r\n"].concat())
    }

    /// Reads an answer.
    pub(super) fn answer(&mut self) -> Answer {
        let mut seen = Vec::new();
        let head_end = loop {
            if let Some(at) = seen.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            self.fill(&mut seen);
        };
        let head = String::from_utf8(seen[..head_end].to_vec()).unwrap();
        let status = head[9..12].parse().unwrap();
        let mut answer = Answer {
            status,
            head,
            body: String::new(),
        };
        let length: usize = answer.header("content-length").unwrap().parse().unwrap();
        while seen.len() < head_end + length {
            self.fill(&mut seen);
        }
        answer.body = String::from_utf8(seen[head_end..head_end + length].to_vec()).unwrap();
        answer
    }

    fn fill(&mut self, seen: &mut Vec<u8>) {
        let mut buffer = [0; 16 * 1024];
        let read = self.0.read(&mut buffer).unwrap();
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(seen));
        seen.extend_from_slice(&buffer[..read]);
    }
}
