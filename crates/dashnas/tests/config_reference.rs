//! Checks that `docs/reference/config.md` agrees with the configuration. `DASHNAS_UPDATE=1` rewrites the page.

use dashnas::config::Config;
use dashnas_core::names::Preset;
use std::path::Path;

fn page() -> String {
    let mut text = String::from(
        "# Configuration\n\nEvery key with its description, as `dashnas config` prints it. A file needs only the keys \
         that differ from the preset. `\"auto\"` chooses a value by the data. The option `--set section.key=value` sets \
         a single key.\n\n## The preset `standard`\n\n",
    );
    let standard = Config::preset(Preset::Standard).to_toml();
    text += &format!("```toml\n{standard}```\n\n## How the other presets differ\n");
    for preset in [Preset::Quick, Preset::Paper] {
        text += &format!("\n### `{}`\n\n```toml\n", preset.name());
        let own = Config::preset(preset).to_toml();
        let mut section = None;
        for (line, usual) in own.lines().zip(standard.lines()) {
            if line.starts_with('[') {
                section = Some(line);
            }
            if line != usual {
                text.extend(section.take().map(|heading| format!("{heading}\n")));
                text += &format!("{line}\n");
            }
        }
        text += "```\n";
    }
    text
}

#[test]
fn the_reference_page_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/config.md");
    if std::env::var_os("DASHNAS_UPDATE").is_some() {
        std::fs::write(&path, page()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == page(),
        "docs/reference/config.md is out of date: DASHNAS_UPDATE=1 cargo test --test config_reference"
    );
}
