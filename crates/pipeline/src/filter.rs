//! Step 4: inbound filters: events that a project does not want, told by the event alone.
//!
//! A filtered event is counted as an outcome with the filter's name, and not kept. Each filter is one
//! switch or one list; nothing is filtered unless a project asks for it.

mod addresses;
mod browsers;
mod extensions;

use std::net::IpAddr;

use copal_grouping::rules::Pattern;
use copal_model::{FilterSettings, Switch};
use copal_protocol::Event;
use copal_protocol::event::Exception;

pub use addresses::{AddressRange, BadAddressRange};

use crate::user_agent::is_crawler;

/// What a project does not want, ready to be asked event by event.
#[derive(Debug, Default)]
pub struct Filters {
    /// Errors of browser extensions.
    browser_extensions: Switch,
    /// What programs see that visit by themselves.
    web_crawlers: Switch,
    /// Errors of browsers that their makers gave up.
    legacy_browsers: Switch,
    /// Errors of developers' own machines.
    localhost: Switch,
    /// Releases.
    releases: Patterns,
    /// Messages, types, values, or types and values as titles write them.
    error_messages: Patterns,
    /// Addresses that events come from or users have.
    addresses: Vec<AddressRange>,
}

/// Patterns with their texts, in the project's order.
#[derive(Debug, Default)]
struct Patterns(Vec<(String, Pattern)>);

/// The filter that an event is caught by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caught<'f> {
    /// The filter's name, as outcomes have it.
    pub filter: &'static str,
    /// The pattern or range, where the filter is a list.
    pub rule: Option<&'f str>,
}

/// A line of a project's filters that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of {list}: {problem}")]
pub struct BadLine {
    /// Which list: `releases`, `error messages`, `addresses`.
    pub list: &'static str,
    /// Which line of it, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl Patterns {
    fn read(list: &'static str, lines: &[String], problems: &mut Vec<BadLine>) -> Self {
        let read = |line: &str| match Pattern::any_case(line) {
            Ok(pattern) => Ok((line.to_owned(), pattern)),
            Err(problem) => Err(problem.to_string()),
        };
        Self(read_lines(list, lines, problems, read))
    }

    fn find(&self, text: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(_, pattern)| pattern.matches(text))
            .map(|(line, _)| line.as_str())
    }
}

/// Reads each line of a list, and keeps those that can be used.
fn read_lines<T>(
    list: &'static str,
    lines: &[String],
    problems: &mut Vec<BadLine>,
    read: impl Fn(&str) -> Result<T, String>,
) -> Vec<T> {
    let mut kept = Vec::with_capacity(lines.len());
    for (index, line) in lines.iter().enumerate() {
        match read(line) {
            Ok(read) => kept.push(read),
            Err(problem) => problems.push(BadLine {
                list,
                line: index + 1,
                problem,
            }),
        }
    }
    kept
}

impl Filters {
    /// The filters that a project asks for, and the lines that cannot be used.
    pub fn of(settings: &FilterSettings) -> (Self, Vec<BadLine>) {
        let mut problems = Vec::new();
        let read = |line: &str| AddressRange::parse(line).map_err(|error| error.to_string());
        let filters = Self {
            browser_extensions: settings.browser_extensions,
            web_crawlers: settings.web_crawlers,
            legacy_browsers: settings.legacy_browsers,
            localhost: settings.localhost,
            releases: Patterns::read("releases", &settings.releases, &mut problems),
            error_messages: Patterns::read(
                "error messages",
                &settings.error_messages,
                &mut problems,
            ),
            addresses: read_lines("addresses", &settings.addresses, &mut problems, read),
        };
        (filters, problems)
    }

    /// The filter that catches an event, which is normalised and came from `client_ip`.
    pub fn check(&self, event: &Event<'_>, client_ip: Option<IpAddr>) -> Option<Caught<'_>> {
        let caught = |filter| Caught { filter, rule: None };
        if let Some(range) = self.address(event, client_ip) {
            return Some(Caught {
                filter: "ip-address",
                rule: Some(range),
            });
        }
        if let Some(line) = event
            .release
            .as_deref()
            .and_then(|text| self.releases.find(text))
        {
            return Some(Caught {
                filter: "release-version",
                rule: Some(line),
            });
        }
        if self.localhost == Switch::On && is_local(event) {
            return Some(caught("localhost"));
        }
        if self.browser_extensions == Switch::On && extensions::is_of_extension(event) {
            return Some(caught("browser-extensions"));
        }
        if let Some(agent) = user_agent(event) {
            if self.legacy_browsers == Switch::On && browsers::is_legacy(agent) {
                return Some(caught("legacy-browsers"));
            }
            if self.web_crawlers == Switch::On && is_crawler(agent) {
                return Some(caught("web-crawlers"));
            }
        }
        let line = self.message(event)?;
        Some(Caught {
            filter: "error-message",
            rule: Some(line),
        })
    }

    fn address(&self, event: &Event<'_>, client_ip: Option<IpAddr>) -> Option<&str> {
        if self.addresses.is_empty() {
            return None;
        }
        let of_user = event
            .user
            .as_ref()
            .and_then(|user| user.ip_address.as_deref());
        let of_user = of_user.and_then(|text| text.parse().ok());
        let addresses = [client_ip, of_user];
        self.addresses
            .iter()
            .find(|range| {
                addresses
                    .iter()
                    .flatten()
                    .any(|address| range.contains(*address))
            })
            .map(AddressRange::as_str)
    }

    fn message(&self, event: &Event<'_>) -> Option<&str> {
        if self.error_messages.0.is_empty() {
            return None;
        }
        let entry = event.logentry.as_ref();
        let logged = entry
            .into_iter()
            .flat_map(|entry| [&entry.formatted, &entry.message]);
        let mut logged = logged
            .flatten()
            .filter_map(|text| self.error_messages.find(text));
        logged.next().or_else(|| {
            event
                .exceptions
                .iter()
                .find_map(|exception| self.exception(exception))
        })
    }

    fn exception(&self, exception: &Exception<'_>) -> Option<&str> {
        let (kind, value) = (exception.kind.as_deref(), exception.value.as_deref());
        let mut alone = [value, kind].into_iter().flatten();
        alone
            .find_map(|text| self.error_messages.find(text))
            .or_else(|| {
                let title = format!("{}: {}", kind?, value?);
                self.error_messages.find(&title)
            })
    }
}

fn user_agent<'e>(event: &'e Event<'_>) -> Option<&'e str> {
    event.request.as_ref()?.headers.get("User-Agent")
}

/// Whether the user, or the page, is on the developer's own machine.
fn is_local(event: &Event<'_>) -> bool {
    let address = event
        .user
        .as_ref()
        .and_then(|user| user.ip_address.as_deref());
    let address: Option<IpAddr> = address.and_then(|text| text.parse().ok());
    if address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    let url = event
        .request
        .as_ref()
        .and_then(|request| request.url.as_deref());
    let Some((_, rest)) = url.and_then(|url| url.split_once("://")) else {
        return false;
    };
    let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => host.rsplit_once(':').map_or(host, |(host, _)| host),
    };
    let is_loopback = host
        .parse::<IpAddr>()
        .is_ok_and(|address| address.is_loopback());
    is_loopback || host == "localhost" || host.ends_with(".localhost")
}

#[cfg(test)]
mod tests;
