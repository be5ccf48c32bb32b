//! The two sections of a project's settings about events on their way in.

use copal_model::InboundSettings;

/// What is set, what each filter has taken, and what is wrong with what was typed.
#[derive(Debug, Clone, Default)]
pub struct InboundForm {
    /// What is set, or was typed.
    pub settings: InboundSettings,
    /// Events that each filter has taken lately, by the filter's name in outcomes.
    pub taken: Vec<(String, u64)>,
    /// Fields that cannot be used, each with the reason as a sentence.
    pub wrong: Vec<(&'static str, String)>,
}

/// Something that is done or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SwitchLine {
    /// The form's field.
    pub field: &'static str,
    /// What is done.
    pub caption: &'static str,
    /// More about it.
    pub hint: &'static str,
    /// Whether it is.
    pub is_on: bool,
    /// Events that it has taken lately.
    pub taken: u64,
}

/// A list, one entry to a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineList {
    /// The form's field.
    pub field: &'static str,
    /// What is listed.
    pub caption: &'static str,
    /// How an entry is written.
    pub hint: &'static str,
    /// The entries.
    pub text: String,
    /// Why it cannot be used.
    pub error: Option<String>,
    /// Events that it has taken lately.
    pub taken: u64,
}

impl InboundForm {
    /// The filters that are on or off.
    pub(super) fn filter_switches(&self) -> [SwitchLine; 4] {
        let filters = &self.settings.filters;
        let line = |field, caption, hint, is_on, filter| SwitchLine {
            field,
            caption,
            hint,
            is_on,
            taken: self.taken_by(filter),
        };
        [
            line(
                "browserExtensions",
                "Browser extensions",
                "What breaks in extensions that visitors of your pages have.",
                filters.browser_extensions.is_on(),
                "browser-extensions",
            ),
            line(
                "webCrawlers",
                "Web crawlers",
                "What search engines and other robots run into.",
                filters.web_crawlers.is_on(),
                "web-crawlers",
            ),
            line(
                "legacyBrowsers",
                "Legacy browsers",
                "Browsers that their makers have given up.",
                filters.legacy_browsers.is_on(),
                "legacy-browsers",
            ),
            line(
                "localhost",
                "Localhost",
                "Pages and users on a developer’s own machine.",
                filters.localhost.is_on(),
                "localhost",
            ),
        ]
    }

    /// The filters that are lists; an empty one is off.
    pub(super) fn filter_lists(&self) -> [LineList; 3] {
        let filters = &self.settings.filters;
        [
            LineList {
                taken: self.taken_by("release-version"),
                ..self.list(
                    "releases",
                    "Releases",
                    "One pattern to a line, such as 1.* or shop@2.0.0-beta*; * is anything.",
                    &filters.releases,
                )
            },
            LineList {
                taken: self.taken_by("error-message"),
                ..self.list(
                    "errorMessages",
                    "Error messages",
                    "One pattern to a line, held against type, value and title, such as *ResizeObserver*.",
                    &filters.error_messages,
                )
            },
            LineList {
                taken: self.taken_by("ip-address"),
                ..self.list(
                    "addresses",
                    "IP addresses",
                    "One address or range to a line, such as 203.0.113.7 or 10.0.0.0/8.",
                    &filters.addresses,
                )
            },
        ]
    }

    /// What is taken out of events, or not.
    pub(super) fn scrub_switches(&self) -> [SwitchLine; 2] {
        let scrubbing = &self.settings.scrubbing;
        [
            SwitchLine {
                field: "secrets",
                caption: "Remove secrets",
                hint: "Passwords, tokens, keys, card and account numbers: by the names of fields and by what values look like.",
                is_on: scrubbing.secrets.is_on(),
                taken: 0,
            },
            SwitchLine {
                field: "scrubAddresses",
                caption: "Remove IP addresses of users",
                hint: "None is inferred from the connection either.",
                is_on: scrubbing.addresses.is_on(),
                taken: 0,
            },
        ]
    }

    /// The project's own words about what is taken out.
    pub(super) fn scrub_lists(&self) -> [LineList; 2] {
        let scrubbing = &self.settings.scrubbing;
        [
            self.list(
                "fields",
                "Own fields",
                "Any field whose name contains one of these loses its value. One to a line, such as patient.",
                &scrubbing.fields,
            ),
            self.list(
                "safeFields",
                "Safe fields",
                "Fields with exactly these names keep theirs. One to a line, such as author.",
                &scrubbing.safe_fields,
            ),
        ]
    }

    fn list(
        &self,
        field: &'static str,
        caption: &'static str,
        hint: &'static str,
        lines: &[String],
    ) -> LineList {
        let wrong = self.wrong.iter().find(|(name, _)| *name == field);
        LineList {
            field,
            caption,
            hint,
            text: lines.join("\n"),
            error: wrong.map(|(_, why)| why.clone()),
            taken: 0,
        }
    }

    fn taken_by(&self, filter: &str) -> u64 {
        let found = self.taken.iter().find(|(name, _)| name == filter);
        found.map_or(0, |(_, events)| *events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_filter_shows_what_it_has_taken_and_no_other() {
        let names = [
            "browser-extensions",
            "web-crawlers",
            "legacy-browsers",
            "localhost",
            "release-version",
            "error-message",
            "ip-address",
        ];
        let taken = names
            .iter()
            .zip(1..)
            .map(|(name, n)| ((*name).to_owned(), n));
        let form = InboundForm {
            taken: taken.collect(),
            ..InboundForm::default()
        };
        let switches = form.filter_switches().map(|line| line.taken);
        let lists = form.filter_lists().map(|line| line.taken);
        assert_eq!((switches, lists), ([1, 2, 3, 4], [5, 6, 7]));
    }
}
