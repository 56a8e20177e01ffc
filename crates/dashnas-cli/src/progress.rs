//! Progress on standard error: a bar on a terminal, a line now and then elsewhere.

mod lines;

use crate::interrupt::Interrupt;
use crate::results;
use crate::verbosity::Verbosity;
use anstyle::AnsiColor;
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run_dir::dir::RunDir;
use dashnas_core::stage::Stage;
use dashnas_core::task::Metric;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lines::Lines;
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Shows a run's events.
pub struct Progress {
    verbosity: Verbosity,
    interrupt: Interrupt,
    /// The bar of the stage in progress; `None` where standard error is not a terminal.
    bar: Option<ProgressBar>,
    terminal: bool,
    lines: Lines,
    /// The run directory, once there is one.
    dir: Option<PathBuf>,
}

impl Progress {
    /// Progress of the given verbosity that an interrupt cancels.
    pub fn new(verbosity: Verbosity, interrupt: Interrupt) -> Self {
        let terminal = std::io::stderr().is_terminal();
        // Where there is no bar, a line every ten seconds shows that the run is making progress.
        let pause = if terminal { None } else { Some(Duration::from_secs(10)) };
        Self { verbosity, interrupt, bar: None, terminal, lines: Lines::new(verbosity, pause), dir: None }
    }

    /// Sets the metric in which the run's progress is shown.
    pub fn set_metric(&mut self, metric: Metric) {
        self.lines.set_metric(metric);
    }

    /// Prints a text of one line or more, unless only warnings are wanted.
    pub fn print(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.print_line(text.trim_end());
        }
    }

    /// Prints a line above the bar.
    fn print_line(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprint_line(line)),
            None => eprint_line(line),
        }
    }

    /// The lines for the trials of the race that has ended, if the search was one. They show progress only, so a race
    /// that cannot be read has none.
    fn race_lines(&self) -> Vec<String> {
        let dir = self.dir.as_ref().and_then(|dir| RunDir::open(dir).ok());
        let race = dir.and_then(|dir| results::race(&dir).ok().flatten());
        race.map_or_else(Vec::new, |race| self.lines.race(&race))
    }

    fn update_bar(&mut self, event: &Event) {
        match event {
            Event::StageStarted { stage, steps_total, .. } => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                let template = if *steps_total > 0 {
                    bar.set_length(*steps_total);
                    "{prefix:>9} [{bar:30}] {percent:>3} %  {msg}  {eta} left"
                } else {
                    "{prefix:>9} {spinner}  {msg}"
                };
                // The templates are constants with known keys; a bar with the default style would still do.
                if let Ok(style) = ProgressStyle::with_template(template) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar.set_prefix(stage.name());
                bar.enable_steady_tick(Duration::from_millis(200));
                self.bar = Some(bar);
            }
            Event::StageResumed { steps_done, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*steps_done);
                    bar.reset_eta();
                }
            }
            Event::Step { step, .. } => {
                if let Some(bar) = &self.bar {
                    bar.set_position(*step);
                    bar.set_message(lines::step(event));
                }
            }
            Event::StageFinished { .. } | Event::Finished { .. } => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                }
            }
            _ => {}
        }
    }
}

impl Observer for Progress {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.dir = Some(run.dir.to_owned());
    }

    fn event(&mut self, event: &Event) {
        if let Event::Warning { message } = event {
            self.print_line(crate::label::line(AnsiColor::Yellow, "warning", message).trim_end());
            return;
        }
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        if self.terminal {
            self.update_bar(event);
        }
        if matches!(event, Event::StageFinished { stage: Stage::Search, .. }) {
            self.race_lines().iter().for_each(|line| self.print_line(line));
        }
        if let Some(line) = self.lines.event(event, Instant::now()) {
            self.print_line(&line);
        }
    }

    fn cancelled(&self) -> bool {
        self.interrupt.requested()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn eprint_line(line: &str) {
    // There is nowhere to report that standard error is closed.
    let _ = writeln!(anstream::stderr(), "{line}");
}
