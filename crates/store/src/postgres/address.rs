//! The address of a database, as operators write it.
//!
//! Read by `tokio-postgres`, but for `sslmode` and `sslrootcert`, which mean here what they mean to
//! every other program that speaks to PostgreSQL. Errors never repeat the address: there is a
//! password in it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use percent_encoding::percent_decode_str;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::{Error, Result};

/// Where the database is, and how to speak to it.
pub(super) struct Address {
    pub(super) config: Config,
    pub(super) tls: MakeRustlsConnect,
}

/// What the server's certificate has to prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Nothing,
    /// That an authority we trust has signed it.
    Authority,
    /// Besides, that it is for this host.
    AuthorityAndHost,
}

impl Address {
    /// Reads `postgres://user:password@host:port/database?sslmode=verify-full`.
    pub(super) fn parse(url: &str) -> Result<Self> {
        // A password may have a question mark in it.
        let host = url.find('@').unwrap_or(0);
        let query = url[host..].find('?').map_or(url.len(), |at| host + at);
        let (base, query) = (&url[..query], url.get(query + 1..).unwrap_or_default());
        if !base.starts_with("postgres://") && !base.starts_with("postgresql://") {
            return Err(unreadable());
        }
        let (mut mode, mut root_file, mut rest) = ("prefer".to_owned(), None, Vec::new());
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or_else(unreadable)?;
            let decoded = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match key {
                "sslmode" => mode = decoded,
                "sslrootcert" => root_file = Some(PathBuf::from(decoded)),
                _ => rest.push(pair),
            }
        }
        let (mode, proof) = meaning_of(&mode, root_file.is_some())?;
        let mut config: Config = format!("{base}?{}", rest.join("&"))
            .parse()
            .map_err(|_| unreadable())?;
        let hosts = host_names(&config);
        // An `@` in a password that is not percent-encoded makes its rest a part of the host.
        let is_wrong = |host: &String| host.is_empty() || host.contains('@');
        if hosts.is_empty() || hosts.iter().any(is_wrong) {
            return Err(unreadable());
        }
        if config.get_dbname().is_none_or(str::is_empty) {
            return Err(Error::Broken(
                "the database address names no database: it ends with one, such as \
                 postgres://user:password@host:5432/database"
                    .into(),
            ));
        }
        config.ssl_mode(mode);
        let tls = MakeRustlsConnect::new(tls(proof, root_file)?);
        Ok(Self { config, tls })
    }
}

/// For people: where the database is and what it is called. Nothing secret is in it.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.config.get_dbname().unwrap_or_default();
        write!(f, "the database {name} on ")?;
        let ports = self.config.get_ports();
        for (at, host) in host_names(&self.config).iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{host}")?;
            if let Some(port) = ports.get(at) {
                write!(f, ":{port}")?;
            }
        }
        Ok(())
    }
}

/// The hosts by name, else by address.
fn host_names(config: &Config) -> Vec<String> {
    if config.get_hosts().is_empty() {
        return config
            .get_hostaddrs()
            .iter()
            .map(ToString::to_string)
            .collect();
    }
    let hosts = config.get_hosts().iter().map(|host| match host {
        Host::Tcp(name) => name.clone(),
        Host::Unix(folder) => folder.display().to_string(),
    });
    hosts.collect()
}

/// How libpq reads `sslmode`: `require` with a file of authorities is `verify-ca`.
fn meaning_of(mode: &str, has_root_file: bool) -> Result<(SslMode, Proof)> {
    Ok(match mode {
        "disable" => (SslMode::Disable, Proof::Nothing),
        "allow" | "prefer" => (SslMode::Prefer, Proof::Nothing),
        "require" if has_root_file => (SslMode::Require, Proof::Authority),
        "require" => (SslMode::Require, Proof::Nothing),
        "verify-ca" => (SslMode::Require, Proof::Authority),
        "verify-full" => (SslMode::Require, Proof::AuthorityAndHost),
        _ => {
            return Err(Error::Broken(
                "sslmode in the database address is one of disable, allow, prefer, require, \
                 verify-ca, verify-full"
                    .into(),
            ));
        }
    })
}

fn unreadable() -> Error {
    Error::Broken(
        "the database address cannot be read: it looks like \
         postgres://user:password@host:5432/database?sslmode=verify-full, where signs other than \
         letters and digits in user and password are percent-encoded"
            .into(),
    )
}

fn tls(proof: Proof, root_file: Option<PathBuf>) -> Result<ClientConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier: Arc<dyn ServerCertVerifier> = match proof {
        Proof::Nothing => Arc::new(Lenient {
            authority: None,
            provider: Arc::clone(&provider),
        }),
        Proof::Authority => Arc::new(Lenient {
            authority: Some(strict(root_file, &provider)?),
            provider: Arc::clone(&provider),
        }),
        Proof::AuthorityAndHost => strict(root_file, &provider)?,
    };
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Broken(Box::new(error)))?;
    Ok(builder
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth())
}

