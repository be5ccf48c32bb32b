//! Settings: flags, then `COPAL_*` variables, then `copal.toml`, then defaults.
//!
//! Clap reads the flags and their variables; the rest is composed and checked here, and every
//! message names the key and what it accepts.

mod plans;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use copal_model::{Plan, Plans};
use copal_server::app::SignupMode;
use copal_server::auth::secret::Secret;
use copal_server::middleware::client_ip::Network;
use serde::Deserialize;

/// The file that is read when none is named, if it is there.
const FILE_NAME: &str = "copal.toml";
/// Where data goes by default.
const DATA_DEFAULT: &str = "./copal-data";
/// Where the server listens by default.
const LISTEN_DEFAULT: &str = "127.0.0.1:8000";
/// The log filter by default.
const LOG_DEFAULT: &str = "info";
/// What an operator says who starts a server that could lose what it acknowledges.
const ACCEPTED_LOSS: &str = "acknowledged-events-may-be-lost";

/// Characters of the operator's token at least: 128 bits in base 64, and then some.
const OPERATOR_TOKEN_CHARS_MIN: usize = 24;

/// What flags say; each stands above variables and file.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Flags {
    /// Folder with all data [default: ./copal-data]
    #[arg(long, global = true, value_name = "DIR", env = "COPAL_DATA")]
    pub(crate) data: Option<PathBuf>,
    /// Settings file [default: copal.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE", env = "COPAL_CONFIG")]
    pub(crate) config: Option<PathBuf>,
    /// PostgreSQL database [default: SQLite in the data folder]
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "COPAL_DATABASE_URL",
        // There is a password in it.
        hide_env_values = true,
        value_parser = secret
    )]
    pub(crate) database_url: Option<Secret>,
}

/// All settings, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Folder with all data.
    pub(crate) data: PathBuf,
    /// The PostgreSQL database; `None` = SQLite in the data folder.
    pub(crate) database_url: Option<Secret>,
    /// Where the server listens; port 0 picks a free one.
    pub(crate) listen: SocketAddr,
    /// The address users see, without a slash at the end; `None` = the one it listens on.
    pub(crate) base_url: Option<String>,
    /// Who may sign up.
    pub(crate) signup: SignupMode,
    /// Plan of new organizations.
    pub(crate) default_plan: Plan,
    /// What the organizations of each plan may use.
    pub(crate) plans: Plans,
    /// Where owners buy another plan.
    pub(crate) billing_url: Option<String>,
    /// Log filter.
    pub(crate) log: String,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub(crate) trusted_proxies: Vec<Network>,
    /// Lets an operator read the metrics from another machine.
    pub(crate) operator_token: Option<Secret>,
    /// What to do where what is acknowledged could be lost.
    pub(crate) risk: Risk,
}

/// What to do where what is acknowledged could be lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Risk {
    /// The server does not start.
    Refused,
    /// It starts, and says so.
    Accepted,
}

/// The settings file.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct SettingsFile {
    data: Option<PathBuf>,
    listen: Option<String>,
    database_url: Option<String>,
    database_url_file: Option<PathBuf>,
    base_url: Option<String>,
    signup: Option<String>,
    default_plan: Option<String>,
    plans: plans::PlansFile,
    billing_url: Option<String>,
    log: Option<String>,
    trusted_proxies: Option<Vec<String>>,
    operator_token: Option<String>,
    operator_token_file: Option<PathBuf>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    accept_loss: Option<String>,
}

