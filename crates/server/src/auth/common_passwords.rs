//! Passwords that everybody guesses first (ASVS 6.2.4): only those long enough to be accepted
//! otherwise are listed, in lower case.

/// Whether a lower-case password is among the first that an attacker tries: listed, one of the
/// listed words with digits or punctuation around it, or a run or repetition of characters.
pub(super) fn is_common(folded: &str) -> bool {
    let core = folded.trim_matches(|c: char| !c.is_alphabetic());
    LIST.contains(&folded)
        || WORDS.contains(&core) && folded.chars().count() <= core.chars().count() + 4
        || is_repetition(folded)
        || is_run(folded)
}

/// One or two characters, or one word of up to four, over and over.
fn is_repetition(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| {
        chars.len() > period * 2
            && period <= 2
            && chars.iter().zip(&chars[period..]).all(|(a, b)| a == b)
            || period > 2
                && chars.len() >= period * 2
                && chars.len().is_multiple_of(period)
                && chars.len() <= 12
                && chars.iter().zip(&chars[period..]).all(|(a, b)| a == b)
    })
}

/// Characters each one after (or before) the last: `abcdefgh`, `87654321`.
fn is_run(text: &str) -> bool {
    let codes: Vec<u32> = text.chars().map(u32::from).collect();
    let up = codes.windows(2).all(|pair| pair[0] + 1 == pair[1]);
    let down = codes.windows(2).all(|pair| pair[0] == pair[1] + 1);
    codes.len() > 1 && (up || down)
}

/// Words that are no better with a few digits or signs around them.
const WORDS: [&str; 64] = [
    "password",
    "passwort",
    "passw",
    "passwd",
    "pass",
    "passord",
    "contrasena",
    "motdepasse",
    "qwerty",
    "qwertz",
    "azerty",
    "qwertyuiop",
    "qwertyui",
    "asdfghjkl",
    "asdfgh",
    "asdf",
    "zxcvbnm",
    "zxcvbn",
    "iloveyou",
    "letmein",
    "welcome",
    "admin",
    "administrator",
    "root",
    "changeme",
    "default",
    "secret",
    "test",
    "testing",
    "tester",
    "guest",
    "user",
    "login",
    "master",
    "monkey",
    "dragon",
    "sunshine",
    "princess",
    "football",
    "baseball",
    "basketball",
    "superman",
    "batman",
    "starwars",
    "pokemon",
    "charlie",
    "michael",
    "jennifer",
    "jordan",
    "ashley",
    "shadow",
    "killer",
    "trustno",
    "whatever",
    "computer",
    "internet",
    "samsung",
    "google",
    "liverpool",
    "chelsea",
    "hello",
    "summer",
    "winter",
    "copal",
];

/// Passwords that are not a word with something around it.
const LIST: [&str; 56] = [
    "123456789",
    "1234567890",
    "123123123",
    "12341234",
    "123454321",
    "1234512345",
    "123456123456",
    "1q2w3e4r",
    "1q2w3e4r5t",
    "1q2w3e4r5t6y",
    "q1w2e3r4",
    "q1w2e3r4t5",
    "1qaz2wsx",
    "1qaz2wsx3edc",
    "qazwsxedc",
    "qazwsx123",
    "zaq12wsx",
    "zaq1zaq1",
    "zaq1xsw2",
    "!qaz2wsx",
    "1qazxsw2",
    "a1b2c3d4",
    "abcd1234",
    "abc123456",
    "abc12345",
    "abcd12345",
    "aa123456",
    "aa12345678",
    "a123456789",
    "a12345678",
    "asd123456",
    "qwe123456",
    "qweasdzxc",
    "qweasd123",
    "qwerasdf",
    "asdfqwer",
    "1234qwer",
    "qwer1234",
    "123qweasd",
    "123qweasdzxc",
    "123abc456",
    "11223344",
    "112233445566",
    "1122334455",
    "01234567",
    "0123456789",
    "9876543210",
    "147258369",
    "159357456",
    "789456123",
    "p@ssw0rd",
    "p@ssword",
    "passw0rd",
    "pa55word",
    "pa$$word",
    "p@$$w0rd",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_digits_around_are_common() {
        for password in [
            "password",
            "password123",
            "!welcome1!",
            "admin1234",
            "87654321",
            "abcdefgh",
            "abababab",
            "test1234",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn long_phrases_are_not() {
        for password in [
            "passwordfortheship",
            "test of the second kind",
            "monkey-tuesday-9431",
            "kkkkl2345",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }
}
