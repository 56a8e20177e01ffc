//! The command as clap builds it, with a `--help` that begins with the subcommands that a newcomer needs.

use crate::cli::Cli;
use clap::builder::StyledStr;
use clap::{Arg, Command, CommandFactory, FromArgMatches};
use std::ffi::OsString;
use std::fmt::Write;

/// Headings of the list of subcommands, each with its subcommands in the order shown. The other subcommands follow under
/// a last heading.
const GROUPS: [(&str, &[&str]); 2] = [
    ("Start here", &["inspect", "run", "compare", "report", "predict", "export"]),
    ("Stage by stage", &["search", "tune", "train", "evaluate", "status"]),
];

/// The heading of the other subcommands.
const OTHER: &str = "More";

/// The subcommands that read new data, which is not divided into splits.
const NEW_DATA: [&str; 2] = ["evaluate", "predict"];
/// The options that divide a data set; these subcommands refuse them with the reason.
const DIVIDING: [&str; 4] = ["test_fraction", "split_seed", "split_by", "folds"];

/// The whole command line, as it is parsed, completed and described in the manual.
pub fn command() -> Command {
    let hidden = |arg: Arg| if DIVIDING.contains(&arg.get_id().as_str()) { arg.hide(true) } else { arg };
    let of_new_data = |command: Command, name| command.mut_subcommand(name, |of| of.mut_args(hidden));
    let command = NEW_DATA.into_iter().fold(Cli::command(), of_new_data);
    let template = template(&command);
    command.help_template(template)
}

/// Parses a command line, the name of the program first.
///
/// # Errors
/// clap's, on wrong usage, and for `--help` and `--version`, which it prints.
pub fn parse(command_line: &[OsString]) -> Result<Cli, clap::Error> {
    let mut command = command();
    let matches = command.try_get_matches_from_mut(command_line)?;
    Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
}

/// clap's own template, except for the list of subcommands.
fn template(command: &Command) -> StyledStr {
    let mut text = StyledStr::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{{before-help}}{{about-with-newline}}\n{{usage-heading}} {{usage}}\n");
    let listed = |name: &str| GROUPS.iter().any(|(_, names)| names.contains(&name));
    let others: Vec<&str> = command.get_subcommands().map(Command::get_name).filter(|name| !listed(name)).collect();
    for (heading, names) in GROUPS.into_iter().chain([(OTHER, &others[..])]) {
        group(&mut text, command, heading, names);
    }
    let header = command.get_styles().get_header();
    let _ = write!(text, "\n{header}Options:{header:#}\n{{options}}{{after-help}}");
    text
}

/// One heading with its subcommands.
fn group(text: &mut StyledStr, command: &Command, heading: &str, names: &[&str]) {
    let (header, literal) = (command.get_styles().get_header(), command.get_styles().get_literal());
    let _ = write!(text, "\n{header}{heading}:{header:#}\n");
    // `help`, which clap adds when it parses, is not here yet.
    let width = command.get_subcommands().map(|c| c.get_name().len()).max().unwrap_or(0);
    for subcommand in names.iter().filter_map(|name| command.find_subcommand(name)) {
        let (name, about) = (subcommand.get_name(), subcommand.get_about().map(ToString::to_string));
        let _ = writeln!(text, "  {literal}{name:<width$}{literal:#}  {}", about.unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_without_effect_on_new_data_are_not_listed() {
        let help = |name: &str| {
            let command = command();
            command.find_subcommand(name).expect("it exists").clone().render_long_help().to_string()
        };
        let options = DIVIDING.map(|id| format!("--{}", id.replace('_', "-")));
        for (name, listed) in [("evaluate", false), ("predict", false), ("run", true), ("inspect", true)] {
            let help = help(name);
            assert!(options.iter().all(|option| help.contains(option) == listed), "{name}: {help}");
        }
    }

    #[test]
    fn every_subcommand_is_listed_once_and_the_first_ones_come_first() {
        let help = command().render_help().to_string();
        for subcommand in command().get_subcommands() {
            let line = format!("\n  {} ", subcommand.get_name());
            assert_eq!(help.matches(&line).count(), 1, "{} in\n{help}", subcommand.get_name());
        }
        let at = |text: &str| help.find(text).unwrap_or_else(|| panic!("{text} in\n{help}"));
        assert!(at("Start here:") < at("\n  run ") && at("\n  run ") < at("Stage by stage:"));
        assert!(at("Stage by stage:") < at("\n  tune ") && at("\n  tune ") < at("More:"));
        assert!(at("More:") < at("\n  config ") && at("\n  config ") < at("Options:"));
        assert!(help.contains("--quiet") && help.contains("Exit codes:"), "{help}");
    }
}
