//! Bank accounts (ISO 13616): a country, two check digits, and as many characters as the country has.

/// Characters of an account by country, as the registry of 2024 has them.
const LENGTHS: &[(&str, usize)] = &[
    ("AD", 24),
    ("AE", 23),
    ("AL", 28),
    ("AT", 20),
    ("AZ", 28),
    ("BA", 20),
    ("BE", 16),
    ("BG", 22),
    ("BH", 22),
    ("BR", 29),
    ("BY", 28),
    ("CH", 21),
    ("CR", 22),
    ("CY", 28),
    ("CZ", 24),
    ("DE", 22),
    ("DK", 18),
    ("DO", 28),
    ("EE", 20),
    ("EG", 29),
    ("ES", 24),
    ("FI", 18),
    ("FO", 18),
    ("FR", 27),
    ("GB", 22),
    ("GE", 22),
    ("GI", 23),
    ("GL", 18),
    ("GR", 27),
    ("GT", 28),
    ("HR", 21),
    ("HU", 28),
    ("IE", 22),
    ("IL", 23),
    ("IQ", 23),
    ("IS", 26),
    ("IT", 27),
    ("JO", 30),
    ("KW", 30),
    ("KZ", 20),
    ("LB", 28),
    ("LI", 21),
    ("LT", 20),
    ("LU", 20),
    ("LV", 21),
    ("MC", 27),
    ("MD", 24),
    ("ME", 22),
    ("MK", 19),
    ("MR", 27),
    ("MT", 31),
    ("MU", 30),
    ("NL", 18),
    ("NO", 15),
    ("PK", 24),
    ("PL", 28),
    ("PS", 29),
    ("PT", 25),
    ("QA", 29),
    ("RO", 24),
    ("RS", 22),
    ("SA", 24),
    ("SE", 24),
    ("SI", 19),
    ("SK", 24),
    ("SM", 27),
    ("TN", 24),
    ("TR", 26),
    ("UA", 29),
    ("VA", 22),
    ("VG", 24),
    ("XK", 20),
];

/// Bytes of the account that a text begins with, spaces included; none where it begins with no account.
pub(super) fn account_at_start(text: &str) -> Option<usize> {
    let country = text.get(..2)?;
    let (_, length) = LENGTHS.iter().find(|(name, _)| *name == country)?;
    let mut account = Vec::with_capacity(*length);
    let mut end = 0;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b' ' if at > 0 => continue,
            _ if byte.is_ascii_uppercase() || byte.is_ascii_digit() => account.push(byte),
            _ => return None,
        }
        if account.len() == *length {
            end = at + 1;
            break;
        }
    }
    let goes_on = text
        .as_bytes()
        .get(end)
        .is_some_and(u8::is_ascii_alphanumeric);
    (end > 0 && !goes_on && has_check_digits(&account)).then_some(end)
}

/// The remainder by 97 of the account as a number, its first four characters last, is 1.
fn has_check_digits(account: &[u8]) -> bool {
    let (first, rest) = account.split_at(4);
    let remainder = rest.iter().chain(first).fold(0_u32, |sum, byte| {
        if byte.is_ascii_digit() {
            (sum * 10 + u32::from(byte - b'0')) % 97
        } else {
            (sum * 100 + u32::from(byte - b'A') + 10) % 97
        }
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_told_by_their_check_digits() {
        assert_eq!(account_at_start("DE89370400440532013000"), Some(22));
        assert_eq!(
            account_at_start("DE89 3704 0044 0532 0130 00 EUR"),
            Some(27)
        );
        assert_eq!(account_at_start("GB82 WEST 1234 5698 7654 32"), Some(27));
        assert_eq!(account_at_start("NO9386011117947."), Some(15));
        for text in [
            "",
            "D",
            "é",
            "DE89370400440532013001",
            "DE8937040044053201300",
            "DE893704004405320130000",
            "XX89370400440532013000",
            "DE89-3704-0044-0532-0130-00",
        ] {
            assert_eq!(account_at_start(text), None, "{text}");
        }
    }
}
