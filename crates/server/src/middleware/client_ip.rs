//! Who asks. `X-Forwarded-For` counts only from proxies that the operator trusts (ASVS 13.3).

use std::net::IpAddr;
use std::str::FromStr;

use axum::body::Body;
use http::{HeaderName, Request};

use crate::listen::Peer;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The address of the client; an extension of every request that came over a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

/// A range of addresses: `10.0.0.0/8`, or a single address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

/// A text that is not a range of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an address or a range such as 10.0.0.0/8")]
pub struct InvalidNetwork;

impl Network {
    /// Whether the range holds the address. An IPv4 address written as IPv6 is the same.
    pub fn holds(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                same_prefix(&own.octets(), &other.octets(), self.prefix_bits)
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                same_prefix(&own.octets(), &other.octets(), self.prefix_bits)
            }
            _ => false,
        }
    }
}

impl FromStr for Network {
    type Err = InvalidNetwork;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| InvalidNetwork)?;
        let bits = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| InvalidNetwork)?,
            None => bits,
        };
        if prefix_bits > bits {
            return Err(InvalidNetwork);
        }
        Ok(Self {
            address,
            prefix_bits,
        })
    }
}

/// Finds the client's address and notes it in the request.
pub(super) fn note(request: &mut Request<Body>, trusted: &[Network]) {
    let Some(Peer(peer)) = request.extensions().get::<Peer>().copied() else {
        return;
    };
    let peer = peer.ip().to_canonical();
    let client = if is_trusted(peer, trusted) {
        forwarded(request, trusted).unwrap_or(peer)
    } else {
        peer
    };
    request.extensions_mut().insert(ClientIp(client));
}

/// The last address that no trusted proxy vouches for: what stands before it, anybody may have
/// written.
fn forwarded(request: &Request<Body>, trusted: &[Network]) -> Option<IpAddr> {
    let mut found = None;
    let lines: Vec<_> = request.headers().get_all(X_FORWARDED_FOR).iter().collect();
    for line in lines.into_iter().rev() {
        for part in line.to_str().ok()?.rsplit(',') {
            let address: IpAddr = part.trim().parse().ok()?;
            let address = address.to_canonical();
            found = Some(address);
            if !is_trusted(address, trusted) {
                return found;
            }
        }
    }
    found
}

fn is_trusted(address: IpAddr, trusted: &[Network]) -> bool {
    trusted.iter().any(|network| network.holds(address))
}

fn same_prefix(left: &[u8], right: &[u8], bits: u8) -> bool {
    let (whole, rest) = (usize::from(bits / 8), bits % 8);
    if left[..whole] != right[..whole] {
        return false;
    }
    rest == 0 || (left[whole] ^ right[whole]) >> (8 - rest) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str], trusted: &[&str]) -> String {
        let mut request = Request::new(Body::empty());
        request.extensions_mut().insert(Peer(peer.parse().unwrap()));
        for line in forwarded {
            request
                .headers_mut()
                .append(X_FORWARDED_FOR, line.parse().unwrap());
        }
        let trusted: Vec<Network> = trusted.iter().map(|text| text.parse().unwrap()).collect();
        note(&mut request, &trusted);
        request
            .extensions()
            .get::<ClientIp>()
            .unwrap()
            .0
            .to_string()
    }

    #[test]
    fn nobody_is_believed_by_default() {
        assert_eq!(client("127.0.0.1:9", &["1.2.3.4"], &[]), "127.0.0.1");
    }

    #[test]
    fn a_trusted_proxy_is_believed_about_its_own_peer_only() {
        let trusted = ["10.0.0.0/8", "::1"];
        let cases: [(&str, &[&str], &str); 6] = [
            ("10.1.2.3:9", &["6.6.6.6, 1.2.3.4"], "1.2.3.4"),
            ("10.1.2.3:9", &["6.6.6.6", "1.2.3.4, 10.9.9.9"], "1.2.3.4"),
            ("[::ffff:10.1.2.3]:9", &["2001:db8::1"], "2001:db8::1"),
            ("10.1.2.3:9", &["nonsense"], "10.1.2.3"),
            ("10.1.2.3:9", &[], "10.1.2.3"),
            ("11.1.2.3:9", &["1.2.3.4"], "11.1.2.3"),
        ];
        for (peer, forwarded, expected) in cases {
            assert_eq!(client(peer, forwarded, &trusted), expected, "{peer}");
        }
    }

    #[test]
    fn ranges_have_edges() {
        let network: Network = "172.16.0.0/12".parse().unwrap();
        assert!(network.holds("172.31.255.255".parse().unwrap()));
        assert!(!network.holds("172.32.0.0".parse().unwrap()));
        assert!(!network.holds("::1".parse().unwrap()));
        assert!(
            "0.0.0.0/0"
                .parse::<Network>()
                .unwrap()
                .holds("9.9.9.9".parse().unwrap())
        );
        for bad in ["", "10.0.0.0/33", "::/129", "10.0.0.0/x", "host"] {
            assert_eq!(bad.parse::<Network>(), Err(InvalidNetwork), "{bad}");
        }
    }
}
