//! The SDKs that the guide knows, and the lines to paste for each.

use std::fmt;

/// An SDK that the guide knows.
#[derive(Clone, Copy)]
pub struct Platform {
    /// Its name in URLs and in [`Project::platform`](copal_model::Project): `python`.
    pub slug: &'static str,
    /// Its name for people.
    pub name: &'static str,
    install: &'static str,
    install_title: &'static str,
    start: &'static str,
    start_title: &'static str,
    verify: &'static str,
    verify_title: &'static str,
}

/// One thing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What to do.
    pub title: &'static str,
    /// The lines to paste, with the real DSN.
    pub code: String,
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Platform").field(&self.slug).finish()
    }
}

impl Platform {
    /// The platform of this slug. SDKs send `javascript-react` or `python-django` too: what comes
    /// before the hyphen counts where the whole is not known.
    pub fn find(slug: &str) -> Option<&'static Self> {
        let exact = |slug: &str| PLATFORMS.iter().find(|platform| platform.slug == slug);
        exact(slug).or_else(|| exact(slug.split_once('-')?.0))
    }

    /// The platform of this slug, or the first one.
    pub fn find_or_first(slug: &str) -> &'static Self {
        Self::find(slug).unwrap_or(&PLATFORMS[0])
    }

    /// What to do, in order.
    pub fn steps(&self, dsn: &str) -> Vec<Step> {
        let step = |title, code: &str| Step {
            title,
            code: code
                .replace("{dsn}", dsn)
                .replace("{store}", &store_url(dsn)),
        };
        [
            step(self.install_title, self.install),
            step(self.start_title, self.start),
            step(self.verify_title, self.verify),
        ]
        .into_iter()
        .filter(|step| !step.code.is_empty())
        .collect()
    }
}

/// The URL that takes events without an SDK: `http://host/api/1/store/?sentry_key=…`.
fn store_url(dsn: &str) -> String {
    let parts = dsn.split_once("://").and_then(|(scheme, rest)| {
        let (key, rest) = rest.split_once('@')?;
        let (host, project) = rest.rsplit_once('/')?;
        Some(format!(
            "{scheme}://{host}/api/{project}/store/?sentry_key={key}"
        ))
    });
    parts.unwrap_or_else(|| "YOUR_DSN".to_owned())
}

