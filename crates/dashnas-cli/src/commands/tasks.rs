//! `dashnas tasks` and `dashnas fetch`: the ten tasks of the paper and their files.

use crate::args::numbers::between;
use crate::failure::Failure;
use crate::interrupt::Interrupt;
use crate::output;
use crate::text_table;
use crate::verbosity::Verbosity;
use clap::Args;
use clap::builder::PossibleValuesParser;
use comfy_table::{ContentArrangement, Table, presets};
use dashnas_core::task::Metric;
use dashnas_tasks::fetch;
use dashnas_tasks::fetch::download::{Client, RETRIES};
use dashnas_tasks::fetch::{Checksum, FetchObserver, FetchOutcome};
use dashnas_tasks::paper_results::{self, PaperResult};
use dashnas_tasks::recipes::{ALL, Recipe, find};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use std::fmt::Write;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// `tasks`.
#[derive(Debug, Args)]
pub struct TasksArgs {
    /// The task to describe: its files, their preparation and split, its settings, and the sources of the files.
    #[arg(value_parser = PossibleValuesParser::new(ALL.map(|recipe| recipe.name)))]
    pub task: Option<String>,
    /// Print the results that the paper reports for the task instead: the errors of its Table 2 and the deviations of its
    /// Table 5.
    #[arg(long, requires = "task")]
    pub published: bool,
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
    /// The folder for its files, which is created if necessary [default: data/TASK].
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// The address of another folder on the web to download from, with http:// or https://, in which the files have
    /// the names that `dashnas tasks TASK` lists.
    #[arg(long, value_name = "URL", value_parser = base)]
    pub from: Option<String>,
    /// The number of further attempts after a connection breaks without having delivered a byte.
    #[arg(long, value_name = "N", default_value_t = RETRIES, allow_negative_numbers = true, value_parser = between::<u32>(0, 1000))]
    pub retries: u32,
}

/// The address of a folder on the web.
fn base(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !"?#@".contains(c);
    match rest {
        Some(rest) if rest.chars().all(plain) && !rest.trim_start_matches('/').is_empty() => Ok(text.to_owned()),
        _ => Err("expected an address that begins with http:// or https://, without ?, # or @".into()),
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
    license: &'static str,
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
            settings: recipe.common_settings(),
            license: recipe.license,
            sources: recipe.sources.iter().map(|source| source.url).collect(),
            by_hand: recipe.by_hand,
        }
    }
}

/// What the paper reports for a task, as `dashnas tasks TASK --published --json` prints it.
#[derive(Serialize)]
struct Reported {
    name: &'static str,
    metric: Metric,
    results: Vec<PaperResult>,
}

impl Reported {
    fn of(name: &'static str) -> Option<Self> {
        paper_results::of_task(name).map(|(metric, results)| Self { name, metric, results })
    }

    fn text(&self) -> String {
        let mut table = text_table::table(&["method", &format!("test {}", self.metric.title())]);
        self.results.iter().for_each(|result| {
            table.add_row([&result.method, &result.written]);
        });
        format!(
            "{table}\n{}: Table 2 of the paper with the deviations of its Table 5; lower is better. The figures of DASH are means \
             over three runs; those of the other methods but BABY DASH are from NAS-Bench-360 (Tu et al. 2022).\n",
            self.name
        )
    }
}

/// Lists the tasks, or describes one.
pub fn list(args: &TasksArgs) -> Result<(), Failure> {
    // clap has checked the name.
    let one = args.task.as_deref().and_then(find);
    if let Some(reported) = one.filter(|_| args.published).and_then(|recipe| Reported::of(recipe.name)) {
        return if args.json { output::print_json(&reported) } else { output::print(&reported.text()) };
    }
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
    table.set_header(["task", "description"]);
    for recipe in ALL {
        table.add_row([recipe.name, recipe.title]);
    }
    format!(
        "{table}\n\n`dashnas tasks TASK` describes its files and settings, `dashnas fetch TASK` downloads them,\n`dashnas run TASK --data-dir DIR` runs it, `dashnas run FILE --recipe TASK` uses its settings for other data.\n"
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
        writeln!(text, "\nPreparation: {}\nSplit: {}\nLicense: {}", recipe.preparation, recipe.split, recipe.license);
    let _ = writeln!(text, "\nSettings (over the preset):");
    for setting in recipe.common_settings() {
        let _ = writeln!(text, "  {setting}");
    }
    let _ = writeln!(text, "\nSources:");
    for source in recipe.sources {
        let checked = match source.checksum {
            Checksum::Unknown => "no checksum published",
            Checksum::Md5(_) => "MD5 known",
            Checksum::Sha256(_) => "SHA-256 known",
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
        if source.checksum == Checksum::Unknown {
            show.note(&format!("{}: no checksum was published, so only the size can be checked", source.file));
        }
        let done = fetch::fetch(&client, source, &folder, &mut show)?;
        show.clear();
        show.note(&match done {
            FetchOutcome::Present => format!("{} is already present", source.file),
            FetchOutcome::Downloaded if source.checksum == Checksum::Unknown => format!("Downloaded {}", source.file),
            FetchOutcome::Downloaded => format!("Downloaded {}; its checksum is correct", source.file),
        });
    }
    if recipe.sources.is_empty() {
        return Ok(());
    }
    output::print(&format!("{}\n", folder.display()))
}

/// The time between two lines about a download where there is no bar.
const PAUSE: Duration = Duration::from_secs(10);

/// Shows a download: a bar on a terminal, lines elsewhere.
struct Show {
    verbosity: Verbosity,
    interrupt: Interrupt,
    bar: Option<ProgressBar>,
    terminal: bool,
    /// The time at which the last line was printed.
    printed: Instant,
}

impl Show {
    fn new(verbosity: Verbosity) -> Self {
        let terminal = std::io::stderr().is_terminal();
        Self { verbosity, interrupt: Interrupt::listen(), bar: None, terminal, printed: Instant::now() }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl FetchObserver for Show {
    fn progress(&mut self, file: &str, progress: fetch::DownloadProgress) {
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        if !self.terminal {
            if self.printed.elapsed() >= PAUSE {
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
            self.printed = Instant::now();
        }
    }

    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}
