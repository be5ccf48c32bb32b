//! Compresses one file with zstd 19, for script/capture. Usage: `pack INPUT OUTPUT`

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let (Some(input), Some(output)) = (arguments.next(), arguments.next()) else {
        anyhow::bail!("usage: pack INPUT OUTPUT");
    };
    let packed = zstd::bulk::compress(&std::fs::read(input)?, 19)?;
    std::fs::write(output, packed)?;
    Ok(())
}