/// The SDKs that the guide knows, in the order shown.
pub const PLATFORMS: &[Platform] = &[
    Platform {
        slug: "python",
        name: "Python",
        install_title: "Install the SDK",
        install: "pip install --upgrade sentry-sdk",
        start_title: "Start it first thing in your program",
        start: "import sentry_sdk\n\nsentry_sdk.init(dsn=\"{dsn}\")",
        verify_title: "Break something on purpose",
        verify: "1 / 0",
    },
    Platform {
        slug: "node",
        name: "Node.js",
        install_title: "Install the SDK",
        install: "npm install @sentry/node",
        start_title: "Save this as instrument.mjs and start with node --import ./instrument.mjs app.mjs",
        start: "import * as Sentry from \"@sentry/node\";\n\nSentry.init({\n  dsn: \"{dsn}\",\n});",
        verify_title: "Break something on purpose, in app.mjs",
        verify: "setTimeout(() => {\n  throw new Error(\"Hello from Node.js\");\n}, 0);",
    },
    Platform {
        slug: "javascript",
        name: "Browser JavaScript",
        install_title: "Install the SDK",
        install: "npm install @sentry/browser",
        start_title: "Start it before the rest of your page's code",
        start: "import * as Sentry from \"@sentry/browser\";\n\nSentry.init({\n  dsn: \"{dsn}\",\n});",
        verify_title: "Break something on purpose",
        verify: "setTimeout(() => {\n  throw new Error(\"Hello from the browser\");\n}, 0);",
    },
    Platform {
        slug: "go",
        name: "Go",
        install_title: "Install the SDK",
        install: "go get github.com/getsentry/sentry-go",
        start_title: "Start it in main, and send what is left at the end",
        start: "err := sentry.Init(sentry.ClientOptions{\n\tDsn: \"{dsn}\",\n})\nif err != nil {\n\tlog.Fatalf(\"sentry.Init: %v\", err)\n}\ndefer sentry.Flush(2 * time.Second)",
        verify_title: "Report an error on purpose",
        verify: "sentry.CaptureException(errors.New(\"hello from Go\"))",
    },
    Platform {
        slug: "ruby",
        name: "Ruby",
        install_title: "Install the SDK",
        install: "bundle add sentry-ruby",
        start_title: "Start it first thing in your program (in Rails: config/initializers/sentry.rb)",
        start: "require \"sentry-ruby\"\n\nSentry.init do |config|\n  config.dsn = \"{dsn}\"\nend",
        verify_title: "Break something on purpose",
        verify: "begin\n  1 / 0\nrescue ZeroDivisionError => error\n  Sentry.capture_exception(error)\nend",
    },
    Platform {
        slug: "php",
        name: "PHP",
        install_title: "Install the SDK",
        install: "composer require sentry/sentry",
        start_title: "Start it first thing in your program",
        start: "\\Sentry\\init([\n    'dsn' => '{dsn}',\n]);",
        verify_title: "Break something on purpose",
        verify: "throw new \\Exception('Hello from PHP');",
    },
    Platform {
        slug: "java",
        name: "Java",
        install_title: "Add the SDK to build.gradle.kts",
        install: "dependencies {\n    implementation(\"io.sentry:sentry:8.+\")\n}",
        start_title: "Start it first thing in main",
        start: "import io.sentry.Sentry;\n\nSentry.init(options -> {\n    options.setDsn(\"{dsn}\");\n});",
        verify_title: "Report an error on purpose",
        verify: "Sentry.captureException(new RuntimeException(\"Hello from Java\"));",
    },
    Platform {
        slug: "dotnet",
        name: ".NET",
        install_title: "Install the SDK",
        install: "dotnet add package Sentry",
        start_title: "Start it first thing in your program",
        start: "using var sentry = SentrySdk.Init(options =>\n{\n    options.Dsn = \"{dsn}\";\n});",
        verify_title: "Report an error on purpose",
        verify: "SentrySdk.CaptureException(new Exception(\"Hello from .NET\"));",
    },
    Platform {
        slug: "rust",
        name: "Rust",
        install_title: "Add the SDK",
        install: "cargo add sentry",
        start_title: "Start it first thing in main, and keep the guard until the end",
        start: "let _sentry = sentry::init((\n    \"{dsn}\",\n    sentry::ClientOptions {\n        release: sentry::release_name!(),\n        ..Default::default()\n    },\n));",
        verify_title: "Break something on purpose",
        verify: "panic!(\"hello from Rust\");",
    },
    Platform {
        slug: "other",
        name: "Anything else",
        install_title: "Every SDK of the Sentry family takes the DSN; most read it from the environment",
        install: "export SENTRY_DSN=\"{dsn}\"",
        start_title: "No SDK at hand? Send an event by hand",
        start: "curl '{store}' \\\n  --header 'content-type: application/json' \\\n  --data '{\"message\": \"Hello from curl\", \"level\": \"error\"}'",
        verify_title: "",
        verify: "",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_shows_the_dsn() {
        let dsn = "http://0123456789abcdef0123456789abcdef@127.0.0.1:8000/7";
        for platform in PLATFORMS {
            let code: String = platform
                .steps(dsn)
                .into_iter()
                .map(|step| step.code)
                .collect();
            assert!(code.contains(dsn), "{platform:?}");
            assert!(
                !code.contains("{dsn}") && !code.contains("{store}"),
                "{platform:?}"
            );
        }
    }

    #[test]
    fn finds_platforms_of_frameworks() {
        assert_eq!(Platform::find("python-django").unwrap().slug, "python");
        assert!(Platform::find("cobol").is_none());
        assert_eq!(Platform::find_or_first("cobol").slug, "python");
    }

    #[test]
    fn event_can_be_sent_by_hand() {
        assert_eq!(
            store_url("https://abc@copal.example/errors/7"),
            "https://copal.example/errors/api/7/store/?sentry_key=abc"
        );
    }
}
