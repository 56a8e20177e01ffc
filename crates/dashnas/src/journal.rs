//! What a run writes down while it works: the event log, and checkpoints to go on from.

use crate::checkpoint::{Cadence, Checkpoint, Kept, Ledger};
use crate::crew::Line;
use crate::digest::sha256;
use crate::error::Error;
use crate::event::{Event, Observer, Stage};
use crate::run_dir::{Log, RunDir, names};
use crate::status::Watch;
use std::time::Instant;

/// Takes every event of a run: shows it to the caller's observer, writes it to the log, and
/// keeps the ledger. Stages ask it where to go on, and give it their state to keep.
pub struct Journal<'a> {
    observer: &'a mut dyn Observer,
    /// Who else looks on.
    watch: Option<Watch>,
    files: Option<Files>,
    /// Where the run stands.
    pub ledger: Ledger,
    /// Trainings read from the checkpoint that their stage has not asked for yet.
    unclaimed: Vec<Kept>,
    /// Where the run's own journal is, if this is that of a trial on a thread of its own.
    line: Option<&'a Line>,
    cadence: Cadence,
    /// Whether the newest checkpoint was found damaged and is still there.
    damaged: bool,
    /// Whether the stage under way was begun by an earlier process, until it says that it starts.
    resuming: bool,
    /// Since when seconds of the stage under way are not yet in the ledger.
    since: Instant,
    failed: Option<Error>,
}

struct Files {
    dir: RunDir,
    log: Log,
}

impl<'a> Journal<'a> {
    /// The journal of a run directory, continued where the newest checkpoint left it.
    ///
    /// # Errors
    /// Those of [`Checkpoint::read`] and of opening the log.
    pub fn open(dir: &RunDir, observer: &'a mut dyn Observer) -> Result<Self, Error> {
        let log = dir.log(names::EVENTS)?;
        let mut journal = Self::detached(observer);
        let mut warnings = Vec::new();
        if let Some((checkpoint, warning)) = Checkpoint::read(dir)? {
            let wrote = &checkpoint.ledger.program;
            if wrote != VERSION {
                warnings.push(format!(
                    "this run was begun by dashnas {wrote}, this is {VERSION}: going on may not give the same bits"
                ));
            }
            journal.damaged = warning.is_some();
            warnings.extend(warning);
            journal.ledger = checkpoint.ledger;
            journal.unclaimed = checkpoint.trainings;
        }
        // What was logged after the checkpoint is about to happen again.
        log.cut(journal.ledger.log)?;
        journal.files = Some(Files { dir: dir.clone(), log });
        for message in warnings {
            tracing::warn!("{message}");
            journal.event(&Event::Warning { message });
        }
        Ok(journal)
    }

    /// A journal that writes nothing, for trainings outside of a run.
    pub fn detached(observer: &'a mut dyn Observer) -> Self {
        let now = Instant::now();
        Self {
            observer,
            watch: None,
            files: None,
            ledger: Ledger::default(),
            unclaimed: Vec::new(),
            line: None,
            cadence: Cadence::new(now),
            damaged: false,
            resuming: false,
            since: now,
            failed: None,
        }
    }

    /// The journal of a trial on a thread of its own: what it is told goes to the run's thread, and so does the state
    /// that it is given to keep.
    pub(crate) fn on_line(observer: &'a mut dyn Observer, line: &'a Line, kept: Option<Kept>) -> Self {
        Self { line: Some(line), unclaimed: kept.into_iter().collect(), ..Self::detached(observer) }
    }

    /// Lets another one look on.
    pub(crate) fn watch(&mut self, watch: Watch) {
        self.watch = Some(watch);
    }

    /// Counts time that passed before the run had a clock.
    pub(crate) fn add_seconds(&mut self, stage: Stage, seconds: f64) {
        *self.ledger.seconds.entry(stage).or_default() += seconds;
        if let Some(watch) = &mut self.watch {
            watch.add_seconds(seconds);
        }
    }

    /// Shows an event to those who look on.
    fn show(&mut self, event: &Event) {
        self.observer.event(event);
        if let Some(watch) = &mut self.watch {
            watch.event(event);
        }
    }

    /// Sets how often checkpoints are written.
    pub fn set_cadence(&mut self, cadence: Cadence) {
        self.cadence = cadence;
    }

    /// Begins a stage or goes on with it, under the configuration of the given digest.
    ///
    /// # Errors
    /// [`Error::ConfigChanged`] if it was begun under another configuration.
    pub fn begin(&mut self, stage: Stage, config: &str) -> Result<(), Error> {
        self.since = Instant::now();
        self.resuming = self.ledger.current == Some(stage);
        if self.resuming
            && self.ledger.config != config
            && let Some(files) = &self.files
        {
            return Err(Error::ConfigChanged { path: files.dir.file(names::CONFIG), stage });
        }
        if !self.ledger.begin(stage) {
            self.unclaimed.clear();
        }
        self.ledger.config = config.into();
        tracing::info!("{stage}: {}", if self.resuming { "resumed" } else { "started" });
        Ok(())
    }

