//! Runs the entries of a bench, side by side if asked to. Every entry is an ordinary run, so that an interrupted bench
//! resumes from the checkpoints of its runs, and finished entries are not repeated.

use crate::bench::search::document::{Document, Facts, seconds};
use crate::bench::search::error::SearchBenchError;
use crate::bench::search::folder::{self, BenchFolder, write_json};
use crate::bench::search::measure::{scored_samples, test_loss};
use crate::bench::search::notes;
use crate::bench::search::plan::{Entry, GivenKernels, Group, Kernels, entries, uniform_kernels};
use crate::bench::search::pool::side_by_side;
use crate::bench::search::record::{EntryRecord, RECORD, ShortTrial, failure};
use crate::bench::search::settings::{BenchSettings, RANDOM_SEEDS, base, seeded, with_kernels, with_strategy};
use crate::bench::search::short_trials::{self, ShortTrialPlan};
use crate::bench::search::supernet::PathLosses;
use crate::config::sections::Config;
use crate::error::Error;
use crate::problem::build::graph;
use crate::problem::state::Problem;
use crate::record::event::{Event, Observer, RunStart};
use crate::record::trial::Tuning;
use crate::run::kernels::KernelSource;
use crate::run::load::Loaded;
use crate::run::pipeline::Run;
use crate::run::results::read_tuning;
use crate::run_dir::dir::RunDir;
use crate::run_dir::names;
use crate::train::recorder::DetachedRecorder;
use aggconv::KernelSpace;
use dashnas_data::dataset::Dataset;
use dashnas_nn::model::Model;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The name of the document in the folder of a bench.
pub const DOCUMENT: &str = folder::DOCUMENT;

/// A bench of the search on a data set.
#[derive(Debug, Clone, Copy)]
pub struct SearchBench<'a> {
    /// The configuration of its runs.
    pub config: &'a Config,
    /// The name from which the data can be read again.
    pub source: &'a str,
    /// The data set.
    pub data: &'a Dataset,
    /// The folder of the results. A bench that was begun there is continued.
    pub out: &'a Path,
    /// The numbers of networks.
    pub settings: BenchSettings,
    /// The number of entries that run side by side. It changes the time, not the results.
    pub workers: usize,
}

/// Follows a bench, and may stop it.
pub trait BenchObserver: Sync {
    /// Whether the bench is to stop before the next steps of its runs. It can be continued.
    fn cancelled(&self) -> bool {
        false
    }

    /// An observer for the run of an entry.
    fn of_run(&self, _entry: &str) -> Box<dyn Observer + '_> {
        Box::new(())
    }

    /// Called once before the first run, and after every finished entry.
    ///
    /// # Errors
    /// Any error ends the bench.
    fn finished(&self, _progress: &BenchProgress<'_>, _document: &Document) -> Result<(), Error> {
        Ok(())
    }
}

/// An observer that does nothing.
impl BenchObserver for () {}

/// The progress of a bench.
#[derive(Debug, Clone, Copy)]
pub struct BenchProgress<'a> {
    /// The entry that has just finished, with its result; `None` before the first run.
    pub entry: Option<(&'a str, &'a EntryRecord)>,
    /// The number of entries with a result.
    pub done: usize,
    /// The number of all entries.
    pub of: usize,
    /// Estimated seconds until the end; `None` before anything is known.
    pub remaining: Option<f64>,
}

