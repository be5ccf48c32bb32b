//! Writes all sample pages and the static files into a folder, to look at them in a browser.
//!
//! `cargo run -p copal-ui --example gallery -- OUT_DIR`

use std::path::PathBuf;
use std::{env, fs, io};

use copal_ui::assets;

#[path = "../tests/samples/mod.rs"]
mod samples;

fn main() -> io::Result<()> {
    let out = PathBuf::from(env::args_os().nth(1).unwrap_or_else(|| "gallery".into()));
    fs::create_dir_all(&out)?;
    for asset in assets::ASSETS {
        fs::write(out.join(asset.name), asset.bytes)?;
    }
    let static_path = format!("/static/{}/", assets::checksum());
    for (name, html) in samples::all() {
        fs::write(
            out.join(format!("{name}.html")),
            html.replace(&static_path, ""),
        )?;
    }
    Ok(())
}
