//! The conditions of a SQL statement, and the statement without one of them.

use std::ops::Range;

/// Words that name whose a row is, or who may use it. A condition with one of them is a protection.
const HOLDERS: [&str; 9] = [
    "org_id",
    "project_id",
    "issue_id",
    "user_id",
    "personal_user_id",
    "secret_hash",
    "public_key",
    "expires_at",
    "is_active",
];
/// Words that begin a list of conditions.
const BEGINNINGS: [&str; 3] = ["where", "on", "having"];
/// Words that end one.
const ENDS: [&str; 14] = [
    "group",
    "order",
    "limit",
    "union",
    "join",
    "left",
    "inner",
    "cross",
    "returning",
    "window",
    "set",
    "do",
    "except",
    "intersect",
];
/// Characters of a statement that name it.
const NAME_CHARS: usize = 64;

/// A condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// Where it is in the statement.
    pub place: Range<usize>,
    /// How it reads: without what differs from call to call.
    pub text: String,
    /// Which of those that read the same.
    pub number: usize,
}

/// The conditions that protect something: those that name a holder, and where there is none, those
/// about an id.
pub fn protections(sql: &str) -> Vec<Condition> {
    let all = conditions(sql);
    let names = |words: &[&str]| {
        let is_named = |condition: &&Condition| {
            let words_of = tokens(&condition.text);
            words_of.iter().any(|token| {
                let word = &condition.text[token.clone()];
                words.contains(&word)
            })
        };
        all.iter().filter(is_named).cloned().collect::<Vec<_>>()
    };
    let by_holder = names(&HOLDERS);
    if by_holder.is_empty() {
        names(&["id"])
    } else {
        by_holder
    }
}

/// The statement with a condition that always holds. Its parameters stay.
pub fn without(sql: &str, condition: &Condition) -> String {
    let Range { start, end } = condition.place;
    format!(
        "{}({} or true){}",
        &sql[..start],
        &sql[start..end],
        &sql[end..]
    )
}

/// How a statement begins, without what differs from call to call.
pub fn name(sql: &str) -> String {
    normalized(sql).chars().take(NAME_CHARS).collect()
}

/// What stands between one pair of brackets, as far as it has been read.
#[derive(Default)]
struct Level {
    is_in_conditions: bool,
    start: Option<usize>,
    end: usize,
    open_cases: usize,
    is_between: bool,
}

impl Level {
    /// Ends the condition that is being read.
    fn close(&mut self, found: &mut Vec<Range<usize>>) {
        if let Some(start) = self.start.take() {
            found.push(start..self.end);
        }
    }
}

/// All conditions, in the order in which they begin.
fn conditions(sql: &str) -> Vec<Condition> {
    let tokens = tokens(sql);
    let word = |at: usize| {
        tokens
            .get(at)
            .map(|token| sql[token.clone()].to_ascii_lowercase())
    };
    let mut found = Vec::new();
    let mut levels = vec![Level::default()];
    for (at, token) in tokens.iter().enumerate() {
        let text = word(at).unwrap_or_default();
        if text == ")" {
            if let Some(mut level) = levels.pop() {
                level.close(&mut found);
            }
            if levels.is_empty() {
                levels.push(Level::default());
            }
        }
        let Some(level) = levels.last_mut() else {
            break;
        };
        let begins = BEGINNINGS.contains(&&*text)
            && word(at + 1).is_none_or(|next| next != "conflict" && next != "delete");
        match &*text {
            "case" => level.open_cases += 1,
            "end" if level.open_cases > 0 => level.open_cases -= 1,
            _ if level.open_cases > 0 => {}
            "and" if level.is_between => level.is_between = false,
            "between" => level.is_between = true,
            "and" | "or" if level.is_in_conditions => {
                level.close(&mut found);
                continue;
            }
            text if begins || ENDS.contains(&text) => {
                level.close(&mut found);
                level.is_in_conditions = begins;
                continue;
            }
            _ => {}
        }
        if level.is_in_conditions {
            level.start.get_or_insert(token.start);
            level.end = token.end;
        }
        if text == "(" {
            levels.push(Level::default());
        }
    }
    for level in &mut levels {
        level.close(&mut found);
    }
    named(sql, found)
}