impl SearchBench<'_> {
    /// Runs all entries that are not finished. `bench.json` is written after each of them.
    ///
    /// # Errors
    /// [`SearchBenchError::Unsuitable`] and [`SearchBenchError::Changed`] before anything is run. Of the errors of a run,
    /// a training that fails is a result; all others end the bench, which can be continued: [`Error::Interrupted`] if
    /// the observer asked to stop, and those of the files.
    pub fn run(&self, observer: &dyn BenchObserver) -> Result<Document, SearchBenchError> {
        let base = base(self.config, self.settings)?;
        let problem = Problem::new(&base, self.data)?;
        problem.setup.check_test(self.data)?;
        let space = KernelSpace::new(problem.config().kernel_sizes(problem.setup.dims()), problem.config().dilations())
            .map_err(Error::from)?;
        let random = (0..self.settings.random as u64)
            .map(|i| KernelSource::Random(RANDOM_SEEDS + i).resolve(&base, self.data))
            .collect::<Result<_, _>>()?;
        let length = self.data.spatial().into_iter().filter(|&length| length > 1).min().unwrap_or(1);
        let given = GivenKernels {
            random,
            plain: graph(&problem, problem.config().backbone.width).plain_kernels(),
            uniform: uniform_kernels(&space, length, self.settings.uniform),
        };
        let notes = notes::too_many(&given, self.settings, &space);
        let mut facts = Facts {
            dataset: self.data.name.clone(),
            task: problem.setup.task,
            metric: problem.setup.metric,
            loss: problem.config().loss(problem.setup.task),
            train_samples: self.data.train.len(),
            test_samples: scored_samples(self.data),
            space,
            settings: self.settings,
            config: base.clone(),
            notes,
        };
        let folder = BenchFolder::open(self.out, &base, self.source, self.data)?;
        let plan = entries(&given, self.settings);
        let losses = PathLosses::read(&folder)?;
        let mut records = BTreeMap::new();
        for Entry { name, .. } in &plan {
            let record = folder.record(name);
            let record = record.map_err(|error| SearchBenchError::of_results(error, Some(&folder.run(name))))?;
            records.extend(record.map(|record| (name.clone(), record)));
        }
        facts.notes.extend(notes::left_out(&folder.finished(), &plan));
        let bench = Bench {
            base,
            source: self.source,
            data: self.data,
            folder,
            facts,
            plan: &plan,
            observer,
            stop: AtomicBool::new(false),
            workers: self.workers.max(1),
            records: Mutex::new(records),
            losses: Mutex::new(losses),
        };
        Ok(bench.run(&problem)?)
    }
}

/// A bench in its folder.
struct Bench<'a> {
    base: Config,
    source: &'a str,
    data: &'a Dataset,
    folder: BenchFolder,
    facts: Facts,
    plan: &'a [Entry],
    observer: &'a dyn BenchObserver,
    /// Whether the running entries are to stop because of an error.
    stop: AtomicBool,
    workers: usize,
    /// The results so far, by the name of the entry.
    records: Mutex<BTreeMap<String, EntryRecord>>,
    /// The losses of networks as paths of a supernet.
    losses: Mutex<PathLosses>,
}

/// The observer of the run of an entry: that of the caller, which is also asked to stop if the whole bench is.
struct EntryObserver<'a> {
    own: Box<dyn Observer + 'a>,
    bench: &'a dyn BenchObserver,
    stop: &'a AtomicBool,
}

impl Observer for EntryObserver<'_> {
    fn attached(&mut self, run: &RunStart<'_>) {
        self.own.attached(run);
    }

    fn time_added(&mut self, seconds: f64) {
        self.own.time_added(seconds);
    }

    fn event(&mut self, event: &Event) {
        self.own.event(event);
    }

    fn cancelled(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.bench.cancelled() || self.own.cancelled()
    }
}

