//! `dashnas tasks` and `dashnas fetch`: the paper's ten tasks and their files.

use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;
use crate::progress::Verbosity;
use clap::Args;
use clap::builder::PossibleValuesParser;
use comfy_table::{ContentArrangement, Table, presets};
use dashnas::fetch::{self, Client, Done, Hash, RETRIES, Watch};
use dashnas::tasks::{ALL, Recipe, find};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `tasks`.
#[derive(Debug, Args)]
pub struct TasksArgs {
    /// Say all about this task: its files, how they are prepared and split, its settings, where they can be had.
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|recipe| recipe.name)))]
    pub task: Option<String>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

/// `fetch`.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// The task; `dashnas tasks` lists them.
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|recipe| recipe.name)))]
    pub task: String,
    /// Folder for its files; made if it is not there [default: data/TASK].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Get the files from here instead of from where they were published: a folder on the web, http:// or https://,
    /// in which they lie under the names that `dashnas tasks TASK` lists.
    #[arg(long, value_name = "URL", value_parser = base)]
    pub from: Option<String>,
    /// How often a connection that breaks without giving a further byte is tried again.
    #[arg(long, value_name = "N", default_value_t = RETRIES, value_parser = clap::value_parser!(u32).range(0..=1000))]
    pub retries: u32,
}

/// The address of a folder on the web.
fn base(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"?#@".contains(c);
    match rest {
        Some(rest) if rest.chars().all(plain) && !rest.trim_start_matches('/').is_empty() => Ok(text.to_owned()),
        _ => Err("it must be an address that begins with http:// or https://, without ?, # or @".into()),
    }
}

/// A task as `dashnas tasks --json` prints it.
#[derive(Serialize)]
struct Listed {
    name: &'static str,
    learns: &'static str,
    files: Vec<[&'static str; 2]>,
    preparation: &'static str,
    split: &'static str,
    settings: &'static [&'static str],
    licence: &'static str,
    sources: Vec<&'static str>,
    by_hand: Option<&'static str>,
}

impl From<&Recipe> for Listed {
    fn from(recipe: &Recipe) -> Self {
        Self {
            name: recipe.name,
            learns: recipe.title,
            files: recipe.files.iter().map(|&(file, holds)| [file, holds]).collect(),
            preparation: recipe.preparation,
            split: recipe.split,
            settings: recipe.settings_text(),
            licence: recipe.licence,
            sources: recipe.sources.iter().map(|source| source.url).collect(),
            by_hand: recipe.by_hand,
        }
    }
}

/// Lists the tasks, or describes one.
pub fn list(args: &TasksArgs) -> Result<(), Failure> {
    // clap has checked the name.
    let one = args.task.as_deref().and_then(find);
    match (one, args.json) {
        (Some(recipe), true) => output::print_json(&Listed::from(recipe)),
        (Some(recipe), false) => output::print(&describe(recipe)),
        (None, true) => output::print_json(&ALL.map(Listed::from)),
        (None, false) => output::print(&table()),
    }
}

fn table() -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["task", "what is learnt"]);
    for recipe in ALL {
        table.add_row([recipe.name, recipe.title]);
    }
    format!(
        "{table}\n\nSay `dashnas tasks TASK` for its files and settings, `dashnas fetch TASK` to download them,\n         `dashnas run TASK --data-dir DIR` to run it, `dashnas run FILE --recipe TASK` to learn other data like it.\n"
    )
}

fn describe(recipe: &Recipe) -> String {
    let mut text = format!("{}: {}\n", recipe.name, recipe.title);
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\nFiles in --data-dir (default {}):", recipe.default_folder().display());
    for (file, holds) in recipe.files {
        let _ = writeln!(text, "  {file}\n      {holds}");
    }
    let _ =
        writeln!(text, "\nPreparation: {}\nSplit: {}\nLicence: {}", recipe.preparation, recipe.split, recipe.licence);
    let _ = writeln!(text, "\nSettings (over the preset):");
    for setting in recipe.settings_text() {
        let _ = writeln!(text, "  {setting}");
    }
    let _ = writeln!(text, "\nWhere from:");
    for source in recipe.sources {
        let checked = match source.hash {
            Hash::Unknown => "no checksum published",
            Hash::Md5(_) => "MD5 known",
            Hash::Sha256(_) => "SHA-256 known",
        };
        let _ = writeln!(text, "  {} ({checked})", source.url);
    }
    if let Some(note) = recipe.by_hand {
        let _ = writeln!(text, "  {note}");
    }
    text
}

/// Downloads a task's files.
pub fn fetch(args: &FetchArgs, verbosity: Verbosity) -> Result<(), Failure> {
    // clap has checked the name.
    let Some(recipe) = find(&args.task) else { return Ok(()) };
    let folder = args.data_dir.clone().unwrap_or_else(|| recipe.default_folder());
    let mut show = Show::new(verbosity);
    if let Some(note) = recipe.by_hand {
        show.note(note);
    }
    let mut client = Client::default().with_retries(args.retries);
    if let Some(base) = &args.from {
        client = client.with_mirror(base);
    }
    for source in recipe.sources {
        if source.hash == Hash::Unknown {
            show.note(&format!("{}: no checksum was published for it; only its size can be checked", source.file));
        }
        let done = fetch::fetch(&client, source, &folder, &mut show)?;
        show.clear();
        show.note(&match done {
            Done::Present => format!("{} is there", source.file),
            Done::Downloaded if source.hash == Hash::Unknown => format!("{} downloaded", source.file),
            Done::Downloaded => format!("{} downloaded, as it was published", source.file),
        });
    }
    if recipe.sources.is_empty() {
        return Ok(());
    }
    output::print(&format!("{}\n", folder.display()))
}

/// Without a bar to look at, a line every ten seconds shows that there is life.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows a download: a bar on a terminal, lines elsewhere.
struct Show {
    verbosity: Verbosity,
    interrupt: Interrupt,
    bar: Option<ProgressBar>,
    terminal: bool,
    /// When a line was last printed.
    said: Instant,
}

impl Show {
    fn new(verbosity: Verbosity) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { verbosity, interrupt: Interrupt::listen(), bar: None, terminal, said: Instant::now() }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Watch for Show {
    fn progress(&mut self, file: &str, progress: fetch::Progress) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        if !self.terminal {
            if self.said.elapsed() >= PAUSE {
                let total = progress.total.map_or_else(String::new, |n| format!(" of {}", HumanBytes(n)));
                self.note(&format!("{file}: {}{total}", HumanBytes(progress.done)));
            }
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(progress.total, ProgressDrawTarget::stderr());
            let template = "{msg} [{bar:30}] {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";
            // The template is a constant with known keys; a bar with the default style would still do.
            if let Ok(style) = ProgressStyle::with_template(template) {
                bar.set_style(style.progress_chars("=> "));
            }
            bar
        });
        bar.set_message(file.to_owned());
        bar.set_position(progress.done);
    }

    fn note(&mut self, text: &str) {
        if self.verbosity != Verbosity::Quiet {
            self.clear();
            use std::io::Write;
            // There is nowhere to report that standard error is closed.
            let _ = writeln!(anstream::stderr(), "{text}");
            self.said = Instant::now();
        }
    }

    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}
