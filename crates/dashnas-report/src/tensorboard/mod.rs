//! A run as TensorBoard reads it: event files of scalars under `tensorboard/` in the run directory.
//!
//! | tag | step |
//! |---|---|
//! | `search/loss`, `tune/loss`, `retrain/loss`, `baseline/loss`, and `…/lr` | steps of the stage |
//! | `search/epoch-loss`, …, `…/training-metric`, and `…/validation-metric` where it is computed; none of trials | epochs, from 1 |
//! | `tune/score`, the metric on the validation split; `search/score` and `search/validation-loss` of a race | trials, from 1 |
//! | `alpha/entropy` (the mean), `alpha/entropy/layer-01`, …, `alpha/weight/layer-01`, …; none of a race | epochs of the search |
//! | `test/searched`, `test/baseline` | 0 |

mod proto;
mod record;

pub use crate::tensorboard::proto::{Summary, TensorboardEvent, Value, tensorboard_event, value};
pub use crate::tensorboard::record::{masked_crc, read_records, write_record};

use dashnas::record::event::Event;
use dashnas_core::stage::Stage;
use prost::Message;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// The folder of event files in a run directory.
pub const FOLDER: &str = "tensorboard";
/// Single steps written of a stage; of a longer one, evenly spread.
const STEPS: u64 = 2000;
/// How long written scalars may stay in memory.
const FLUSH: Duration = Duration::from_secs(1);

/// Writes the events of a run to an event file. It is a view of the run: it never stops it, and after a failure to
/// write it is silent.
#[derive(Debug)]
pub struct Writer {
    out: Option<BufWriter<File>>,
    flushed: Instant,
}

impl Writer {
    /// Begins an event file in the run directory; each process that works on a run has its own.
    pub fn new(dir: &Path) -> Self {
        let out = begin(&dir.join(FOLDER));
        let out = out.inspect_err(|e| tracing::warn!("there will be no TensorBoard files: {e}")).ok();
        Self { out, flushed: Instant::now() }
    }

    /// Writes the scalars of an event.
    pub fn event(&mut self, event: &Event) {
        let Some(out) = &mut self.out else { return };
        let Some((step, values)) = scalars(event) else { return };
        let flush = self.flushed.elapsed() >= FLUSH || !matches!(event, Event::Step { .. });
        let written = scalar_event(out, step, values).and_then(|()| if flush { out.flush() } else { Ok(()) });
        if let Err(e) = written {
            tracing::warn!("no more TensorBoard files: {e}");
            self.out = None;
        } else if flush {
            self.flushed = Instant::now();
        }
    }
}

fn begin(folder: &Path) -> io::Result<BufWriter<File>> {
    fs::create_dir_all(folder)?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    // TensorBoard reads the files in the order of their names.
    let name =
        format!("events.out.tfevents.{:010}.{:06}.{}", since.as_secs(), since.subsec_micros(), std::process::id());
    let mut out = BufWriter::new(File::create_new(folder.join(name))?);
    let what = Some(tensorboard_event::What::FileVersion("brain.Event:2".into()));
    let version = TensorboardEvent { wall_time: wall_time(), step: 0, what };
    write_record(&mut out, &version.encode_to_vec())?;
    out.flush()?;
    Ok(out)
}

fn wall_time() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn scalar_event(out: &mut impl Write, step: u64, values: Vec<(String, f64)>) -> io::Result<()> {
    let value = |(tag, v): (String, f64)| Value { tag, value: Some(value::Value::SimpleValue(v as f32)) };
    let summary = Summary { value: values.into_iter().map(value).collect() };
    // Steps are far below 2^63.
    let event = TensorboardEvent {
        wall_time: wall_time(),
        step: step as i64,
        what: Some(tensorboard_event::What::Summary(summary)),
    };
    write_record(out, &event.encode_to_vec())
}

/// The step and the named numbers of an event; none of events without.
fn scalars(event: &Event) -> Option<(u64, Vec<(String, f64)>)> {
    let named = |stage: Stage, what: &str, v: Option<f64>| v.map(|v| (format!("{}/{what}", stage.name()), v));
    let (step, values): (u64, Vec<Option<(String, f64)>>) = match event {
        Event::Step { stage, step, steps_total, loss, lr, .. } => {
            let every = steps_total.div_ceil(STEPS).max(1);
            if !step.is_multiple_of(every) && step != steps_total {
                return None;
            }
            (*step, vec![named(*stage, "loss", *loss), named(*stage, "lr", *lr)])
        }
        Event::Epoch { stage, trial: None, epoch, train_loss, train_metric, val_metric, .. } => {
            let values = vec![
                named(*stage, "epoch-loss", Some(*train_loss)),
                named(*stage, "training-metric", *train_metric),
                named(*stage, "validation-metric", *val_metric),
            ];
            (*epoch as u64 + 1, values)
        }
        Event::TrialFinished { stage, trial, score, loss, .. } => {
            // A race compares losses, tuning compares the metric.
            let loss = loss.filter(|_| *stage == Stage::Search);
            (*trial as u64 + 1, vec![named(*stage, "score", *score), named(*stage, "validation-loss", loss)])
        }
        Event::Alpha { epoch, layers } => {
            let mean = layers.iter().map(|l| l.entropy).sum::<f64>() / layers.len().max(1) as f64;
            let mut values = vec![Some(("alpha/entropy".to_owned(), mean))];
            for (i, l) in layers.iter().enumerate() {
                values.push(Some((format!("alpha/entropy/layer-{:02}", i + 1), l.entropy)));
                values.push(Some((format!("alpha/weight/layer-{:02}", i + 1), l.weight)));
            }
            (*epoch as u64 + 1, values)
        }
        Event::Finished { outcome } => {
            let value = |name: &str, v: Option<f64>| v.map(|v| (format!("test/{name}"), v));
            (0, vec![value("searched", outcome.test), value("baseline", outcome.baseline_test)])
        }
        _ => return None,
    };
    let values: Vec<(String, f64)> = values.into_iter().flatten().collect();
    (!values.is_empty()).then_some((step, values))
}

#[cfg(test)]
mod tests;
