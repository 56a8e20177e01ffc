//! `dashnas completions` and `dashnas man`: descriptions of the command line for a shell and for the manual.

use crate::exit_code::Code;
use crate::failure::Failure;
use crate::output;
use clap::{Args, Command};
use clap_complete::Shell;
use clap_mangen::Man;
use dashnas_core::text::plural;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The end of `completions --help`.
const INSTALL: &str = "\
Where each shell looks for the script:
  bash  dashnas completions bash > ~/.local/share/bash-completion/completions/dashnas
  zsh   dashnas completions zsh > _dashnas    (in a folder of $fpath)
  fish  dashnas completions fish > ~/.config/fish/completions/dashnas.fish";

/// `completions`.
#[derive(Debug, Args)]
#[command(after_help = INSTALL)]
pub struct CompletionsArgs {
    /// The shell.
    pub shell: Shell,
}

/// `man`.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// The subcommand to describe, as in `man bench step` [default: the command as a whole].
    pub subcommand: Vec<String>,
    /// Write the manual pages of all subcommands into this folder, which is created if necessary.
    #[arg(long, value_name = "DIR", conflicts_with = "subcommand")]
    pub out: Option<PathBuf>,
}

/// Prints a completion script.
pub fn completions(args: &CompletionsArgs, mut command: Command) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "dashnas", &mut script);
    output::print(&String::from_utf8_lossy(&script))
}

/// Prints one manual page, or writes all of them.
pub fn man(args: &ManArgs, mut command: Command) -> Result<(), Failure> {
    // Subcommands learn their full names, `dashnas-bench-step`, and the global options.
    command.build();
    if let Some(folder) = &args.out {
        fs::create_dir_all(folder).map_err(|e| Failure::file("make", folder, &e))?;
        let written = write_all(&command, folder)?;
        let (pages, folder) = (plural(written, "manual page"), folder.display());
        return output::print(&format!("Wrote {pages} to {folder}; read one with: man {folder}/dashnas.1\n"));
    }
    let mut page = &command;
    for name in &args.subcommand {
        page = page.find_subcommand(name).ok_or_else(|| {
            let names: Vec<&str> = page.get_subcommands().map(Command::get_name).collect();
            let hint = if names.is_empty() { None } else { Some(format!("one of {}", names.join(", "))) };
            Failure::new(Code::Other, format!("{} has no subcommand {name}", page_name(page)), hint)
        })?;
    }
    let roff = roff(page).map_err(|e| Failure::new(Code::Other, format!("cannot write the page: {e}"), None))?;
    output::print(&String::from_utf8_lossy(&roff))
}

/// Writes the page of a command and those of its subcommands; returns how many.
fn write_all(command: &Command, folder: &Path) -> Result<usize, Failure> {
    let path = folder.join(format!("{}.1", page_name(command)));
    roff(command).and_then(|page| fs::write(&path, page)).map_err(|e| Failure::file("write", &path, &e))?;
    let mut written = 1;
    for subcommand in command.get_subcommands().filter(|c| !c.is_hide_set() && c.get_name() != "help") {
        written += write_all(subcommand, folder)?;
    }
    Ok(written)
}

/// `dashnas-bench-step`.
fn page_name(command: &Command) -> &str {
    command.get_display_name().unwrap_or_else(|| command.get_name())
}

fn roff(command: &Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    Man::new(command.clone()).title(page_name(command)).render(&mut page)?;
    Ok(page)
}
