//! Ranges of addresses, as projects write them.

use std::net::IpAddr;

/// An address, or all that begin with the same bits: `10.0.0.0/8`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressRange {
    text: String,
    first: u128,
    bits: u32,
}

/// A text that is no range of addresses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither an address nor a range such as 10.0.0.0/8")]
pub struct BadAddressRange(String);

/// How many bits an address of the old kind has in front as one of the new.
const MAPPED_BITS: u32 = 96;

impl AddressRange {
    /// Reads a range.
    ///
    /// # Errors
    /// When the text is neither an address nor one with a number of bits.
    pub fn parse(text: &str) -> Result<Self, BadAddressRange> {
        let text = text.trim();
        let read = || {
            let (address, bits) = match text.split_once('/') {
                Some((address, bits)) => (address, Some(bits.parse::<u32>().ok()?)),
                None => (text, None),
            };
            let address: IpAddr = address.parse().ok()?;
            let (before, all) = if address.is_ipv4() {
                (MAPPED_BITS, 32)
            } else {
                (0, 128)
            };
            let bits = bits.unwrap_or(all);
            (bits <= all).then(|| Self {
                text: text.to_owned(),
                first: number(address),
                bits: before + bits,
            })
        };
        read().ok_or_else(|| BadAddressRange(text.to_owned()))
    }

    /// The range as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether an address lies in the range.
    pub fn contains(&self, address: IpAddr) -> bool {
        let differing = self.first ^ number(address);
        differing.checked_shr(128 - self.bits).unwrap_or(0) == 0
    }
}

/// An address as a number; those of the old kind as they are mapped into the new.
fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped().to_bits(),
        IpAddr::V6(address) => address.to_bits(),
    }
}
