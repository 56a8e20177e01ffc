//! The observer that keeps `status.json` up to date.

use crate::status::live::{Live, process_began, seconds_now};
use crate::tensorboard;
use dashnas::budget::clock::{Clock, WallClock};
use dashnas::record::event::{Event, Observer, RunStart};
use dashnas::run_dir::names;
use dashnas_core::stage::Stage;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The shortest time between two replacements of the file while steps are made.
const PERIOD: Duration = Duration::from_secs(1);

/// An observer that keeps `status.json` up to date and writes TensorBoard's files if they are asked for. It never fails,
/// since a run does not depend on its observers: what cannot be written is logged once.
#[derive(Debug, Default)]
pub struct StatusWriter(Option<Attached>);

impl Observer for StatusWriter {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.0 = Some(Attached::new(run));
    }

    fn time_added(&mut self, seconds: f64) {
        if let Some(attached) = &mut self.0 {
            attached.add_seconds(seconds);
        }
    }

    fn event(&mut self, event: &Event) {
        if let Some(attached) = &mut self.0 {
            attached.event(event);
        }
    }
}

/// The run that the observer is attached to.
#[derive(Debug)]
struct Attached {
    dir: PathBuf,
    live: Live,
    /// Training steps of the stages after the search.
    steps_to_come: Vec<(Stage, u64)>,
    /// The run's clock.
    clock: WallClock,
    /// The instant at which this process began to work on the stage.
    stage_begun: Instant,
    written: Option<Instant>,
    failed: bool,
    tensorboard: Option<tensorboard::Writer>,
}

impl Attached {
    fn new(run: &RunStart<'_>) -> Self {
        let process = std::process::id();
        Self {
            dir: run.dir.to_owned(),
            live: Live {
                process,
                process_began: process_began(process),
                updated: seconds_now(),
                stage: Stage::Search,
                trial: None,
                trials: Vec::new(),
                epoch: 0,
                step: 0,
                steps_total: 0,
                loss: None,
                lr: None,
                seconds: 0.0,
                steps_before: 0,
                run_seconds: 0.0,
                steps_after: 0,
            },
            steps_to_come: run.steps_to_come.to_vec(),
            clock: WallClock::new(run.begun, run.seconds_before),
            stage_begun: Instant::now(),
            written: None,
            failed: false,
            tensorboard: run.tensorboard.then(|| tensorboard::Writer::new(run.dir)),
        }
    }

    /// Counts time that passed before the run had a clock, such as that of reading the data.
    fn add_seconds(&mut self, seconds: f64) {
        self.clock = self.clock.ahead(seconds);
    }

    fn event(&mut self, event: &Event) {
        if let Some(tensorboard) = &mut self.tensorboard {
            tensorboard.event(event);
        }
        match event {
            Event::StageStarted { stage, steps_total, .. } => {
                let (trial, loss, lr) = (None, None, None);
                self.live = Live { stage: *stage, steps_total: *steps_total, trial, loss, lr, ..self.live.clone() };
                (self.live.epoch, self.live.step, self.live.steps_before) = (0, 0, 0);
                self.live.trials.clear();
                self.live.steps_after =
                    self.steps_to_come.iter().filter(|(s, _)| s > stage).map(|(_, steps)| steps).sum();
                self.stage_begun = Instant::now();
                self.write(true);
            }
            Event::StageResumed { stage, steps_done } => {
                (self.live.stage, self.live.step, self.live.steps_before) = (*stage, *steps_done, *steps_done);
                self.stage_begun = Instant::now();
                self.write(true);
            }
            Event::Step { stage, trial, epoch, step, steps_total, loss, lr } => {
                let live = &mut self.live;
                (live.stage, live.trial, live.epoch, live.step) = (*stage, *trial, *epoch, *step);
                (live.steps_total, live.loss, live.lr) = (*steps_total, *loss, *lr);
                if let Some(trial) = trial
                    && let Err(position) = live.trials.binary_search(trial)
                {
                    live.trials.insert(position, *trial);
                }
                self.write(false);
            }
            Event::TrialFinished { trial, .. } => self.live.trials.retain(|other| other != trial),
            Event::StageFinished { .. } | Event::Finished { .. } => self.write(true),
            _ => {}
        }
    }

    fn write(&mut self, immediately: bool) {
        if self.failed || (!immediately && self.written.is_some_and(|w| w.elapsed() < PERIOD)) {
            return;
        }
        self.live.updated = seconds_now();
        self.live.seconds = self.stage_begun.elapsed().as_secs_f64();
        self.live.run_seconds = self.clock.seconds();
        self.written = Some(Instant::now());
        if let Err(e) = self.replace() {
            tracing::warn!("stopped updating {}: {e}", names::STATUS);
            self.failed = true;
        }
    }

    /// Replaces the file whole, but does not wait for the disk: after a power cut it may be empty.
    fn replace(&self) -> io::Result<()> {
        let path = self.dir.join(names::STATUS);
        let temporary = path.with_extension("json.new");
        fs::write(&temporary, serde_json::to_vec(&self.live)?)?;
        fs::rename(&temporary, &path)
    }
}
