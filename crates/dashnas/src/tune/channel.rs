//! Messages between the thread of a tuning trial and the thread of the run.
//!
//! After every step a trial waits for a reply that says whether to stop and whether to send its state.

use crate::budget::pace::PacerState;
use crate::checkpoint::snapshot::SavedTraining;
use crate::error::Error;
use crate::record::event::{Event, Observer};
use crate::train::recorder::Recorder;
use dashnas_core::score::Score;
use dashnas_core::stage::Stage;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The score of a trial.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TrialScore {
    /// The score on the validation split.
    pub score: Score,
    /// In a race, the losses on parts of the validation split.
    pub parts: Vec<f64>,
}

/// The end of a trial: its score, the reason why it has none, or an error that ends the run.
pub(crate) type TrialResult = Result<Result<TrialScore, String>, Error>;

/// The end of a trial: errors that are its failure become the reason why it has no score.
pub(crate) fn outcome(scored: Result<TrialScore, Error>) -> TrialResult {
    match scored {
        Ok(scored) if scored.score.is_finite() => Ok(Ok(scored)),
        Ok(TrialScore { score: Score { metric, loss }, .. }) => {
            let metric = metric.map_or_else(String::new, |metric| format!("{metric} with "));
            Ok(Err(format!("its score is not finite ({metric}loss {loss})")))
        }
        Err(e @ (Error::Diverged { .. } | Error::OutOfTime { .. } | Error::Metric(_))) => Ok(Err(e.to_string())),
        Err(e) => Err(e),
    }
}

/// A message from a trial to the thread of the run.
pub(crate) enum TrialMessage {
    /// An event of its training.
    Event(Event),
    /// Its state after its last step.
    State(Box<SavedTraining>),
    /// The trial has ended, after so many seconds.
    Ended(Box<TrialResult>, f64),
}

/// The reply to a trial after a step.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct StepReply {
    /// Whether to stop.
    pub stop: bool,
    /// Whether to send the state.
    pub send_state: bool,
}

/// The trial's end of the connection to the thread of the run.
pub(crate) struct TrialChannel {
    trial: usize,
    messages: Sender<(usize, TrialMessage)>,
    replies: Receiver<StepReply>,
}

impl TrialChannel {
    /// A channel for a trial, and the sender of its replies. Messages go to `messages` with the trial's number.
    pub fn new(trial: usize, messages: Sender<(usize, TrialMessage)>) -> (Self, Sender<StepReply>) {
        let (sender, replies) = channel();
        (Self { trial, messages, replies }, sender)
    }

    /// Sends a message.
    pub fn send(&self, message: TrialMessage) {
        // If nobody receives it, no reply comes either, and that ends the trial.
        let _ = self.messages.send((self.trial, message));
    }
}

/// The next message, or `None` if all trials have ended. While it waits, the thread works for the thread pool of the
/// run: it may be the only one that computes what trials compute outside their own pools.
pub(crate) fn receive<T>(messages: &Receiver<T>) -> Option<T> {
    loop {
        match messages.recv_timeout(Duration::from_millis(5)) {
            Ok(message) => return Some(message),
            Err(RecvTimeoutError::Disconnected) => return None,
            Err(RecvTimeoutError::Timeout) => {
                let _ = rayon::yield_now();
            }
        }
    }
}

/// The recorder of a trial on its own thread: it sends events and states to the thread of the run.
pub(crate) struct TrialRecorder {
    /// The connection.
    pub channel: TrialChannel,
    saved: Option<SavedTraining>,
    last_reply: StepReply,
}

impl TrialRecorder {
    /// A recorder that resumes from the saved state, if there is one.
    pub fn new(channel: TrialChannel, saved: Option<SavedTraining>) -> Self {
        Self { channel, saved, last_reply: StepReply::default() }
    }
}

impl Observer for TrialRecorder {
    fn event(&mut self, event: &Event) {
        self.channel.send(TrialMessage::Event(event.clone()));
        if matches!(event, Event::Step { .. }) {
            self.last_reply = self.channel.replies.recv().unwrap_or(StepReply { stop: true, send_state: false });
        }
    }

    fn cancelled(&self) -> bool {
        self.last_reply.stop
    }
}

impl Recorder for TrialRecorder {
    fn take_saved(&mut self, stage: Stage, trial: Option<usize>) -> Option<SavedTraining> {
        self.saved.take_if(|saved| saved.is_of(stage, trial))
    }

    fn checkpoint_due(&self) -> bool {
        self.last_reply.send_state
    }

    fn save(&mut self, training: &SavedTraining) -> Result<(), Error> {
        self.last_reply.send_state = false;
        self.channel.send(TrialMessage::State(Box::new(training.clone())));
        Ok(())
    }

    /// A trial has a fixed number of steps: its pace decides nothing that would have to be kept.
    fn pace(&self, _: Stage, _: Option<usize>) -> Option<PacerState> {
        None
    }

    fn keep_pace(&mut self, _: Stage, _: Option<usize>, _: PacerState) {}
}
