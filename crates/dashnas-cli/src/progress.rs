//! Progress on standard error: a bar on a terminal, now and then a line elsewhere.

mod lines;

use crate::interrupt::Interrupt;
use anstyle::AnsiColor;
use dashnas::event::{Event, Observer};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use lines::Lines;
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// How much to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// Warnings only.
    Quiet,
    /// A bar, or a line now and then; a line for each stage and trial.
    Normal,
    /// Also a line for each epoch.
    Verbose,
}

/// Shows a run's events.
pub struct Progress {
    verbosity: Verbosity,
    interrupt: Interrupt,
    /// The bar of the stage under way; none where standard error is not a terminal.
    bar: Option<ProgressBar>,
    terminal: bool,
    lines: Lines,
}

impl Progress {
    /// Progress of the given verbosity that an interrupt cancels.
    pub fn new(verbosity: Verbosity, interrupt: Interrupt) -> Self {
        let terminal = std::io::stderr().is_terminal();
        // Without a bar to look at, a line every ten seconds shows that there is life.
        let pause = if terminal { None } else { Some(Duration::from_secs(10)) };
        Self { verbosity, interrupt, bar: None, terminal, lines: Lines::new(verbosity, pause) }
    }

    /// Says something of one line or more, unless only warnings are wanted.
    pub fn tell(&self, text: &str) {
        if self.verbosity > Verbosity::Quiet {
            self.say(text.trim_end());
        }
    }

    /// Prints a line above the bar.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| eprint_line(line)),
            None => eprint_line(line),
        }
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
    fn event(&mut self, event: &Event) {
        if let Event::Warning { message } = event {
            self.say(crate::failure::line(AnsiColor::Yellow, "warning", message).trim_end());
            return;
        }
        if self.verbosity == Verbosity::Quiet {
            return;
        }
        if self.terminal {
            self.update_bar(event);
        }
        if let Some(line) = self.lines.event(event, Instant::now()) {
            self.say(&line);
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
