//! The journal of a run: the event log, and checkpoints from which the run can be resumed.

use crate::budget::pace::PacerState;
use crate::checkpoint::Checkpoint;
use crate::checkpoint::cadence::Cadence;
use crate::checkpoint::ledger::Ledger;
use crate::checkpoint::snapshot::SavedTraining;
use crate::config::sections::Config;
use crate::error::Error;
use crate::record::event::{Event, Observer, RunStart};
use crate::record::trial::Trial;
use crate::run_dir::dir::{Log, RunDir};
use crate::run_dir::names;
use crate::train::recorder::Recorder;
use crate::tune::recorder::TuningRecorder;
use dashnas_core::digest::sha256;
use dashnas_core::files::FileError;
use dashnas_core::names::SearchStrategy;
use dashnas_core::stage::Stage;
use std::time::Instant;

/// The recorder of a run: passes every event on to the caller's observer, writes it to the log, and keeps the ledger.
/// Trainings resume from the states that it hands out, and save theirs in it.
pub(crate) struct RunJournal<'a> {
    observer: &'a mut dyn Observer,
    dir: RunDir,
    log: Log,
    /// The progress of the run.
    pub ledger: Ledger,
    /// States of trainings from the checkpoint that their stage has not taken yet.
    unclaimed: Vec<SavedTraining>,
    cadence: Cadence,
    /// Whether the newest checkpoint was found damaged and is still there.
    damaged: bool,
    /// Whether the running stage was begun by an earlier process, until it reports that it starts.
    resuming: bool,
    /// The instant up to which the seconds of the running stage are in the ledger.
    counted_until: Instant,
    failed: Option<Error>,
}

impl<'a> RunJournal<'a> {
    /// The journal of a run directory, continued from the newest checkpoint.
    ///
    /// # Errors
    /// Those of [`Checkpoint::read`] and of opening the log.
    pub fn open(dir: &RunDir, observer: &'a mut dyn Observer) -> Result<Self, Error> {
        let log = dir.log(names::EVENTS)?;
        let now = Instant::now();
        let mut journal = Self {
            observer,
            dir: dir.clone(),
            log,
            ledger: Ledger::default(),
            unclaimed: Vec::new(),
            cadence: Cadence::new(now),
            damaged: false,
            resuming: false,
            counted_until: now,
            failed: None,
        };
        let mut warnings = Vec::new();
        if let Some((checkpoint, warning)) = Checkpoint::read(dir)? {
            let wrote = &checkpoint.ledger.program;
            if wrote != VERSION {
                warnings.push(format!(
                    "this run was started by dashnas {wrote} and continues with dashnas {VERSION}: the results may not \
                     be bit-identical to those of one version"
                ));
            }
            journal.damaged = warning.is_some();
            warnings.extend(warning);
            journal.ledger = checkpoint.ledger;
            journal.unclaimed = checkpoint.trainings;
        }
        // The steps whose events were logged after the checkpoint are about to be repeated.
        journal.log.cut(journal.ledger.log)?;
        for message in warnings {
            tracing::warn!("{message}");
            journal.event(&Event::Warning { message });
        }
        Ok(journal)
    }

    /// Tells the observer about the run, before the first event.
    pub(crate) fn attach(&mut self, run: &RunStart<'_>) {
        self.observer.attached(run);
    }

    /// Adds time that passed before the run had a clock.
    pub(crate) fn add_seconds(&mut self, stage: Stage, seconds: f64) {
        *self.ledger.seconds.entry(stage).or_default() += seconds;
        self.observer.time_added(seconds);
    }

    /// Sets how often checkpoints are written.
    pub fn set_cadence(&mut self, cadence: Cadence) {
        self.cadence = cadence;
    }

    /// Begins or resumes a stage under the configuration with the given digest.
    ///
    /// # Errors
    /// [`Error::ConfigChanged`] if it was begun under another configuration.
    pub fn begin(&mut self, stage: Stage, config: &str) -> Result<(), Error> {
        self.counted_until = Instant::now();
        self.resuming = self.ledger.current == Some(stage);
        if self.resuming && self.ledger.config != config {
            return Err(Error::ConfigChanged { path: self.dir.file(names::CONFIG), stage });
        }
        if !self.ledger.begin(stage) {
            self.unclaimed.clear();
        }
        self.ledger.config = config.into();
        tracing::info!("{stage}: {}", if self.resuming { "resumed" } else { "started" });
        Ok(())
    }

    /// Ends a stage and keeps the checksums of the files that it wrote.
    ///
    /// # Errors
    /// Those of reading the files and of writing the checkpoint.
    pub fn end(&mut self, stage: Stage, wrote: &[&str]) -> Result<(), Error> {
        for &name in wrote {
            self.ledger.files.insert(name.into(), sha256(&self.dir.read(name)?));
        }
        self.count_seconds();
        let seconds = self.ledger.seconds.get(&stage).copied().unwrap_or_default();
        tracing::info!("{stage}: finished in {seconds:.1} s");
        self.event(&Event::StageFinished { stage, seconds });
        self.ledger.end(stage);
        self.unclaimed.clear();
        self.save_progress()?;
        self.check()
    }