impl Config {
    /// Composes the settings. `listen` is what the flag `--listen` says, `variable` reads the
    /// environment.
    pub(crate) fn load(
        flags: &Flags,
        listen: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self> {
        let file = read_file(flags.config.as_deref())?;
        let pick = |name: &str, in_file: Option<String>| variable(name).or(in_file);
        let database_url = match (
            flags.database_url.clone(),
            variable("COPAL_DATABASE_URL_FILE"),
        ) {
            // A flag or a variable stands above the file.
            (Some(url), _) => Some(url),
            (None, Some(path)) => read_secret("database_url", None, Some(path.into()))?,
            (None, None) => read_secret("database_url", file.database_url, file.database_url_file)?,
        };
        if pick("COPAL_SMTP_URL", file.smtp_url).is_some()
            || pick("COPAL_MAIL_FROM", file.mail_from).is_some()
        {
            bail!("`smtp_url` and `mail_from` are not supported yet: leave them out");
        }
        let operator_token = match (
            variable("COPAL_OPERATOR_TOKEN"),
            variable("COPAL_OPERATOR_TOKEN_FILE"),
        ) {
            // Variables stand above the file, both of them.
            (None, None) => operator_token(file.operator_token, file.operator_token_file),
            (token, token_file) => operator_token(token, token_file.map(PathBuf::from)),
        }?;
        let listen = listen
            .map(str::to_owned)
            .or_else(|| pick("COPAL_LISTEN", file.listen));
        Ok(Self {
            data: flags
                .data
                .clone()
                .or(file.data)
                .unwrap_or_else(|| DATA_DEFAULT.into()),
            listen: parse_listen(listen.as_deref().unwrap_or(LISTEN_DEFAULT))?,
            base_url: pick("COPAL_BASE_URL", file.base_url)
                .map(|url| parse_base_url(&url))
                .transpose()?,
            signup: parse_signup(pick("COPAL_SIGNUP", file.signup).as_deref())?,
            default_plan: pick("COPAL_DEFAULT_PLAN", file.default_plan)
                .map_or(Ok(Plan::Free), |text| parse_plan(&text))?,
            plans: plans::compose(&file.plans, &variable)?,
            billing_url: pick("COPAL_BILLING_URL", file.billing_url)
                .map(|url| parse_billing_url(&url))
                .transpose()?,
            log: pick("COPAL_LOG", file.log).unwrap_or_else(|| LOG_DEFAULT.to_owned()),
            trusted_proxies: parse_trusted_proxies(
                variable("COPAL_TRUSTED_PROXIES").as_deref(),
                file.trusted_proxies,
            )?,
            database_url: database_url.map(parse_database_url).transpose()?.flatten(),
            operator_token,
            risk: parse_risk(pick("COPAL_ACCEPT_LOSS", file.accept_loss).as_deref())?,
        })
    }
}

fn read_file(named: Option<&Path>) -> Result<SettingsFile> {
    let path = named.unwrap_or(Path::new(FILE_NAME));
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if named.is_none() && error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(SettingsFile::default());
        }
        Err(error) => {
            return Err(error)
                .with_context(|| format!("cannot read the settings file {}", path.display()));
        }
    };
    toml::from_str(&text).map_err(|error| {
        let message = error.message().replace('\n', " ");
        anyhow::anyhow!(
            "the settings file {} cannot be used: {message}",
            path.display()
        )
    })
}

/// An address that is empty is none: some tools cannot leave a variable out.
fn parse_database_url(url: Secret) -> Result<Option<Secret>> {
    if url.expose().is_empty() {
        return Ok(None);
    }
    copal_store::describe_database(url.expose()).map_err(|error| match error {
        copal_store::Error::Broken(why) => {
            anyhow::anyhow!("`database_url` cannot be used: {why}")
        }
        other => other.into(),
    })?;
    Ok(Some(url))
}

/// Reads what must not be shown in an argument.
#[expect(clippy::unnecessary_wraps, reason = "what clap asks for")]
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::shown(text))
}

fn parse_listen(text: &str) -> Result<SocketAddr> {
    text.parse().map_err(|_| {
        anyhow::anyhow!(
            "`listen` is `{text}`: an IP address and a port from 0 to 65535 are needed, such as \
             127.0.0.1:8000"
        )
    })
}

