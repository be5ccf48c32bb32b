//! What a `User-Agent` tells: browser, operating system, device.
//!
//! A list of what is common, looked for as words; no attempt at every program there is. What Chrome and
//! Safari freeze for privacy is told as "at least".

/// A name and, where it is told, a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Product {
    pub(crate) name: &'static str,
    pub(crate) version: Option<String>,
}

/// A browser or client: the word before its version, its name, the parts of its version that tell.
struct Known {
    token: &'static str,
    name: &'static str,
    /// Its name on phones.
    mobile: &'static str,
    parts: usize,
}

const fn known(token: &'static str, name: &'static str, mobile: &'static str) -> Known {
    Known {
        token,
        name,
        mobile,
        parts: 3,
    }
}

const fn client(token: &'static str, name: &'static str) -> Known {
    Known {
        token,
        name,
        mobile: name,
        parts: 2,
    }
}

/// Those that name others beside themselves come first.
const BROWSERS: &[Known] = &[
    known("Edg/", "Edge", "Edge"),
    known("Edge/", "Edge", "Edge"),
    known("EdgA/", "Edge Mobile", "Edge Mobile"),
    known("EdgiOS/", "Edge Mobile", "Edge Mobile"),
    known("OPR/", "Opera", "Opera Mobile"),
    known("OPiOS/", "Opera Mini", "Opera Mini"),
    known("Opera Mini/", "Opera Mini", "Opera Mini"),
    known("SamsungBrowser/", "Samsung Internet", "Samsung Internet"),
    known("YaBrowser/", "Yandex Browser", "Yandex Browser"),
    known("Vivaldi/", "Vivaldi", "Vivaldi"),
    known("UCBrowser/", "UC Browser", "UC Browser"),
    known("DuckDuckGo/", "DuckDuckGo", "DuckDuckGo"),
    known("Electron/", "Electron", "Electron"),
    known("HeadlessChrome/", "HeadlessChrome", "HeadlessChrome"),
    known("CriOS/", "Chrome Mobile iOS", "Chrome Mobile iOS"),
    known("FxiOS/", "Firefox iOS", "Firefox iOS"),
    known("Firefox/", "Firefox", "Firefox Mobile"),
    known("Chromium/", "Chromium", "Chromium"),
    known("Chrome/", "Chrome", "Chrome Mobile"),
    client("MSIE ", "IE"),
    client("python-requests/", "Python Requests"),
    client("python-httpx/", "Python HTTPX"),
    client("aiohttp/", "aiohttp"),
    client("curl/", "curl"),
    client("Wget/", "Wget"),
    client("okhttp/", "okhttp"),
    client("axios/", "axios"),
    client("Go-http-client/", "Go-http-client"),
    client("Apache-HttpClient/", "Apache-HttpClient"),
    client("PostmanRuntime/", "PostmanRuntime"),
];

/// The browser or client.
pub(crate) fn browser(agent: &str) -> Option<Product> {
    let is_mobile = agent.contains(" Mobile") || agent.contains("Android");
    let found = BROWSERS.iter().find_map(|known| {
        let version = version_after(agent, known.token, known.parts)?;
        let name = if is_mobile { known.mobile } else { known.name };
        Some(Product {
            name,
            version: Some(version),
        })
    });
    found
        .or_else(|| internet_explorer(agent))
        .or_else(|| safari(agent))
        .or_else(|| opera(agent))
}

/// Version 11 does not call itself by its name any more.
fn internet_explorer(agent: &str) -> Option<Product> {
    agent.contains("Trident/").then(|| Product {
        name: "IE",
        version: version_after(agent, "rv:", 2),
    })
}

fn safari(agent: &str) -> Option<Product> {
    if !agent.contains("Safari/") && !agent.contains("AppleWebKit/") {
        return None;
    }
    let name = if agent.contains("Android") {
        "Android"
    } else if ["iPhone", "iPad", "iPod"]
        .iter()
        .any(|device| agent.contains(device))
    {
        "Mobile Safari"
    } else {
        "Safari"
    };
    Some(Product {
        name,
        version: Some(version_after(agent, "Version/", 3)?),
    })
}

