//! How times, counts and sizes read: short on the page, exact on hover.

use std::fmt;

use askama::filters::HtmlSafe;
use copal_model::Timestamp;

/// A time as its age, with the exact time on hover: `5 min ago`.
#[derive(Debug, Clone, Copy)]
pub struct RelativeTime {
    /// The time.
    pub at: Timestamp,
    /// What the age is counted from.
    pub now: Timestamp,
}

impl HtmlSafe for RelativeTime {}

impl fmt::Display for RelativeTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let age = Age::between(self.at, self.now);
        write!(
            f,
            r#"<time datetime="{}" title="{}">{age}</time>"#,
            Machine(self.at),
            Exact(self.at)
        )
    }
}

/// An age in words: `just now`, `5 min ago`, `3 d ago`, `in 2 h`.
#[derive(Debug, Clone, Copy)]
pub struct Age {
    seconds: i64,
}

impl Age {
    /// The age of `at` seen from `now`.
    pub fn between(at: Timestamp, now: Timestamp) -> Self {
        Self {
            seconds: now.as_second().saturating_sub(at.as_second()),
        }
    }

    /// The same without `ago`: how long something has been known.
    pub fn span(self) -> String {
        let (number, unit) = self.parts();
        match number {
            0 => "new".to_owned(),
            _ => format!("{number} {unit}"),
        }
    }

    fn parts(self) -> (i64, &'static str) {
        const MINUTE: i64 = 60;
        const HOUR: i64 = 60 * MINUTE;
        const DAY: i64 = 24 * HOUR;
        const MONTH: i64 = 30 * DAY;
        const YEAR: i64 = 365 * DAY;
        let seconds = self.seconds.saturating_abs();
        let (size, unit) = match seconds {
            ..MINUTE => return (0, "min"),
            MINUTE..HOUR => (MINUTE, "min"),
            HOUR..DAY => (HOUR, "h"),
            DAY..MONTH => (DAY, "d"),
            MONTH..YEAR => (MONTH, "mo"),
            _ => (YEAR, "y"),
        };
        (seconds / size, unit)
    }
}

impl fmt::Display for Age {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.parts(), self.seconds >= 0) {
            ((0, _), _) => f.write_str("just now"),
            ((number, unit), true) => write!(f, "{number} {unit} ago"),
            ((number, unit), false) => write!(f, "in {number} {unit}"),
        }
    }
}

/// A time in full: `2026-11-24 08:10:19 UTC`.
#[derive(Debug, Clone, Copy)]
pub struct Exact(pub Timestamp);

impl HtmlSafe for Exact {}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%d %H:%M:%S UTC").fmt(f)
    }
}

/// A day: `2026-11-24`.
#[derive(Debug, Clone, Copy)]
pub struct Day(pub Timestamp);

impl HtmlSafe for Day {}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%d").fmt(f)
    }
}

/// A time for programs: RFC 3339 to the second.
#[derive(Debug, Clone, Copy)]
pub struct Machine(pub Timestamp);

impl HtmlSafe for Machine {}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").fmt(f)
    }
}

/// A time within its day: `08:10:19`.
#[derive(Debug, Clone, Copy)]
pub struct TimeOfDay(pub Timestamp);

impl HtmlSafe for TimeOfDay {}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            r#"<time datetime="{}" title="{}">{}</time>"#,
            Machine(self.0),
            Exact(self.0),
            self.0.strftime("%H:%M:%S"),
        )
    }
}

/// A count, shortened from a thousand on, with the exact one on hover: `12.4k`.
#[derive(Debug, Clone, Copy)]
pub struct Count(pub u64);

impl HtmlSafe for Count {}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1000 {
            return self.0.fmt(f);
        }
        write!(
            f,
            r#"<span title="{}">{}</span>"#,
            Grouped(self.0),
            Short(self.0)
        )
    }
}