impl Bench<'_> {
    /// Runs what is missing: first the entries whose kernels are known and the searches, then the networks of these, and
    /// the supernet that judges all of them.
    fn run(&self, problem: &Problem) -> Result<Document, Error> {
        self.report(None)?;
        self.phase(|entry| entry.search.is_none())?;
        self.phase(|entry| entry.search.is_some())?;
        self.judge_paths(problem)?;
        self.write(&self.records.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs the entries of a phase that have no result. Of equal networks only the first is trained.
    fn phase(&self, of: impl Fn(&Entry) -> bool) -> Result<(), Error> {
        let mut jobs: Vec<(&Entry, Option<Kernels>)> = Vec::new();
        {
            let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            let mut chosen = BTreeSet::new();
            for entry in self.plan.iter().filter(|entry| of(entry)) {
                if self.result(entry, &records).is_some() {
                    continue;
                }
                let kernels = kernels(entry, &records);
                if !entry.group.is_control() || kernels.clone().is_some_and(|kernels| chosen.insert(kernels)) {
                    jobs.push((entry, kernels));
                }
            }
        }
        side_by_side(jobs, self.workers, &self.stop, &|(entry, kernels)| {
            let record = self.entry(entry, kernels.as_deref())?;
            write_json(&self.folder.run(&entry.name).join(RECORD), &record)?;
            // Read again, as a continued bench would: a number may lose its last bit on the way through the file.
            let record = self.folder.record(&entry.name)?.unwrap_or(record);
            self.report(Some((entry, record)))
        })
    }

    /// Judges all networks of the control by one supernet.
    fn judge_paths(&self, problem: &Problem) -> Result<(), Error> {
        let networks: BTreeSet<Kernels> = {
            let records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
            self.plan.iter().filter(|e| e.group.is_control()).filter_map(|e| kernels(e, &records)).collect()
        };
        let networks: Vec<Kernels> = networks.into_iter().collect();
        let mut observer =
            EntryObserver { own: self.observer.of_run("supernet"), bench: self.observer, stop: &self.stop };
        let mut recorder = DetachedRecorder::new(&mut observer);
        let mut losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        *losses = losses.clone().complete(&networks, problem, &self.facts.space, &self.folder, &mut recorder)?;
        Ok(())
    }

    /// The result of an entry: its own, or that of another entry with the same kernels, trained in the same way.
    fn result(&self, entry: &Entry, records: &BTreeMap<String, EntryRecord>) -> Option<EntryRecord> {
        if let Some(record) = records.get(&entry.name) {
            return Some(record.clone());
        }
        if !entry.group.is_control() {
            return None;
        }
        let search = entry.search.as_ref().and_then(|name| records.get(name));
        if let Some(failed) = search.filter(|search| search.kernels.is_none()) {
            let reason = failed.reason.as_deref().unwrap_or_default();
            let reason = Some(format!("the search failed: {reason}"));
            return Some(EntryRecord { reason, ..EntryRecord::default() });
        }
        let wanted = kernels(entry, records)?;
        let controls = self.plan.iter().filter(|other| other.group.is_control());
        controls.filter_map(|other| records.get(&other.name)).find(|r| r.kernels.as_ref() == Some(&wanted)).cloned()
    }

    /// Writes the document of the results so far, and returns it.
    fn write(&self, records: &BTreeMap<String, EntryRecord>) -> Result<Document, Error> {
        let losses = self.losses.lock().unwrap_or_else(PoisonError::into_inner);
        let result = |entry| {
            let record = self.result(entry, records)?;
            let masked = record.kernels.as_ref().and_then(|kernels| losses.of(kernels));
            Some((entry, EntryRecord { masked, ..record }))
        };
        let results: Vec<(&Entry, EntryRecord)> = self.plan.iter().filter_map(result).collect();
        let mut document = Document::new(&self.facts, &results, self.plan.len());
        document.seconds += losses.seconds;
        write_json(&self.folder.file(DOCUMENT), &document)?;
        Ok(document)
    }

    /// Adds the result of an entry, writes the document and tells the observer.
    fn report(&self, finished: Option<(&Entry, EntryRecord)>) -> Result<(), Error> {
        // Held until the end, so that documents are written in the order of their results.
        let mut records = self.records.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((entry, record)) = &finished {
            records.insert(entry.name.clone(), record.clone());
        }
        let document = self.write(&records)?;
        let [done, of] = document.finished;
        let progress = BenchProgress {
            entry: finished.as_ref().map(|(entry, record)| (entry.name.as_str(), record)),
            done,
            of,
            remaining: self.remaining(&records),
        };
        self.observer.finished(&progress, &document)
    }

    /// Estimated seconds until the end, by the mean time of the entries of each kind.
    fn remaining(&self, records: &BTreeMap<String, EntryRecord>) -> Option<f64> {
        let kind = |entry: &Entry| if entry.group.is_control() { Group::Random } else { entry.group };
        let mut taken: BTreeMap<Group, (f64, f64)> = BTreeMap::new();
        let mut all = (0.0, 0.0);
        for entry in self.plan {
            if let Some(record) = records.get(&entry.name) {
                let of_kind = taken.entry(kind(entry)).or_default();
                *of_kind = (of_kind.0 + seconds(record), of_kind.1 + 1.0);
                all = (all.0 + seconds(record), all.1 + 1.0);
            }
        }
        let left = self.plan.iter().filter(|entry| self.result(entry, records).is_none());
        let estimate = |entry: &Entry| {
            let (sum, count) = taken.get(&kind(entry)).copied().unwrap_or(all);
            sum / count
        };
        (all.1 > 0.0).then(|| left.map(estimate).sum::<f64>() / self.workers as f64)
    }

    /// Runs one entry, or the rest of it.
    fn entry(&self, entry: &Entry, kernels: Option<&[[usize; 2]]>) -> Result<EntryRecord, Error> {
        let config = match (entry.group, kernels) {
            (Group::PaperSearch, _) => with_strategy(seeded(&self.base, entry.number), true),
            (_, Some(kernels)) => with_kernels(&self.base, kernels),
            (_, None) => with_strategy(seeded(&self.base, entry.number), false),
        };
        let path = self.folder.run(&entry.name);
        let outcome = self.in_run(&entry.name, &config, &path, |mut run| match entry.group {
            Group::PaperSearch => run.searched().map(drop),
            _ => run.all().map(drop),
        });
        let failed = outcome.err().map(failure).transpose()?;
        let dir = RunDir::open(&path)?;
        let run = Loaded::read(&dir)?;
        let mut record = EntryRecord { reason: failed, ..EntryRecord::of(&run) };
        if kernels.is_some() {
            // The kernels of a network whose training failed are known all the same.
            record.kernels = kernels.map(<[_]>::to_vec);
        }
        if record.reason.is_some() || entry.group == Group::PaperSearch {
            return Ok(record);
        }
        let problem = Problem::new(&config, self.data)?;
        let model = Model::load(&path)?;
        record.test_loss = Some(test_loss(&problem, self.data, model.network(), model.device())?);
        if entry.group.is_control() {
            record.trials = self.trials(entry, &problem, run.tuning.as_ref())?;
        }
        Ok(record)
    }

    /// Starts or resumes the run of a directory, and does some work in it.
    fn in_run<T>(
        &self,
        entry: &str,
        config: &Config,
        path: &Path,
        work: impl FnOnce(Run<'_>) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut observer = EntryObserver { own: self.observer.of_run(entry), bench: self.observer, stop: &self.stop };
        if let Ok(dir) = RunDir::open(path) {
            return work(Run::open(dir, config, self.data, &mut observer)?);
        }
        if path.exists() {
            // A process was killed before the run had a configuration: it is not a run yet.
            fs::remove_dir_all(path).map_err(|e| Error::io("remove", path, e))?;
        }
        work(Run::start(config, self.source, self.data, path, &mut observer)?)
    }

    /// The trials of the first hyperparameters of the grid: short ones, and that of the tuning.
    fn trials(&self, entry: &Entry, problem: &Problem, tuning: Option<&Tuning>) -> Result<Vec<ShortTrial>, Error> {
        let mut trials = Vec::new();
        for ShortTrialPlan { length, steps, config } in short_trials::plans(problem) {
            let path = self.folder.trial(&entry.name, length);
            // A trial that an earlier process finished is not repeated.
            let before = RunDir::open(&path).ok().filter(|dir| dir.has(names::TUNING));
            let tuned = match before {
                Some(dir) => read_tuning(&dir),
                None => self.in_run(&entry.name, &config, &path, |mut run| {
                    let architecture = run.searched()?;
                    run.tune(&architecture)
                }),
            };
            let (score, reason) = match tuned {
                Ok(tuning) => (tuning.best_score(), None),
                Err(error) => (None, Some(failure(error)?)),
            };
            if let Some(reason) = reason {
                tracing::info!("{}: no score of the trial of {length:?}: {reason}", entry.name);
            }
            let seconds = EntryRecord::of(&Loaded::read(&RunDir::open(&path)?)?).seconds;
            let metric = score.and_then(|score| score.metric);
            trials.push(ShortTrial { length, steps, metric, loss: score.map(|score| score.loss), seconds });
        }
        trials.extend(tuning.and_then(|tuning| short_trials::full(tuning, problem)));
        Ok(trials)
    }
}

/// The kernels of an entry, if they are known: given ones, or those that its search found.
fn kernels(entry: &Entry, records: &BTreeMap<String, EntryRecord>) -> Option<Kernels> {
    match &entry.search {
        Some(search) => records.get(search)?.kernels.clone(),
        None => entry.kernels.clone(),
    }
}
