//! Counts over time as bars, drawn as SVG that needs no style of its own.

use std::fmt;

use askama::filters::HtmlSafe;
use copal_model::Timestamp;

use crate::format::{Exact, Grouped, plural};

/// Counts over time, in bars of equal length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trend {
    /// Start of the first bar.
    pub since: Timestamp,
    /// End of the last bar.
    pub until: Timestamp,
    /// Counts, oldest first.
    pub bars: Vec<u64>,
}

impl Trend {
    /// Sums `points` (a time and a count each) into `bars` bars from `since` to `until`; points
    /// outside are left out.
    ///
    /// An hour's count carries the start of its hour: where `since` lies within the hour, the
    /// hour's count goes into the first bar.
    pub fn from_points(
        points: impl IntoIterator<Item = (Timestamp, u64)>,
        since: Timestamp,
        until: Timestamp,
        bars: usize,
    ) -> Self {
        const HOUR_SECS: i64 = 3_600;
        let mut trend = Self {
            since,
            until,
            bars: vec![0; bars.max(1)],
        };
        let length = (until.as_second() - since.as_second()).max(1);
        let last = trend.bars.len() - 1;
        for (at, count) in points {
            let offset = at.as_second() - since.as_second();
            if offset <= -HOUR_SECS || offset > length {
                continue;
            }
            let bar = i128::from(offset.max(0)) * trend.bars.len() as i128 / i128::from(length);
            let bar = usize::try_from(bar).unwrap_or(last).min(last);
            trend.bars[bar] = trend.bars[bar].saturating_add(count);
        }
        trend
    }

    /// All counts together.
    pub fn total(&self) -> u64 {
        self.bars
            .iter()
            .fold(0, |sum, bar| sum.saturating_add(*bar))
    }

    /// The highest count.
    pub fn peak(&self) -> u64 {
        self.bars.iter().copied().max().unwrap_or(0)
    }

    /// A small picture for a row of a list.
    pub fn sparkline(&self) -> Sparkline<'_> {
        Sparkline(self)
    }

    /// A large picture with a title on every bar.
    pub fn graph(&self) -> Graph<'_> {
        Graph(self)
    }

    /// What the picture shows, for those who cannot see it.
    pub fn summary(&self) -> String {
        let total = self.total();
        format!(
            "{} {} in {}, {}",
            Grouped(total),
            plural(total, "event", "events"),
            length_words(self.until.as_second() - self.since.as_second()),
            self.peak_words(),
        )
    }

    /// How high the highest bar is: `at most 8 in 6 hours`.
    pub fn peak_words(&self) -> String {
        let bar = length_words(self.bar_secs());
        format!("at most {} in {bar}", Grouped(self.peak()))
    }

    fn bar_secs(&self) -> i64 {
        let bars = i64::try_from(self.bars.len()).unwrap_or(i64::MAX);
        (self.until.as_second() - self.since.as_second()) / bars.max(1)
    }

    fn bar_start(&self, index: usize) -> Timestamp {
        let secs = self.bar_secs() * i64::try_from(index).unwrap_or(0);
        Timestamp::from_second(self.since.as_second() + secs).unwrap_or(self.since)
    }

    /// Height of a bar of `height` at most; what is there at all has at least one unit.
    fn bar_height(&self, count: u64, height: u64) -> u64 {
        match (count, self.peak()) {
            (0, _) | (_, 0) => 0,
            (count, peak) => {
                let scaled = u128::from(count) * u128::from(height) / u128::from(peak);
                u64::try_from(scaled).unwrap_or(height).max(1)
            }
        }
    }
}

fn length_words(secs: i64) -> String {
    match (secs / 86_400, secs / 3_600) {
        (2.., _) => format!("{} days", secs / 86_400),
        (_, 2..) => format!("{} hours", secs / 3_600),
        (_, 1) => "1 hour".to_owned(),
        _ => format!("{} minutes", secs / 60),
    }
}

/// A small picture for a row of a list.
#[derive(Debug)]
pub struct Sparkline<'a>(&'a Trend);

impl HtmlSafe for Sparkline<'_> {}

impl fmt::Display for Sparkline<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEIGHT: u64 = 24;
        const STEP: usize = 4;
        let trend = self.0;
        write!(
            f,
            r#"<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}"><path d="M0 {HEIGHT}.5H{}" class="spark-base"/>"#,
            trend.bars.len() * STEP,
            HEIGHT + 1,
            trend.summary(),
            trend.bars.len() * STEP,
        )?;
        f.write_str(r#"<path class="spark-bars" d=""#)?;
        for (index, &count) in trend.bars.iter().enumerate() {
            let height = trend.bar_height(count, HEIGHT);
            if height > 0 {
                write!(f, "M{} {HEIGHT}v-{height}h3v{height}z", index * STEP)?;
            }
        }
        f.write_str(r#""/></svg>"#)
    }
}

/// A large picture with a title on every bar.
#[derive(Debug)]
pub struct Graph<'a>(&'a Trend);

impl HtmlSafe for Graph<'_> {}

impl fmt::Display for Graph<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HEIGHT: u64 = 80;
        const STEP: usize = 10;
        let trend = self.0;
        write!(
            f,
            r#"<svg class="graph" viewBox="0 0 {} {HEIGHT}" preserveAspectRatio="none" role="img" aria-label="{}">"#,
            trend.bars.len() * STEP,
            trend.summary(),
        )?;
        for (index, &count) in trend.bars.iter().enumerate() {
            let height = trend.bar_height(count, HEIGHT);
            let x = index * STEP;
            write!(
                f,
                r#"<g><title>{} {}, {} from {}</title><rect class="graph-hit" x="{x}" y="0" width="{STEP}" height="{HEIGHT}"/>"#,
                Grouped(count),
                plural(count, "event", "events"),
                length_words(trend.bar_secs()),
                Exact(trend.bar_start(index)),
            )?;
            if height > 0 {
                write!(
                    f,
                    r#"<rect class="graph-bar" x="{}" y="{}" width="{}" height="{height}"/>"#,
                    x + 1,
                    HEIGHT - height,
                    STEP - 2,
                )?;
            }
            f.write_str("</g>")?;
        }
        f.write_str("</svg>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(hour: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + hour * 3_600).unwrap()
    }

    #[test]
    fn sums_hours_into_bars() {
        let points = [
            (at(-1), 100),
            (at(0), 1),
            (at(5), 2),
            (at(6), 4),
            (at(24), 8),
            (at(25), 100),
        ];
        let trend = Trend::from_points(points, at(0), at(24), 4);
        assert_eq!(trend.bars, [3, 4, 0, 8]);
        assert_eq!(trend.total(), 15);
        assert_eq!(
            trend.summary(),
            "15 events in 24 hours, at most 8 in 6 hours"
        );
    }

    #[test]
    fn hour_that_the_start_cuts_counts_in_the_first_bar() {
        let since = Timestamp::from_second(at(0).as_second() + 1_800).unwrap();
        assert_eq!(
            Trend::from_points([(at(0), 5)], since, at(24), 2).bars,
            [5, 0]
        );
    }

    #[test]
    fn smallest_bar_is_seen() {
        let trend = Trend {
            since: at(0),
            until: at(3),
            bars: vec![1, 0, 1_000_000],
        };
        let svg = trend.sparkline().to_string();
        assert!(svg.contains("M0 24v-1h3v1z"), "{svg}");
        assert!(!svg.contains("M4 24"), "{svg}");
        assert!(svg.contains("M8 24v-24h3v24z"), "{svg}");
    }
}