/// A count, shortened: `12.4k`. Always rounded down, so that it never promises more than there is.
#[derive(Debug, Clone, Copy)]
pub struct Short(pub u64);

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (size, unit) = match self.0 {
            ..1_000 => return self.0.fmt(f),
            1_000..1_000_000 => (1_000, "k"),
            1_000_000..1_000_000_000 => (1_000_000, "M"),
            _ => (1_000_000_000, "G"),
        };
        let whole = self.0 / size;
        match (whole, self.0 % size * 10 / size) {
            (100.., _) | (_, 0) => write!(f, "{whole}{unit}"),
            (_, tenths) => write!(f, "{whole}.{tenths}{unit}"),
        }
    }
}

/// A count in full, digits in groups of three: `12,431`.
#[derive(Debug, Clone, Copy)]
pub struct Grouped(pub u64);

impl HtmlSafe for Grouped {}

impl fmt::Display for Grouped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (index, digit) in digits.chars().enumerate() {
            if index > 0 && (digits.len() - index).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// A size: `3.4 KiB`.
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub u64);

impl HtmlSafe for Bytes {}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const KIB: u64 = 1 << 10;
        const MIB: u64 = 1 << 20;
        const GIB: u64 = 1 << 30;
        let (size, unit) = match self.0 {
            ..KIB => return write!(f, "{} B", self.0),
            KIB..MIB => (KIB, "KiB"),
            MIB..GIB => (MIB, "MiB"),
            _ => (GIB, "GiB"),
        };
        write!(f, "{}.{} {unit}", self.0 / size, self.0 % size * 10 / size)
    }
}

/// `part` of `whole` in percent, rounded; 0 of nothing.
pub fn percent(part: u64, whole: u64) -> u64 {
    match whole {
        0 => 0,
        _ => (part.saturating_mul(100) + whole / 2) / whole,
    }
}

/// `1 event`, `2 events`: the noun in the number that `count` needs.
pub fn plural(count: u64, one: &'static str, many: &'static str) -> &'static str {
    if count == 1 { one } else { many }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_as_people_say_them() {
        let age = |seconds: i64| {
            let now = Timestamp::from_second(2_000_000_000).unwrap();
            let at = Timestamp::from_second(2_000_000_000 - seconds).unwrap();
            Age::between(at, now).to_string()
        };
        assert_eq!(age(59), "just now");
        assert_eq!(age(60), "1 min ago");
        assert_eq!(age(3_599), "59 min ago");
        assert_eq!(age(3_600), "1 h ago");
        assert_eq!(age(86_400), "1 d ago");
        assert_eq!(age(30 * 86_400), "1 mo ago");
        assert_eq!(age(365 * 86_400), "1 y ago");
        assert_eq!(age(-7_200), "in 2 h");
    }

    #[test]
    fn relative_time_carries_the_exact_one() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let at = Timestamp::from_second(1_799_999_700).unwrap();
        assert_eq!(
            RelativeTime { at, now }.to_string(),
            r#"<time datetime="2027-01-15T07:55:00Z" title="2027-01-15 07:55:00 UTC">5 min ago</time>"#
        );
    }

    #[test]
    fn counts_shorten_without_promising_more() {
        let short = |count| Short(count).to_string();
        assert_eq!(short(999), "999");
        assert_eq!(short(1_000), "1k");
        assert_eq!(short(12_431), "12.4k");
        assert_eq!(short(99_999), "99.9k");
        assert_eq!(short(999_999), "999k");
        assert_eq!(short(1_000_000), "1M");
        assert_eq!(short(2_550_000_000), "2.5G");
        assert_eq!(Count(7).to_string(), "7");
        assert_eq!(
            Count(12_431).to_string(),
            r#"<span title="12,431">12.4k</span>"#
        );
        assert_eq!(Grouped(1_234_567).to_string(), "1,234,567");
    }

    #[test]
    fn sizes_use_powers_of_two() {
        assert_eq!(Bytes(1_023).to_string(), "1023 B");
        assert_eq!(Bytes(3_482).to_string(), "3.4 KiB");
        assert_eq!(Bytes(5 << 20).to_string(), "5.0 MiB");
    }

    #[test]
    fn percents_round() {
        assert_eq!(percent(1, 3), 33);
        assert_eq!(percent(2, 3), 67);
        assert_eq!(percent(5, 0), 0);
    }
}