fn parse_base_url(text: &str) -> Result<String> {
    let host = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"))
        .unwrap_or_default();
    let is_plain = !host.is_empty()
        && !host.starts_with('/')
        && host.bytes().all(|byte| byte.is_ascii_graphic())
        && !host.contains(['?', '#', '@']);
    if !is_plain {
        bail!("`base_url` is `{text}`: an address such as https://errors.example.org is needed");
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn parse_billing_url(text: &str) -> Result<String> {
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    if !is_address || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        bail!("`billing_url` is `{text}`: an address such as https://pay.example.org is needed");
    }
    Ok(text.to_owned())
}

fn parse_signup(text: Option<&str>) -> Result<SignupMode> {
    match text {
        None | Some("open") => Ok(SignupMode::Open),
        Some("invite") => Ok(SignupMode::Invite),
        Some("closed") => Ok(SignupMode::Closed),
        Some(other) => bail!("`signup` is `{other}`: open, invite and closed are known"),
    }
}

fn parse_plan(text: &str) -> Result<Plan> {
    text.parse()
        .map_err(|why| anyhow::anyhow!("`default_plan` is `{text}`: {why}"))
}

/// A list with commas between its entries, or one of the file.
/// Words instead of a switch: nobody sets them without having read what they say.
fn parse_risk(accepted: Option<&str>) -> Result<Risk> {
    match accepted {
        None => Ok(Risk::Refused),
        Some(ACCEPTED_LOSS) => Ok(Risk::Accepted),
        Some(other) => bail!("`accept_loss` is `{other}`, and can only be `{ACCEPTED_LOSS}`"),
    }
}

fn parse_trusted_proxies(
    variable: Option<&str>,
    in_file: Option<Vec<String>>,
) -> Result<Vec<Network>> {
    let listed = match variable {
        Some(text) => text
            .split(',')
            .map(|entry| entry.trim().to_owned())
            .collect(),
        None => in_file.unwrap_or_default(),
    };
    let named = listed.iter().filter(|entry| !entry.is_empty());
    named
        .map(|entry| {
            entry
                .parse()
                .map_err(|why| anyhow::anyhow!("`trusted_proxies` holds `{entry}`: {why}"))
        })
        .collect()
}

/// A secret itself, or that in a file, which a secret store mounts.
fn read_secret(key: &str, text: Option<String>, file: Option<PathBuf>) -> Result<Option<Secret>> {
    let text = match (text, file) {
        (Some(_), Some(_)) => bail!("`{key}` and `{key}_file` are both set: leave one out"),
        (None, None) => return Ok(None),
        (Some(text), None) => text,
        (None, Some(path)) => std::fs::read_to_string(&path)
            .with_context(|| format!("cannot read `{key}_file` {}", path.display()))?,
    };
    Ok(Some(Secret::shown(text.trim())))
}

fn operator_token(token: Option<String>, file: Option<PathBuf>) -> Result<Option<Secret>> {
    let token = read_secret("operator_token", token, file)?;
    let is_short = |token: &Secret| token.expose().chars().count() < OPERATOR_TOKEN_CHARS_MIN;
    if token.as_ref().is_some_and(is_short) {
        bail!(
            "`operator_token` is too short: at least {OPERATOR_TOKEN_CHARS_MIN} random characters \
             are needed"
        );
    }
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(file: &str, variables: &[(&str, &str)], listen: Option<&str>) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copal.toml");
        std::fs::write(&path, file).unwrap();
        let flags = Flags {
            config: Some(path),
            ..Flags::default()
        };
        Config::load(&flags, listen, |name| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn refusal(file: &str) -> String {
        load(file, &[], None).unwrap_err().to_string()
    }

    #[test]
    fn nothing_set_means_defaults() {
        let config = load("", &[], None).unwrap();
        assert_eq!(config.data, PathBuf::from("./copal-data"));
        assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
        assert_eq!(config.base_url, None);
        assert_eq!(config.signup, SignupMode::Open);
        assert_eq!(config.default_plan, Plan::Free);
    }

    #[test]
    fn flags_stand_above_variables_and_variables_above_the_file() {
        let file = "listen = \"127.0.0.1:1\"\nsignup = \"closed\"\nbase_url = \"http://file/\"";
        let variables = [("COPAL_LISTEN", "127.0.0.1:2"), ("COPAL_SIGNUP", "invite")];
        let config = load(file, &variables, Some("127.0.0.1:3")).unwrap();
        assert_eq!(config.listen.port(), 3);
        assert_eq!(config.signup, SignupMode::Invite);
        assert_eq!(config.base_url.as_deref(), Some("http://file"));
        assert_eq!(load(file, &variables, None).unwrap().listen.port(), 2);
        assert_eq!(load(file, &[], None).unwrap().listen.port(), 1);
    }

    #[test]
    fn proxies_are_trusted_by_address_or_range() {
        let file = "trusted_proxies = [\"10.0.0.0/8\", \"::1\"]";
        let networks = |texts: &[&str]| -> Vec<Network> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let config = load(file, &[], None).unwrap();
        assert_eq!(config.trusted_proxies, networks(&["10.0.0.0/8", "::1"]));
        let variables = [("COPAL_TRUSTED_PROXIES", "192.0.2.1, 10.1.0.0/16")];
        let config = load(file, &variables, None).unwrap();
        assert_eq!(
            config.trusted_proxies,
            networks(&["192.0.2.1", "10.1.0.0/16"])
        );
        let config = load(file, &[("COPAL_TRUSTED_PROXIES", "")], None).unwrap();
        assert_eq!(config.trusted_proxies, []);
    }

    #[test]
    fn the_operators_token_comes_from_a_setting_or_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let of_file = "f".repeat(OPERATOR_TOKEN_CHARS_MIN);
        std::fs::write(&path, format!("{of_file}\n")).unwrap();
        let in_file = format!("operator_token_file = \"{}\"", path.display());
        let token = |file: &str, variables: &[(&str, &str)]| {
            let config = load(file, variables, None).unwrap();
            config.operator_token.map(|token| token.expose().to_owned())
        };
        assert_eq!(token("", &[]), None);
        assert_eq!(token(&in_file, &[]).as_deref(), Some(&*of_file));
        let own = "v".repeat(OPERATOR_TOKEN_CHARS_MIN);
        let variables = [("COPAL_OPERATOR_TOKEN", &*own)];
        assert_eq!(token(&in_file, &variables).as_deref(), Some(&*own));
        let path = path.to_str().unwrap();
        let variables = [("COPAL_OPERATOR_TOKEN_FILE", path)];
        assert_eq!(token("", &variables).as_deref(), Some(&*of_file));
        // What is printed of the settings does not hold it.
        let config = load("", &variables, None).unwrap();
        assert!(!format!("{config:?}").contains(&*of_file));
    }

    #[test]
    fn the_database_address_comes_from_a_setting_or_a_file_and_is_not_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        let of_file = "postgres://copal:s3cret@db/file";
        std::fs::write(&path, format!("{of_file}\n")).unwrap();
        let in_file = format!("database_url_file = \"{}\"", path.display());
        let url = |file: &str, variables: &[(&str, &str)]| {
            let config = load(file, variables, None).unwrap();
            config.database_url.map(|url| url.expose().to_owned())
        };
        assert_eq!(url("", &[]), None);
        assert_eq!(url("database_url = \"\"", &[]), None);
        assert_eq!(url(&in_file, &[]).as_deref(), Some(of_file));
        let direct = "database_url = \"postgresql://copal:s3cret@db:5433/own?sslmode=disable\"";
        assert!(url(direct, &[]).unwrap().contains("/own"));
        let variables = [("COPAL_DATABASE_URL_FILE", path.to_str().unwrap())];
        assert_eq!(url(direct, &variables).as_deref(), Some(of_file));
        let flags = Flags {
            database_url: Some(Secret::shown("postgres://copal:s3cret@db/flag")),
            ..Flags::default()
        };
        let config = Config::load(&flags, None, |_| None).unwrap();
        assert!(!format!("{flags:?} {config:?}").contains("s3cret"));
        assert!(config.database_url.unwrap().expose().ends_with("/flag"));
    }

    #[test]
    fn every_setting_is_documented_and_nothing_else_is() {
        // The reader of the file knows all keys, and says so when it meets another.
        let unknown = toml::from_str::<SettingsFile>("no_such_setting = 1").unwrap_err();
        let (_, known) = unknown.message().split_once("expected one of ").unwrap();
        let mut known: Vec<_> = known.split(", ").map(str::to_owned).collect();
        let documented = include_str!("../docs/operating.md");
        let (_, table) = documented.split_once("| in the file | variable |").unwrap();
        let rows = table
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        let mut named = Vec::new();
        for row in rows {
            let cells: Vec<_> = row
                .split(" | ")
                .map(|cell| cell.trim_matches(['|', ' ']))
                .collect();
            let key = cells[0].trim_matches('`');
            assert_eq!(cells[1], format!("`COPAL_{}`", key.to_uppercase()), "{row}");
            named.push(cells[0].to_owned());
        }
        // Tables of the file, each with variables of its own: told below the table of settings.
        known.retain(|key| key != "`plans`");
        assert!(documented.contains("[plans.free]"));
        known.sort_unstable();
        named.sort_unstable();
        assert_eq!(named, known);
        let default = |key: &str, value: &str| {
            let row = table
                .lines()
                .find(|line| line.starts_with(&format!("| `{key}` |")));
            assert!(
                row.unwrap().contains(&format!("`{value}`")),
                "{key}: {value}"
            );
        };
        default("data", DATA_DEFAULT);
        default("listen", LISTEN_DEFAULT);
        default("log", LOG_DEFAULT);
    }

    #[test]
    fn refusals_name_the_key_and_what_it_accepts() {
        for (file, key, accepted) in [
            ("listen = \"8000\"", "`listen`", "127.0.0.1:8000"),
            ("listen = \"127.0.0.1:65536\"", "`listen`", "0 to 65535"),
            ("signup = \"yes\"", "`signup`", "open, invite and closed"),
            ("default_plan = \"free\"", "`default_plan`", "FREE"),
            ("base_url = \"errors.example\"", "`base_url`", "https://"),
            (
                "database_url = \"mysql://x/y\"",
                "`database_url`",
                "postgres://user:password@host:5432/database",
            ),
            (
                "database_url = \"postgres://x:5432\"",
                "`database_url`",
                "names no database",
            ),
            (
                "database_url = \"postgres://x/y\"\ndatabase_url_file = \"z\"",
                "`database_url`",
                "leave one out",
            ),
            (
                "trusted_proxies = [\"proxy.example\"]",
                "`trusted_proxies`",
                "10.0.0.0/8",
            ),
            (
                "operator_token = \"short\"",
                "`operator_token`",
                "at least 24",
            ),
            (
                "operator_token = \"x\"\noperator_token_file = \"y\"",
                "`operator_token`",
                "leave one out",
            ),
            ("smtp_url = \"smtp://x\"", "`smtp_url`", "not supported yet"),
            ("lisen = \"x\"", "`lisen`", "`listen`"),
        ] {
            let refusal = refusal(file);
            assert!(refusal.contains(key), "{refusal}");
            assert!(refusal.contains(accepted), "{refusal}");
            assert!(!refusal.contains('\n'), "{refusal}");
        }
    }
}