/// Trusts the authorities in the file, else those that the system trusts.
fn strict(
    root_file: Option<PathBuf>,
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<WebPkiServerVerifier>> {
    let found = match root_file {
        Some(file) => rustls_native_certs::load_certs_from_paths(Some(&file), None),
        None => rustls_native_certs::load_native_certs(),
    };
    let mut roots = RootCertStore::empty();
    let (trusted, _) = roots.add_parsable_certificates(found.certs);
    if trusted == 0 {
        let why = found.errors.first().map(|error| format!(": {error}"));
        return Err(Error::Broken(
            format!(
                "no certificate authority to trust the database by{}; name a file of them with \
                 sslrootcert in its address",
                why.unwrap_or_default()
            )
            .into(),
        ));
    }
    WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(provider))
        .build()
        .map_err(|error| Error::Broken(Box::new(error)))
}

/// Asks for less than a browser would: not for the host's name, perhaps not for an authority.
#[derive(Debug)]
struct Lenient {
    authority: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Lenient {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let Some(authority) = &self.authority else {
            return Ok(ServerCertVerified::assertion());
        };
        match authority.verify_server_cert(
            end_entity,
            intermediates,
            server_name,
            ocsp_response,
            now,
        ) {
            // The name is looked at last: all else is proved.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, cert, dss, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, cert, dss, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        match Address::parse(url) {
            Ok(_) => panic!("{url} should not be read"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn no_refusal_shows_the_password() {
        for url in [
            "mysql://ana:s3cret@db/copal",
            "host=db user=ana password=s3cret",
            "postgres://ana:s3cret@db:port/copal",
            "postgres://ana:s3cret?sslmode=s3cret",
            "postgres://ana:s3cret@db/copal?s3cret",
            "postgres://ana:s3cret@/copal",
            "postgres://ana:s3cret@db/copal?sslmode=s3cret",
            "postgres://ana:@s3cret@db/copal",
            "postgres://ana:s3cret@db",
            "postgres://ana:s3cret@db/",
        ] {
            let refusal = refusal(url);
            assert!(!refusal.contains("s3cret"), "{refusal}");
            assert!(!refusal.contains('\n'), "{refusal}");
        }
    }

    #[test]
    fn an_address_is_read_and_its_password_never_shown() {
        let address = Address::parse(
            "postgresql://ana:s3cret?@db:6543/copal?sslmode=disable&options=-cx%3D1",
        );
        let config = address.unwrap().config;
        assert_eq!(config.get_user(), Some("ana"));
        assert_eq!(config.get_password(), Some("s3cret?".as_bytes()));
        assert_eq!(config.get_ports(), [6543]);
        assert_eq!(config.get_dbname(), Some("copal"));
        assert_eq!(config.get_ssl_mode(), SslMode::Disable);
        assert_eq!(config.get_options(), Some("-cx=1"));
        assert!(!format!("{config:?}").contains("s3cret"));
    }

    #[test]
    fn what_people_are_told_names_host_and_database_only() {
        let told = |url: &str| Address::parse(url).unwrap().to_string();
        for (url, expected) in [
            ("ana:s3cret@db/copal", "the database copal on db:5432"),
            ("ana:s3/cret@db:1,eb:2/c", "the database c on db:1,eb:2"),
            ("/c?host=/run&password=s3cret", "the database c on /run"),
            ("/c?hostaddr=::1&port=7", "the database c on ::1:7"),
        ] {
            assert_eq!(told(&format!("postgres://{url}")), expected);
        }
    }

    #[test]
    fn modes_mean_what_they_mean_elsewhere() {
        for (mode, has_root_file, meaning) in [
            ("disable", true, (SslMode::Disable, Proof::Nothing)),
            ("prefer", false, (SslMode::Prefer, Proof::Nothing)),
            ("require", false, (SslMode::Require, Proof::Nothing)),
            ("require", true, (SslMode::Require, Proof::Authority)),
            ("verify-ca", false, (SslMode::Require, Proof::Authority)),
            (
                "verify-full",
                false,
                (SslMode::Require, Proof::AuthorityAndHost),
            ),
        ] {
            assert_eq!(meaning_of(mode, has_root_file).unwrap(), meaning, "{mode}");
        }
    }

    #[test]
    fn a_file_without_authorities_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("none.pem");
        std::fs::write(&file, "").unwrap();
        let url = format!(
            "postgres://ana@db/copal?sslmode=verify-full&sslrootcert={}",
            file.display()
        );
        assert!(refusal(&url).contains("sslrootcert"));
    }
}
