//! Times the pages that people open all day.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::http::{Answer, Connection};
use crate::program::{EMAIL, PASSWORD, Program};

/// Requests for each page.
const ROUNDS: usize = 50;

/// Logs in and times the issue list and an issue page.
pub(crate) async fn report(program: &Program) -> Result<()> {
    let mut connection = Connection::open(&program.address).await?;
    let cookie = log_in(&mut connection).await?;
    let list = format!("/o/{}/issues", program.org());
    let html = time(&mut connection, "issue list", &list, &cookie).await?;
    let issue = html
        .split(&format!("{list}/"))
        .filter_map(|rest| rest.split(['"', '?', '#']).next())
        .find(|name| is_short_id(name))
        .context("the list links to an issue")?;
    time(
        &mut connection,
        "issue page",
        &format!("{list}/{issue}"),
        &cookie,
    )
    .await?;
    time(
        &mut connection,
        "search",
        &format!("{list}?query=is%3Aopen+environment%3Astaging"),
        &cookie,
    )
    .await?;
    Ok(())
}

/// Tells `SHOP-12` from what else stands under the list.
fn is_short_id(name: &str) -> bool {
    name.rsplit_once('-')
        .is_some_and(|(_, number)| number.parse::<u32>().is_ok())
}

async fn time(connection: &mut Connection, name: &str, path: &str, cookie: &str) -> Result<String> {
    let mut millis = Vec::new();
    let mut html = String::new();
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        let answer = connection.get(path, cookie).await?;
        millis.push(begun.elapsed().as_secs_f64() * 1000.0);
        ensure!(answer.status == 200, "{path}: {}", answer.head);
        html = String::from_utf8_lossy(&answer.body).into_owned();
    }
    millis.sort_by(f64::total_cmp);
    println!(
        "{name}: median {:.1} ms, p98 {:.1} ms, {} KiB of HTML",
        millis[ROUNDS / 2],
        millis[ROUNDS - 2],
        html.len() / 1024
    );
    Ok(html)
}

async fn log_in(connection: &mut Connection) -> Result<String> {
    let form = connection.get("/login", "").await?;
    let html = String::from_utf8_lossy(&form.body).into_owned();
    let token = html
        .split("name=\"csrf\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .context("the form has a CSRF token")?;
    let body = format!(
        "csrf={token}&email={}&password={}",
        EMAIL.replace('@', "%40"),
        PASSWORD.replace(' ', "+")
    );
    let request = format!(
        "POST /login HTTP/1.1\r\nhost: {}\r\n{}content-type: application/x-www-form-urlencoded\r\n\
         sec-fetch-site: same-origin\r\ncontent-length: {}\r\n\r\n{body}",
        "copal",
        cookies(&form),
        body.len()
    );
    let answer = connection.exchange(request.as_bytes()).await?;
    ensure!(answer.status == 303, "logging in: {}", answer.head);
    Ok(cookies(&answer))
}

/// The cookies that an answer sets, as a request header.
fn cookies(answer: &Answer) -> String {
    let pairs: Vec<_> = answer
        .headers("set-cookie")
        .filter_map(|cookie| cookie.split(';').next())
        .collect();
    if pairs.is_empty() {
        String::new()
    } else {
        format!("cookie: {}\r\n", pairs.join("; "))
    }
}
