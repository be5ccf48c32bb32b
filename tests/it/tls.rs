//! TLS to a real PostgreSQL, with authorities and certificates made for the test.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::database::Database;
use crate::support::{Cluster, command};

/// Certificates are made with the program that every administrator makes them with.
fn openssl(folder: &Path, arguments: &str) {
    let mut command = Command::new("openssl");
    let made = command
        .current_dir(folder)
        .args(arguments.split(' '))
        .output();
    let made = made.expect("openssl is installed by script/setup");
    assert!(made.status.success(), "{arguments}: {made:?}");
}

/// Makes an authority; answers the file of its certificate.
fn make_authority(folder: &Path, name: &str) -> PathBuf {
    openssl(
        folder,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} \
             -keyout {name}.key -out {name}.pem"
        ),
    );
    folder.join(format!("{name}.pem"))
}

/// Makes a certificate for the address 127.0.0.1 and no name, signed by the authority `known`.
fn make_certificate(folder: &Path) -> (PathBuf, PathBuf) {
    openssl(
        folder,
        "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=database -keyout db.key \
         -out db.csr",
    );
    std::fs::write(folder.join("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    openssl(
        folder,
        "x509 -req -in db.csr -CA known.pem -CAkey known.key -CAcreateserial -days 2 -extfile names \
         -out db.pem",
    );
    (folder.join("db.pem"), folder.join("db.key"))
}

#[test]
fn a_database_is_believed_as_far_as_its_certificate_proves() {
    let Some(cluster) = Cluster::start("packaged") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let known = make_authority(folder.path(), "known");
    let unknown = make_authority(folder.path(), "unknown");
    let (certificate, key) = make_certificate(folder.path());
    let database = Database::in_cluster(&cluster.address);
    let address = database.url().unwrap();
    let by_name = address.replace("@127.0.0.1:", "@localhost:");
    let check = |address: &str, mode: &str, authority: Option<&Path>| {
        let authority = authority.map(|file| format!("&sslrootcert={}", file.display()));
        let url = format!("{address}?sslmode={mode}{}", authority.unwrap_or_default());
        let mut check = command(&folder.path().join("data"));
        let said = check.arg("check").env("COPAL_DATABASE_URL", url).output();
        let said = said.unwrap();
        let complained = String::from_utf8(said.stderr).unwrap();
        if said.status.success() {
            None
        } else {
            Some(complained)
        }
    };

    let refused = check(&address, "require", None).expect("the server speaks no TLS yet");
    assert!(refused.contains("TLS"), "{refused}");
    cluster.encrypt(&certificate, &key);
    assert_eq!(check(&address, "disable", None), None);
    assert!(!cluster.log().contains("SSL enabled"));
    assert_eq!(check(&address, "verify-full", Some(&known)), None);
    assert!(cluster.log().contains("SSL enabled"), "it was encrypted");
    for mode in ["prefer", "require"] {
        assert_eq!(check(&by_name, mode, None), None, "{mode}");
    }

    // Its certificate is for the address, and not for the name.
    assert_eq!(check(&by_name, "verify-ca", Some(&known)), None);
    let refused = check(&by_name, "verify-full", Some(&known)).expect("it could be anybody");
    assert!(refused.contains("certificate"), "{refused}");
    for mode in ["verify-full", "verify-ca", "require"] {
        let refused = check(&address, mode, Some(&unknown)).expect("nobody trusted vouches for it");
        assert!(refused.contains("certificate"), "{mode}: {refused}");
    }
}
