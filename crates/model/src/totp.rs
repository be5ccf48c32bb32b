//! One-time passwords by time (RFC 6238): what an authenticator app shows, and when it counts.
//!
//! SHA-1, six digits, 30 seconds: the parameters that every app knows. HMAC does not need what SHA-1
//! has lost.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

use crate::{Entropy, Timestamp};

/// Bytes of a secret: as many as SHA-1 makes (RFC 4226, 4).
pub const SECRET_BYTES: usize = 20;
/// Seconds that a code is shown.
pub const STEP_SECS: i64 = 30;
/// Steps before and after now whose codes count: clocks differ, and typing takes time.
pub const DRIFT_STEPS: i64 = 1;
/// Digits of a code.
pub const CODE_DIGITS: usize = 6;
/// Codes that there are.
const CODES: u32 = 1_000_000;
/// RFC 4648, 6.
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// What a person's app and Copal both know. Prints as nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_BYTES]);

impl TotpSecret {
    /// A new secret.
    pub fn new(entropy: &dyn Entropy) -> Self {
        let mut bytes = [0; SECRET_BYTES];
        entropy.fill(&mut bytes);
        Self(bytes)
    }

    /// A secret as it is stored.
    pub const fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(bytes)
    }

    /// As it is stored.
    pub const fn as_bytes(&self) -> &[u8; SECRET_BYTES] {
        &self.0
    }

    /// As people type it into an app.
    pub fn to_base32(&self) -> String {
        base32(&self.0)
    }

    /// As an app reads it from a picture (the `otpauth` format of authenticator apps). `account` is
    /// encoded here.
    pub fn to_uri(&self, account: &str) -> String {
        let mut encoded = String::new();
        for byte in account.bytes() {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                encoded.push(char::from(byte));
            } else {
                encoded.push('%');
                encoded.extend([byte >> 4, byte & 15].map(hex_digit));
            }
        }
        let secret = self.to_base32();
        format!(
            "otpauth://totp/Copal:{encoded}?secret={secret}&issuer=Copal&algorithm=SHA1\
             &digits={CODE_DIGITS}&period={STEP_SECS}"
        )
    }

    /// The code of a step.
    pub fn code(&self, step: i64) -> String {
        let mut mac = Hmac::<Sha1>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(&step.to_be_bytes());
        let digest = mac.finalize().into_bytes();
        let place = usize::from(digest[SECRET_BYTES - 1] & 15);
        let four: [u8; 4] = std::array::from_fn(|byte| digest[place + byte]);
        let number = u32::from_be_bytes(four) & 0x7fff_ffff;
        format!("{:06}", number % CODES)
    }

    /// The step whose code was typed, if it counts at `now`: one of those around it, and later than
    /// `last`, the last one that counted, so that no code counts twice.
    pub fn accept(&self, typed: &str, now: Timestamp, last: Option<i64>) -> Option<i64> {
        let typed: String = typed.chars().filter(|c| !c.is_whitespace()).collect();
        let current = step_at(now);
        (current - DRIFT_STEPS..=current + DRIFT_STEPS)
            .filter(|step| last.is_none_or(|last| *step > last))
            .find(|step| self.code(*step) == typed)
    }
}

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret(…)")
    }
}

/// The step that a time is in.
pub fn step_at(now: Timestamp) -> i64 {
    now.as_second().div_euclid(STEP_SECS)
}

/// Bytes in the alphabet that people can type; five bits a letter, nothing to fill up.
pub fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(letter(bits >> count));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(letter(bits << (5 - count)));
    }
    text
}

fn letter(bits: u32) -> char {
    char::from(BASE32[(bits & 31) as usize])
}

fn hex_digit(half: u8) -> char {
    char::from(b"0123456789ABCDEF"[usize::from(half)])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The secret of RFC 6238, appendix B.
    const RFC: TotpSecret = TotpSecret::from_bytes(*b"12345678901234567890");

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        for (second, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(RFC.code(step_at(at(second))), code);
        }
    }

    #[test]
    fn a_code_counts_one_step_before_and_after_and_no_longer() {
        let now = at(1_800_000_000);
        let step = step_at(now);
        for (drift, counts) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let accepted = RFC.accept(&RFC.code(step + drift), now, None);
            assert_eq!(accepted, counts.then_some(step + drift), "{drift}");
        }
        let spaced = RFC.code(step);
        let spaced = format!(" {} {}", &spaced[..3], &spaced[3..]);
        assert_eq!(RFC.accept(&spaced, now, None), Some(step));
        for wrong in ["", "000", "0000000", "abcdef"] {
            assert_eq!(RFC.accept(wrong, now, None), None);
        }
    }

    #[test]
    fn no_code_counts_twice_nor_one_before_it() {
        let now = at(1_800_000_000);
        let step = step_at(now);
        for earlier in [step - 1, step] {
            assert_eq!(RFC.accept(&RFC.code(earlier), now, Some(step)), None);
        }
        assert_eq!(
            RFC.accept(&RFC.code(step + 1), now, Some(step)),
            Some(step + 1)
        );
    }

    #[test]
    fn base32_is_that_of_the_rfc() {
        for (bytes, text) in [
            ("", ""),
            ("f", "MY"),
            ("fo", "MZXQ"),
            ("foo", "MZXW6"),
            ("foob", "MZXW6YQ"),
            ("fooba", "MZXW6YTB"),
            ("foobar", "MZXW6YTBOI"),
        ] {
            assert_eq!(base32(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn the_uri_names_account_and_secret() {
        assert_eq!(
            RFC.to_uri("ana+x@shop.example"),
            "otpauth://totp/Copal:ana%2Bx%40shop.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=Copal&algorithm=SHA1&digits=6&period=30"
        );
        assert!(!format!("{RFC:?}").contains("123"));
    }
}