fn named(sql: &str, mut found: Vec<Range<usize>>) -> Vec<Condition> {
    found.sort_by_key(|place| place.start);
    let mut named: Vec<Condition> = Vec::new();
    for place in found {
        let text = normalized(&sql[place.clone()]);
        let number = named.iter().filter(|other| other.text == text).count();
        named.push(Condition {
            place,
            text,
            number,
        });
    }
    named
}

/// The text with single blanks, without numbers and with lists of parameters of one length.
fn normalized(sql: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    for token in tokens(sql) {
        let text = &sql[token];
        let is_number = text.starts_with(|first: char| first.is_ascii_digit());
        words.push(if is_number {
            "#".to_owned()
        } else {
            text.to_owned()
        });
    }
    let mut text = words.join(" ");
    while text.contains("? , ?") {
        text = text.replace("? , ?", "?");
    }
    text.replace(" . ", ".")
        .replace("( ", "(")
        .replace(" )", ")")
}

/// Words, numbers, parameters, strings and signs, by where they are.
fn tokens(sql: &str) -> Vec<Range<usize>> {
    let bytes = sql.as_bytes();
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let first = bytes[at];
        let rest = &bytes[at + 1..];
        let length = match first {
            b' ' | b'\n' | b'\t' => {
                at += 1;
                continue;
            }
            b'\'' => rest
                .iter()
                .position(|byte| *byte == b'\'')
                .map_or(rest.len(), |end| end + 1),
            _ if is_word(&first) || first == b'?' || first == b'$' => {
                rest.iter().take_while(|byte| is_word(byte)).count()
            }
            _ => 0,
        };
        tokens.push(at..at + 1 + length);
        at += 1 + length;
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(sql: &str) -> Vec<String> {
        conditions(sql).into_iter().map(|one| one.text).collect()
    }

    #[test]
    fn conditions_are_found_wherever_they_are() {
        assert_eq!(
            texts("select a from t where org_id = ?1 and id = ?2 order by a limit 5"),
            ["org_id = ?1", "id = ?2"]
        );
        assert_eq!(
            texts("update t set a = 1 where b in (select id from p where org_id = ?) and c > 7"),
            [
                "b in (select id from p where org_id = ?)",
                "org_id = ?",
                "c > #"
            ]
        );
        assert_eq!(
            texts("select 1 from a join b on b.id = a.id left join c on c.x = 1 where a.y = 2"),
            ["b.id = a.id", "c.x = #", "a.y = #"]
        );
        assert_eq!(
            texts("insert into t (a) values (1) on conflict (a) do update set b = 2 where c = 3"),
            ["c = #"]
        );
    }

    #[test]
    fn ranges_and_cases_stay_whole() {
        assert_eq!(
            texts("select 1 from t where a between 1 and 2 and b = case when c and d then 1 end"),
            ["a between # and #", "b = case when c and d then # end"]
        );
        assert_eq!(
            texts("select 1 where (a = 1 or b = 2) or c = 'x and y'"),
            ["(a = # or b = #)", "c = 'x and y'"]
        );
    }

    #[test]
    fn protections_are_about_holders() {
        let of = |sql| {
            let found = protections(sql).into_iter();
            found.map(|one| one.text).collect::<Vec<_>>()
        };
        assert_eq!(
            of("delete from k where org_id = ? and id = ? and org_id_of = 1"),
            ["org_id = ?"]
        );
        assert_eq!(
            of("select 1 from o where o.id = $1 and name = $2"),
            ["o.id = $1"]
        );
    }

    #[test]
    fn what_differs_from_call_to_call_names_nothing() {
        let texts = |sql| texts(sql).concat();
        assert_eq!(
            texts("select 1 where a in (?, ?, ?) and b = 12"),
            texts("select 1 where a in (?) and b = 7")
        );
        let twice = conditions("select 1 where a = 1 and a = 2");
        assert_eq!((twice[0].number, twice[1].number), (0, 1));
    }

    #[test]
    fn a_statement_without_a_condition_keeps_its_parameters() {
        let sql = "select 1 from t where org_id = ?1 and id = ?2";
        assert_eq!(
            without(sql, &conditions(sql)[0]),
            "select 1 from t where (org_id = ?1 or true) and id = ?2"
        );
    }
}