    /// Checks that a file is unchanged since its stage wrote it.
    ///
    /// # Errors
    /// [`Error::File`] if not.
    pub fn verify(&self, name: &str) -> Result<(), Error> {
        let unchanged = |checksum: &String| self.dir.read(name).is_ok_and(|bytes| sha256(&bytes) == *checksum);
        if self.ledger.files.get(name).is_none_or(unchanged) {
            return Ok(());
        }
        Err(FileError::corrupt(&self.dir.file(name), "it was changed after its stage wrote it").into())
    }

    /// Writes a checkpoint of the run between two trainings.
    ///
    /// # Errors
    /// [`Error::File`]; the previous checkpoint is still there then.
    pub fn save_progress(&mut self) -> Result<(), Error> {
        self.save_trials(&[])
    }

    /// Adds the time since it was last counted to the running stage.
    fn count_seconds(&mut self) {
        let now = Instant::now();
        if let Some(stage) = self.ledger.current {
            *self.ledger.seconds.entry(stage).or_default() += (now - self.counted_until).as_secs_f64();
        }
        self.counted_until = now;
    }

    /// Checks that the log could be written.
    ///
    /// # Errors
    /// [`Error::File`] of the first event that could not be written.
    pub fn check(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn append_to_log(&mut self, event: &Event) {
        if let Err(e) = self.log.append(event) {
            self.failed.get_or_insert(e.into());
        }
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Observer for RunJournal<'_> {
    fn event(&mut self, event: &Event) {
        self.observer.event(event);
        match event {
            // There are too many steps for the log.
            Event::Step { step, .. } => self.ledger.steps = *step,
            // The process that began the stage has logged this event.
            Event::StageStarted { stage, .. } if std::mem::take(&mut self.resuming) => {
                let resumed = Event::StageResumed { stage: *stage, steps_done: self.ledger.steps };
                self.observer.event(&resumed);
                self.append_to_log(&resumed);
            }
            event => self.append_to_log(event),
        }
    }

    fn cancelled(&self) -> bool {
        // A log that cannot be written ends the run at the next step; `check` gives the error.
        self.failed.is_some() || self.observer.cancelled()
    }
}

impl Recorder for RunJournal<'_> {
    fn take_saved(&mut self, stage: Stage, trial: Option<usize>) -> Option<SavedTraining> {
        let found = self.unclaimed.iter().position(|saved| saved.is_of(stage, trial))?;
        Some(self.unclaimed.remove(found))
    }

    fn checkpoint_due(&self) -> bool {
        self.cadence.due(Instant::now())
    }

    fn save(&mut self, training: &SavedTraining) -> Result<(), Error> {
        self.save_trials(&[training])
    }

    fn pace(&self, stage: Stage, trial: Option<usize>) -> Option<PacerState> {
        self.ledger.pace(stage, trial)
    }

    fn keep_pace(&mut self, stage: Stage, trial: Option<usize>, pace: PacerState) {
        self.ledger.keep_pace(stage, trial, pace);
    }
}

impl TuningRecorder for RunJournal<'_> {
    fn finished_trial(&self, stage: Stage, number: usize) -> Option<Trial> {
        self.ledger.trial(stage, number).cloned()
    }

    fn add_trial(&mut self, stage: Stage, trial: Trial) {
        self.ledger.add_trial(stage, trial);
    }

    fn set_steps(&mut self, steps: u64) {
        self.ledger.steps = steps;
    }

    fn note_tuning_end(&mut self, stage: Stage, reason: &str) {
        self.ledger.note_tuning_end(stage, reason);
    }

    /// Writes a checkpoint with the given trainings, and with those that their stage has not taken yet.
    fn save_trials(&mut self, trainings: &[&SavedTraining]) -> Result<(), Error> {
        self.count_seconds();
        let start = Instant::now();
        self.ledger.log = self.log.sync()?;
        self.ledger.program = VERSION.into();
        let trainings: Vec<&SavedTraining> = trainings.iter().copied().chain(&self.unclaimed).collect();
        let bytes = Checkpoint::encode(&self.ledger, &trainings)
            .map_err(|e| Error::io("encode", &self.dir.file(names::CHECKPOINT), e))?;
        if self.damaged {
            // The previous checkpoint is the only intact one.
            Checkpoint::replace(&self.dir, &bytes)?;
            self.damaged = false;
        } else {
            Checkpoint::write(&self.dir, &bytes)?;
        }
        let end = Instant::now();
        self.cadence.wrote(start, end);
        tracing::debug!("checkpoint of {} bytes in {:.1} ms", bytes.len(), (end - start).as_secs_f64() * 1e3);
        Ok(())
    }
}

/// Digest of the settings under which an interrupted stage must be resumed. It leaves out the bounds on size and
/// speed, which decide nothing before the end of the search, so that they can still be changed if they cannot be met
/// (but all networks of a race are within the bound on the size from its beginning); and the number of trials that run
/// side by side, which changes no result.
pub(super) fn digest(config: &Config) -> String {
    let mut config = config.clone();
    config.budget.max_latency = 0.0;
    if config.search.strategy == SearchStrategy::Paper {
        config.budget.max_params = 0;
    }
    config.tune.workers = None;
    sha256(config.to_toml().as_bytes())
}
