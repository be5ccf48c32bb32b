//! The DSN: the URL an SDK is configured with, which says where to send and with which key.

use std::fmt;
use std::str::FromStr;

/// The URL an SDK is configured with.
///
/// `{scheme}://{public_key}[:{secret}]@{host}[:{port}]{/path}/{project_id}`. An obsolete secret is
/// read and forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dsn {
    /// `http` or `https`.
    pub scheme: Scheme,
    /// The client key, without the flags that may follow a dot.
    pub public_key: String,
    /// Host name or address; an IPv6 address in brackets.
    pub host: String,
    /// The port, unless it is the scheme's own.
    pub port: Option<u16>,
    /// What stands between host and project id: empty, or `/a/b` without a slash at its end.
    pub path: String,
    /// The project.
    pub project_id: u64,
}

/// How to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

/// Why a text is no DSN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDsn {
    /// It does not begin with `http://` or `https://`.
    #[error("a DSN begins with http:// or https://")]
    Scheme,
    /// No key stands before the host.
    #[error("a DSN has a public key before the host: https://KEY@host/1")]
    PublicKey,
    /// The host is missing, or has characters that hosts do not have.
    #[error("a DSN has a host after the public key: https://KEY@host/1")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("the port of a DSN is a number from 1 to 65535")]
    Port,
    /// The last part of the path is not a positive number.
    #[error("a DSN ends in a project id, which is a positive number")]
    ProjectId,
}

impl Scheme {
    /// The name, as in URLs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    const fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }
}

impl FromStr for Dsn {
    type Err = InvalidDsn;

    fn from_str(text: &str) -> Result<Self, InvalidDsn> {
        let (scheme, rest) = text.trim().split_once("://").ok_or(InvalidDsn::Scheme)?;
        let scheme = match scheme {
            _ if scheme.eq_ignore_ascii_case("http") => Scheme::Http,
            _ if scheme.eq_ignore_ascii_case("https") => Scheme::Https,
            _ => return Err(InvalidDsn::Scheme),
        };
        let rest = rest.split(['?', '#']).next().unwrap_or_default();
        let (authority, path) = rest.split_once('/').ok_or(InvalidDsn::ProjectId)?;
        let (user, host) = authority.rsplit_once('@').ok_or(InvalidDsn::PublicKey)?;
        let (host, port) = split_port(host)?;
        let (path, project_id) = split_project(path)?;
        Ok(Self {
            scheme,
            public_key: parse_key(user)?,
            host: host.to_ascii_lowercase(),
            port: port.filter(|port| *port != scheme.default_port()),
            path,
            project_id,
        })
    }
}

fn parse_key(user: &str) -> Result<String, InvalidDsn> {
    let key = user.split(':').next().unwrap_or_default();
    let key = strip_key_flags(key);
    let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_graphic());
    is_key.then(|| key.to_owned()).ok_or(InvalidDsn::PublicKey)
}

/// A key may carry flags, `key.no-cache`: they are not part of it.
pub(crate) fn strip_key_flags(key: &str) -> &str {
    key.split('.').next().unwrap_or_default()
}

fn split_port(host: &str) -> Result<(&str, Option<u16>), InvalidDsn> {
    // The colons of an IPv6 address stand within brackets.
    let address_end = host.rfind(']').map_or(0, |bracket| bracket + 1);
    let (host, port) = match host[address_end..].find(':') {
        None => (host, None),
        Some(colon) => {
            let (host, port) = host.split_at(address_end + colon);
            let port = port[1..].parse().ok().filter(|port| *port != 0);
            (host, Some(port.ok_or(InvalidDsn::Port)?))
        }
    };
    let is_host_char = |c: char| c.is_alphanumeric() || "-._~[]:%".contains(c);
    if host.is_empty() || !host.chars().all(is_host_char) {
        return Err(InvalidDsn::Host);
    }
    Ok((host, port))
}

/// Folds doubled slashes on the way: `https://k@h//a//7/` is `/a` and 7.
fn split_project(path: &str) -> Result<(String, u64), InvalidDsn> {
    let mut segments: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let project_id = segments.pop().ok_or(InvalidDsn::ProjectId)?;
    let is_number = project_id.bytes().all(|byte| byte.is_ascii_digit());
    let project_id = project_id.parse().ok().filter(|id| is_number && *id > 0);
    let mut path = String::new();
    for segment in segments {
        path.push('/');
        path.push_str(segment);
    }
    Ok((path, project_id.ok_or(InvalidDsn::ProjectId)?))
}

impl fmt::Display for Dsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, key, host) = (self.scheme.as_str(), &self.public_key, &self.host);
        write!(f, "{scheme}://{key}@{host}")?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        write!(f, "{}/{}", self.path, self.project_id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn reads_as(text: &str, expected: &str) {
        assert_eq!(text.parse::<Dsn>().unwrap().to_string(), expected);
    }

    #[test]
    fn every_form_reads_and_writes_back() {
        reads_as("https://k@h/1", "https://k@h/1");
        reads_as("http://k:secret@h:8000/a/b/42", "http://k@h:8000/a/b/42");
        reads_as("HTTPS://k@H.example:443/42/", "https://k@h.example/42");
        reads_as("http://k@h:80//7", "http://k@h/7");
        reads_as("https://k.no-cache@h/7?x=1#y", "https://k@h/7");
        reads_as("http://k@[::1]:8000/7", "http://k@[::1]:8000/7");
        reads_as("http://k@[::1]/7", "http://k@[::1]/7");
    }

    #[test]
    fn what_is_no_dsn_says_why() {
        for (text, error) in [
            ("", InvalidDsn::Scheme),
            ("ftp://k@h/1", InvalidDsn::Scheme),
            ("https://h/1", InvalidDsn::PublicKey),
            ("https://@h/1", InvalidDsn::PublicKey),
            ("https://.flag@h/1", InvalidDsn::PublicKey),
            ("https://k@/1", InvalidDsn::Host),
            ("https://k@h h/1", InvalidDsn::Host),
            ("https://k@h:0/1", InvalidDsn::Port),
            ("https://k@h:65536/1", InvalidDsn::Port),
            ("https://k@h", InvalidDsn::ProjectId),
            ("https://k@h/", InvalidDsn::ProjectId),
            ("https://k@h/0", InvalidDsn::ProjectId),
            ("https://k@h/+1", InvalidDsn::ProjectId),
            ("https://k@h/shop", InvalidDsn::ProjectId),
        ] {
            assert_eq!(text.parse::<Dsn>(), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_reads_writes_back_the_same(text in "https?://[a-z0-9.:@/\\[\\]éß%]{0,40}|\\PC*") {
            if let Ok(dsn) = text.parse::<Dsn>() {
                prop_assert_eq!(dsn.to_string().parse::<Dsn>(), Ok(dsn));
            }
        }
    }
}