fn opera(agent: &str) -> Option<Product> {
    let own = version_after(agent, "Opera/", 2)?;
    let version = version_after(agent, "Version/", 2).unwrap_or(own);
    Some(Product {
        name: "Opera",
        version: Some(version),
    })
}

/// The operating system.
pub(crate) fn operating_system(agent: &str) -> Option<Product> {
    let product = |name, version| Some(Product { name, version });
    if let Some(version) = version_after(agent, "Windows Phone ", 2) {
        return product("Windows Phone", Some(version));
    }
    if let Some(version) = version_after(agent, "Windows NT ", 2) {
        return product("Windows", Some(windows(&version).to_owned()));
    }
    if let Some(version) =
        version_after(agent, "iPhone OS ", 3).or(version_after(agent, "CPU OS ", 3))
    {
        return product("iOS", Some(version));
    }
    if let Some(version) = version_after(agent, "Mac OS X ", 3) {
        let is_frozen = version == "10.15.7";
        return product(
            "Mac OS X",
            Some(if is_frozen {
                format!(">={version}")
            } else {
                version
            }),
        );
    }
    if let Some(rest) = after(agent, "CrOS ") {
        let version = rest
            .split_once(' ')
            .and_then(|(_, rest)| leading_version(rest, 3));
        return product("Chrome OS", version);
    }
    if let Some(rest) = after(agent, "Android ") {
        let is_frozen = rest.starts_with("10; K)");
        let version = leading_version(rest, 3);
        return product(
            "Android",
            version.map(|v| if is_frozen { format!(">={v}") } else { v }),
        );
    }
    ["Ubuntu", "Fedora", "Debian", "Linux"]
        .into_iter()
        .find(|name| agent.contains(name))
        .and_then(|name| product(name, None))
}

/// The name of a version of Windows, which stopped at 10.
fn windows(version: &str) -> &str {
    match version {
        "10.0" => ">=10",
        "6.3" => "8.1",
        "6.2" => "8",
        "6.1" => "7",
        "6.0" => "Vista",
        "5.1" | "5.2" => "XP",
        other => other,
    }
}

/// The model of a phone or tablet.
pub(crate) fn device(agent: &str) -> Option<&str> {
    if let Some(device) = ["iPhone", "iPad", "iPod"]
        .into_iter()
        .find(|device| agent.contains(device))
    {
        return Some(device);
    }
    // `Mozilla/5.0 (Linux; Android 11; Pixel 4a Build/RQ3A; wv) …`
    let details = after(agent, "Android ")?.split(')').next()?;
    let model = details
        .split(';')
        .skip(1)
        .map(str::trim)
        .find(|part| *part != "U")?;
    let model = model.split(" Build/").next().unwrap_or(model);
    (!model.is_empty() && !matches!(model, "K" | "wv" | "Mobile")).then_some(model)
}

/// Words that programs use which visit sites by themselves.
const CRAWLERS: &[&str] = &[
    "bot/",
    "bot;",
    "bots",
    "crawler",
    "spider",
    "slurp",
    "googlebot",
    "bingbot",
    "mediapartners",
    "adsbot",
    "apis-google",
    "feedfetcher",
    "facebookexternalhit",
    "facebot",
    "ia_archiver",
    "bytespider",
    "yandexbot",
    "baiduspider",
    "duckduckbot",
    "applebot",
    "semrushbot",
    "ahrefsbot",
    "mj12bot",
    "petalbot",
    "gptbot",
    "claudebot",
    "ccbot",
    "perplexitybot",
    "headlesschrome",
    "phantomjs",
    "lighthouse",
    "pingdom",
    "uptimerobot",
    "statuscake",
    "calibre",
    "chrome-lighthouse",
    "better uptime",
    "cypress/",
];

