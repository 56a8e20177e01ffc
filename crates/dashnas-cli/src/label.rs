//! Lines that begin with a colored label, such as `error:`.

use anstyle::{AnsiColor, Style};

/// `label: text` with the label in color. The streams of `anstream` drop the color where it is not wanted: with
/// `NO_COLOR`, in files and in pipes.
pub fn line(color: AnsiColor, label: &str, text: &str) -> String {
    let style = Style::new().bold().fg_color(Some(color.into()));
    format!("{style}{label}:{style:#} {text}\n")
}