    /// Ends a stage and seals the files that it wrote.
    ///
    /// # Errors
    /// Those of reading the files and of writing the checkpoint.
    pub fn end(&mut self, stage: Stage, wrote: &[&str]) -> Result<(), Error> {
        if let Some(files) = &self.files {
            for &name in wrote {
                self.ledger.files.insert(name.into(), sha256(&files.dir.read(name)?));
            }
        }
        self.count_seconds();
        let seconds = self.ledger.seconds.get(&stage).copied().unwrap_or_default();
        tracing::info!("{stage}: done in {seconds:.1} s");
        self.event(&Event::StageFinished { stage, seconds });
        self.ledger.end(stage);
        self.unclaimed.clear();
        self.save(None)?;
        self.check()
    }

    /// Checks that a file is what a finished stage wrote.
    ///
    /// # Errors
    /// [`Error::Corrupt`] if not.
    pub fn verify(&self, name: &str) -> Result<(), Error> {
        let Some(files) = &self.files else { return Ok(()) };
        if self.ledger.files.get(name).is_none_or(|sealed| files.dir.read(name).is_ok_and(|b| sha256(&b) == *sealed)) {
            return Ok(());
        }
        let reason = "it is not what its stage wrote".into();
        Err(Error::Corrupt { path: files.dir.file(name), reason })
    }

    /// The training to go on with, if this is the one that was under way.
    pub fn resume(&mut self, stage: Stage, trial: Option<usize>) -> Option<Kept> {
        let this = |kept: &Kept| (kept.now.position.stage, kept.now.position.trial) == (stage, trial);
        let found = self.unclaimed.iter().position(this)?;
        Some(self.unclaimed.remove(found))
    }

    /// Whether a checkpoint is due.
    pub fn due(&self) -> bool {
        match self.line {
            Some(line) => line.is_asked(),
            None => self.files.is_some() && self.cadence.due(Instant::now()),
        }
    }

    /// Writes a checkpoint, with the training under way if there is one.
    ///
    /// # Errors
    /// As [`Journal::save_all`].
    pub fn save(&mut self, training: Option<&Kept>) -> Result<(), Error> {
        match (self.line, training) {
            (Some(line), Some(kept)) => {
                line.keep(kept.clone());
                Ok(())
            }
            _ => self.save_all(training.as_slice()),
        }
    }

    /// Writes a checkpoint, with the trainings under way, and those that their stage has not asked for yet.
    ///
    /// # Errors
    /// [`Error::Io`]; the checkpoint before is still there then.
    pub fn save_all(&mut self, trainings: &[&Kept]) -> Result<(), Error> {
        self.count_seconds();
        let Some(files) = &self.files else { return Ok(()) };
        let start = Instant::now();
        self.ledger.log = files.log.sync()?;
        self.ledger.program = VERSION.into();
        let trainings: Vec<&Kept> = trainings.iter().copied().chain(&self.unclaimed).collect();
        let bytes = Checkpoint::encode(&self.ledger, &trainings)
            .map_err(|e| Error::io("encode", &files.dir.file(names::CHECKPOINT), e))?;
        if self.damaged {
            // The one before it is the only good one.
            Checkpoint::replace(&files.dir, &bytes)?;
            self.damaged = false;
        } else {
            Checkpoint::write(&files.dir, &bytes)?;
        }
        let end = Instant::now();
        self.cadence.wrote(start, end);
        tracing::debug!("checkpoint of {} bytes in {:.1} ms", bytes.len(), (end - start).as_secs_f64() * 1e3);
        Ok(())
    }

    /// Adds the time since it was last counted to the stage under way.
    fn count_seconds(&mut self) {
        let now = Instant::now();
        if let Some(stage) = self.ledger.current {
            *self.ledger.seconds.entry(stage).or_default() += (now - self.since).as_secs_f64();
        }
        self.since = now;
    }

    /// The failure to write the log, if there was one.
    ///
    /// # Errors
    /// That.
    pub fn check(&mut self) -> Result<(), Error> {
        self.failed.take().map_or(Ok(()), Err)
    }

    fn log(&mut self, event: &Event) {
        if let Some(files) = &mut self.files
            && let Err(e) = files.log.append(event)
        {
            self.failed.get_or_insert(e);
        }
    }
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

impl Observer for Journal<'_> {
    fn event(&mut self, event: &Event) {
        self.show(event);
        match event {
            // Too many for the log.
            Event::Step { step, .. } => self.ledger.steps = *step,
            // The log has this line from the process that began the stage.
            Event::StageStarted { stage, .. } if std::mem::take(&mut self.resuming) => {
                let resumed = Event::StageResumed { stage: *stage, steps_done: self.ledger.steps };
                self.show(&resumed);
                self.log(&resumed);
            }
            event => self.log(event),
        }
    }

    fn cancelled(&self) -> bool {
        // A log that cannot be written ends the run at the next step; the stage reports why.
        self.failed.is_some() || self.observer.cancelled()
    }
}
