//! Canaries: marks in every text of the world that say whose it is, and the search for them in all
//! that the server says.
//!
//! A mark is `cnry`, a letter for what it is, and two characters for whose: `cnryeb…` is in an event
//! of tenant B. Ids and secrets that cannot carry a mark are looked up whole.

use std::collections::{BTreeSet, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::site::Answer;

/// What every mark begins with.
const PREFIX: &[u8] = b"cnry";
/// Characters of ids and secrets that are looked up: no word of a page is that long by chance.
const ID_CHARS_MIN: usize = 10;

/// One of the two organizations whose data must stay apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Tenant {
    A,
    B,
}

impl Tenant {
    pub(crate) const BOTH: [Self; 2] = [Self::A, Self::B];

    pub(crate) const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }

    const fn letter(self) -> char {
        match self {
            Self::A => 'a',
            Self::B => 'b',
        }
    }
}

/// Whose a text is: what somebody must be to read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Owner {
    /// Names and addresses of an organization and its projects.
    Org(Tenant),
    /// What its programs sent.
    Event(Tenant),
    /// Its client keys.
    Key(Tenant),
    /// Its own API tokens.
    Token(Tenant),
    /// Ids of a person's API tokens: for them and who may keep the tokens out of an organization.
    Credential(usize),
    /// Name and address of a person: for them and who is in an organization with them.
    Person(usize),
    /// What only the person may read: tokens, sessions, their own organization.
    Private(usize),
    /// A secret as its holder shows it: no answer ever has it.
    Secret,
}

/// The mark of an owner.
pub(crate) fn mark(owner: Owner) -> String {
    match owner {
        Owner::Org(tenant) => format!("cnryo{0}{0}", tenant.letter()),
        Owner::Event(tenant) => format!("cnrye{0}{0}", tenant.letter()),
        Owner::Key(tenant) => format!("cnryk{0}{0}", tenant.letter()),
        Owner::Token(tenant) => format!("cnryt{0}{0}", tenant.letter()),
        Owner::Person(number) => format!("cnryp{number:02}"),
        Owner::Private(number) => format!("cnrys{number:02}"),
        Owner::Secret | Owner::Credential(_) => unreachable!("they are looked up whole"),
    }
}

fn owner_of(mark: &[u8]) -> Option<Owner> {
    let number = || std::str::from_utf8(mark.get(1..3)?).ok()?.parse().ok();
    let tenant = || match mark.get(1..3)? {
        b"aa" => Some(Tenant::A),
        b"bb" => Some(Tenant::B),
        _ => None,
    };
    match mark.first()? {
        b'o' => tenant().map(Owner::Org),
        b'e' => tenant().map(Owner::Event),
        b'k' => tenant().map(Owner::Key),
        b't' => tenant().map(Owner::Token),
        b'p' => number().map(Owner::Person),
        b's' => number().map(Owner::Private),
        _ => None,
    }
}

/// Ids and secrets, and whose they are.
#[derive(Debug, Clone, Default)]
pub(crate) struct Canaries(HashMap<String, Owner>);

impl Canaries {
    /// An id or secret that has no mark.
    pub(crate) fn add(&mut self, text: &str, owner: Owner) {
        assert!(
            text.len() >= ID_CHARS_MIN,
            "{text} is too short to be found"
        );
        self.0.insert(text.to_ascii_lowercase(), owner);
    }

    /// Whose texts there are anywhere in an answer: in its headers, its body, its cookies.
    pub(crate) fn owners_in(&self, answer: &Answer) -> BTreeSet<Owner> {
        let mut found = BTreeSet::new();
        self.search(&answer.body, &mut found);
        for (name, value) in &answer.headers {
            self.search(value.as_bytes(), &mut found);
            if name == "set-cookie" {
                let text = value.to_str().unwrap_or_default();
                let value = text.split(['=', ';']).nth(1).unwrap_or_default();
                if let Ok(decoded) = URL_SAFE_NO_PAD.decode(value) {
                    self.search(&decoded, &mut found);
                }
            }
        }
        let encoding = answer.header("content-encoding");
        assert!(encoding.is_empty(), "teach the search to read {encoding}");
        found
    }

    /// Whose texts there are in some bytes.
    pub(crate) fn search(&self, bytes: &[u8], found: &mut BTreeSet<Owner>) {
        let lower = bytes.to_ascii_lowercase();
        let mut rest = &lower[..];
        while let Some(place) = find(rest) {
            rest = &rest[place + PREFIX.len()..];
            let owner = owner_of(rest);
            found.insert(owner.unwrap_or_else(|| panic!("a mark is cut or unknown")));
        }
        let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-' || *byte == b'_';
        for word in lower.split(|byte| !is_part(byte)) {
            if word.len() >= ID_CHARS_MIN
                && let Ok(word) = std::str::from_utf8(word)
                && let Some(owner) = self.0.get(word)
            {
                found.insert(*owner);
            }
        }
        if lower.windows(7).any(|window| window == b"$argon2") {
            found.insert(Owner::Secret);
        }
    }
}

fn find(bytes: &[u8]) -> Option<usize> {
    let mut from = 0;
    loop {
        let place = from + bytes[from..].iter().position(|byte| *byte == PREFIX[0])?;
        if bytes[place..].starts_with(PREFIX) {
            return Some(place);
        }
        from = place + 1;
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn found(body: &str, cookie: &str) -> Vec<Owner> {
        let mut canaries = Canaries::default();
        canaries.add("0123456789abcdef", Owner::Secret);
        let mut headers = HeaderMap::new();
        headers.insert("set-cookie", HeaderValue::from_str(cookie).unwrap());
        let answer = Answer {
            status: StatusCode::OK,
            headers,
            body: body.as_bytes().to_vec(),
        };
        canaries.owners_in(&answer).into_iter().collect()
    }

    #[test]
    fn marks_and_ids_are_found_wherever_they_are() {
        assert_eq!(found("<b>nothing</b> cn cnr", "a=b"), []);
        assert_eq!(found("xcnryobb-x", "a=b"), [Owner::Org(Tenant::B)]);
        assert_eq!(found("CNRYEAA 1", "a=b"), [Owner::Event(Tenant::A)]);
        assert_eq!(found("\"cnryp07\"", "a=b"), [Owner::Person(7)]);
        assert_eq!(found("/0123456789ABCDEF/", "a=b"), [Owner::Secret]);
        assert_eq!(found("/x0123456789ABCDEF/", "a=b"), []);
        let cookie = format!("n={}; Path=/", URL_SAFE_NO_PAD.encode("Deleted cnrykbb."));
        assert_eq!(found("", &cookie), [Owner::Key(Tenant::B)]);
        assert_eq!(found("$argon2id$v=19", "a=b"), [Owner::Secret]);
    }

    #[test]
    fn every_mark_names_its_owner() {
        for owner in [
            Owner::Org(Tenant::A),
            Owner::Event(Tenant::B),
            Owner::Key(Tenant::A),
            Owner::Token(Tenant::B),
            Owner::Person(12),
            Owner::Private(3),
        ] {
            assert_eq!(
                owner_of(&mark(owner).as_bytes()[PREFIX.len()..]),
                Some(owner)
            );
        }
    }
}