/// Whether a program visits by itself.
pub(crate) fn is_crawler(agent: &str) -> bool {
    let agent = agent.to_ascii_lowercase();
    agent.ends_with("bot") || CRAWLERS.iter().any(|word| agent.contains(word))
}

fn after<'a>(agent: &'a str, token: &str) -> Option<&'a str> {
    agent.find(token).map(|at| &agent[at + token.len()..])
}

fn version_after(agent: &str, token: &str, parts: usize) -> Option<String> {
    leading_version(after(agent, token)?, parts)
}

/// The first parts of a version at the start of a text; underscores are dots.
pub(crate) fn leading_version(text: &str, parts: usize) -> Option<String> {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, '.' | '_');
    let version = &text[..text.find(|c| !is_part(c)).unwrap_or(text.len())];
    let kept: Vec<&str> = version
        .split(['.', '_'])
        .take_while(|part| !part.is_empty())
        .take(parts)
        .collect();
    (!kept.is_empty()).then(|| kept.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(agent: &str, expected: &str) {
        let tell = |product: Option<Product>| match product {
            Some(Product {
                name,
                version: Some(version),
            }) => format!("{name} {version}"),
            Some(Product {
                name,
                version: None,
            }) => name.to_owned(),
            None => "-".to_owned(),
        };
        let device = device(agent).unwrap_or("-");
        let told = format!(
            "{}, {}, {device}",
            tell(browser(agent)),
            tell(operating_system(agent))
        );
        assert_eq!(told, expected);
    }

    #[test]
    fn browsers_on_desks() {
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/74.0.3729.169 Safari/537.36",
            "Chrome 74.0.3729, Windows >=10, -",
        );
        check(
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:98.0) Gecko/20100101 Firefox/98.0",
            "Firefox 98.0, Ubuntu, -",
        );
        check(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.1 Safari/605.1.15",
            "Safari 17.1, Mac OS X >=10.15.7, -",
        );
        check(
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.61",
            "Edge 120.0.2210, Windows >=10, -",
        );
        check(
            "Mozilla/5.0 (Windows NT 6.1; Trident/7.0; rv:11.0) like Gecko",
            "IE 11.0, Windows 7, -",
        );
        check(
            "Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 5.1)",
            "IE 8.0, Windows XP, -",
        );
    }

    #[test]
    fn browsers_on_phones() {
        check(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 15_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/15.4 Mobile/15E148 Safari/604.1",
            "Mobile Safari 15.4, iOS 15.4, iPhone",
        );
        check(
            "Mozilla/5.0 (Linux; Android 11; Pixel 4a Build/RQ3A.211001.001) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/96.0.4664.45 Mobile Safari/537.36",
            "Chrome Mobile 96.0.4664, Android 11, Pixel 4a",
        );
        check(
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36",
            "Chrome Mobile 120.0.0, Android >=10, -",
        );
    }

    #[test]
    fn others() {
        check("python-requests/2.26.0", "Python Requests 2.26, -, -");
        check("curl/8.4.0", "curl 8.4, -, -");
        check("", "-, -, -");
        check("Version/ Safari/ CrOS Android ", "-, Chrome OS, -");
    }

    #[test]
    fn crawlers_are_told_from_people() {
        for agent in [
            "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
            "Mozilla/5.0 (compatible; bingbot/2.0)",
            "SomethingBot",
            "facebookexternalhit/1.1",
        ] {
            assert!(is_crawler(agent), "{agent}");
        }
        assert!(!is_crawler(
            "Mozilla/5.0 (Windows NT 10.0) Chrome/74.0.3729.169 Safari/537.36"
        ));
        assert!(!is_crawler(
            "Mozilla/5.0 (Linux; Android 9; CUBOT X19) Chrome/74.0 Mobile"
        ));
    }
}
