//! One line about every key: the schema that files are checked against and the comments that
//! `dashnas config` prints.

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its section, empty at the top.
    pub section: &'static str,
    /// Its name in TOML.
    pub name: &'static str,
    /// What it means.
    pub help: &'static str,
}

impl Key {
    /// `section.name`, or the name alone at the top.
    pub fn path(&self) -> String {
        if self.section.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.section, self.name) }
    }
}

const fn key(section: &'static str, name: &'static str, help: &'static str) -> Key {
    Key { section, name, help }
}

/// Every section with what it is about, in the order they are printed.
pub(super) const SECTIONS: [(&str, &str); 12] = [
    ("space", "The kernel sizes and dilations that every layer chooses from (section 3.3 of the paper)."),
    ("backbone", "The network whose convolutions are searched (A.5.1)."),
    ("data", "How files are read, where they do not say it themselves."),
    ("task", "What is learnt, where the data set does not say it or is to be overruled."),
    ("search", "The supernet's training: weights and architecture in one loop (Algorithm 1, A.5.2)."),
    ("tune", "The grid of training hyperparameters, judged on a validation split (A.5.2)."),
    (
        "augment",
        "How training samples are changed and drawn, in every stage; nothing by default. Samples are normalized \
         before, so what comes in from outside is the mean.",
    ),
    ("retrain", "Training of the searched network, and of the baseline (A.5.2)."),
    ("asha", "Asynchronous successive halving, with tune.tuner = \"asha\" or under a time limit."),
    ("baseline", "The backbone with its own kernels, trained for comparison."),
    ("budget", "Limits that the run keeps. 0: none."),
    ("darcy", "The built-in data set `darcy-flow`."),
];

/// Every key, in the order they are printed.
pub const KEYS: [Key; 107] = [
    key("", "preset", "The values that all others start from: quick, standard or paper."),
    key("", "seed", "Decides every random choice; the same seed gives the same result."),
    key("", "tensorboard", "Also write event files for TensorBoard, under tensorboard/ in the run directory."),
    key("space", "kernel-sizes", "Kernel sizes K, odd. auto: 3, 5, 7, 9 in 2-D and 3, 7, 11, 15, 19 in 1-D."),
    key("space", "dilations", "Dilations D, 1 or more. auto: 1, 3, 7, 15."),
    key("backbone", "name", "wrn-2d (Wide ResNet 16) or wrn-1d. auto: by the data's dimension."),
    key("backbone", "search-width", "Width factor of wrn-2d during search."),
    key("backbone", "width", "Width factor of wrn-2d in tuning, retraining and the baseline."),
    key(
        "backbone",
        "channels",
        "Channels of wrn-1d. auto: min(4^(outputs / 10 + 1), 64), rounding down, but at least min-channels.",
    ),
    key(
        "backbone",
        "min-channels",
        "The fewest channels that the rule gives. The paper's 4 for up to 9 outputs leave little to learn with.",
    ),
    key(
        "backbone",
        "plain-kernels",
        "Kernel sizes in each block of the plain wrn-1d. The published network has 8, 5, 3; \"same\" padding is \
         symmetric only for odd kernels, so 8 became 7.",
    ),
    key(
        "backbone",
        "depthwise",
        "During search, make convolutions with as many input as output channels depthwise (cheaper).",
    ),
    key(
        "data",
        "inputs",
        "Name of the array of inputs, in files that hold several. auto: x, data, images and the like.",
    ),
    key(
        "data",
        "targets",
        "Name of the array of targets; in tables the label column by name or by position from 0 (-1: the last). \
         auto: y, label, class, target and the like; in tables without such a name the last column that can be one.",
    ),
    key("data", "group", "Column or array of groups (subjects, recordings) that no split may divide. auto: none."),
    key("data", "header", "Whether the first row of a CSV file is a header. auto: if it is not like the others."),
    key("data", "layout", "channels-first, channels-last or no-channels. auto: by the shape."),
    key(
        "data",
        "channels",
        "Channels of images (1, 3 or 4), or that the columns of a table are divided into. auto: as stored, 1.",
    ),
    key("data", "resize", "Height and width that images are resized to. auto: images must agree in size."),
    key("data", "fill-missing", "linear, zero or mean: how missing values are filled. auto: they are refused."),
    key(
        "data",
        "lengths",
        "Series of unequal lengths: pad (zeros at the end), truncate (to the shortest) or resample (to the longest).",
    ),
    key(
        "data",
        "length",
        "Length that series are brought to, in the way that lengths says. auto: by the training data.",
    ),
    key(
        "data",
        "alphabet",
        "Letters of one-hot sequences, in the order of their channels. auto: ACGT, or the 20 amino acids.",
    ),
    key("data", "audio-rate", "Sampling rate in hertz that sound is brought to."),
    key("data", "mel-bands", "Bands of the log-mel spectrogram."),
    key("data", "mel-window-ms", "Length of its window in milliseconds."),
    key("data", "mel-hop-ms", "Milliseconds from one of its frames to the next."),
    key(
        "data",
        "mel-fft",
        "Points of its transform, at least those of a window. auto: 1920, or for longer windows the next power of two.",
    ),
    key("data", "test-fraction", "Share of the samples set aside for testing where a data set has no test split."),
    key(
        "task",
        "kind",
        "classification, multi-label, regression, dense-regression or dense-binary. auto: read from the data.",
    ),
    key(
        "task",
        "loss",
        "cross-entropy, focal, bce-with-logits, mse or relative-l2. auto: cross-entropy for classes, \
         bce-with-logits for labels and masks, mse for numbers, relative-l2 for fields.",
    ),
    key(
        "task",
        "metric",
        "zero-one-error, relative-l2, mae, contact-mae, one-minus-f1, one-minus-auroc or one-minus-map; lower is better. auto: \
         zero-one-error for classes, one-minus-map for labels, mae for numbers, relative-l2 for fields, \
         one-minus-auroc for masks.",
    ),
    key("task", "focal-gamma", "Exponent of the focal loss: how little easy examples count."),
    key("task", "pos-weight", "Weight of positive examples in bce-with-logits."),
    key(
        "task",
        "validation-fraction",
        "Share of the training data held out to judge trials, if the data set has no validation split.",
    ),
    key(
        "task",
        "class-weights",
        "Weight of each class in cross-entropy and focal loss: none, balanced (every class counts alike), or a list.",
    ),
    key(
        "task",
        "unknown",
        "Target value of fields that stands for one that is not known, and is left out of loss and metric. auto: none.",
    ),
    key(
        "task",
        "transforms",
        "What is done to the data after it is read, in this order: standardize-samples (each sample to mean 0 and \
         deviation 1), spherical (images onto a 60x60 sphere, each at its own random turn), flatten (images to \
         series), permute (the points of every sample in one fixed random order).",
    ),
    key("task", "data-dir", "Folder of a built-in task's files. auto: data/TASK."),
    key("search", "epochs", "Epochs of the search."),
    key("search", "min-steps", "Run more epochs where they would be fewer steps in all than this. 0: no bound."),
    key("search", "max-steps", "Run fewer epochs where they would be more steps in all than this. 0: no bound."),
    key("search", "subsample", "Share of the training data used in an epoch, drawn anew for each."),
    key(
        "search",
        "batch-size",
        "Samples in a batch. auto: 256 in 1-D, 64 in 2-D, 10 for dense tasks; less, but at least 4, where an \
         epoch would have fewer than 8 batches.",
    ),
    key("search", "lr", "Learning rate of the weights. auto: 0.1, for dense tasks 0.01."),
    key("search", "alpha-lr", "Learning rate of the architecture parameters. auto: 0.05, for dense tasks 0.005."),
    key("search", "momentum", "Momentum of SGD."),
    key("search", "nesterov", "Use Nesterov's momentum."),
    key("search", "weight-decay", "Weight decay of SGD."),
    key("search", "milestones", "Fractions of the epochs after which the learning rates are multiplied by lr-decay."),
    key("search", "lr-decay", "What the learning rates are multiplied by at each milestone."),
    key("search", "clip", "Largest norm of the gradient; a longer one is scaled down to it. 0: none."),
    key("search", "temperature", "Temperature of the Gumbel softmax over a layer's choices."),
    key(
        "search",
        "formulation",
        "How the aggregated convolution is computed: auto (the fastest for each shape), mixed-results, \
         mixed-weights, mixed-weights-kronecker, fourier or fourier-kronecker. They agree but for rounding.",
    ),
    key(
        "search",
        "alpha-grad-scale",
        "Divide a layer's architecture gradient by this times its norm. 0: leave it as it is.",
    ),
    key(
        "search",
        "receptive-field-penalty",
        "Added to the architecture gradient for every point of a choice's receptive field.",
    ),
    key("search", "alpha-init-std", "Standard deviation of the initial architecture parameters."),
    key("search", "weight-init-std", "Standard deviation of the initial kernels."),
    key("tune", "enabled", "Tune before retraining; otherwise retrain with the values under [retrain]."),
    key(
        "tune",
        "tuner",
        "grid (the lists below) or asha (the ranges under [asha]). auto: grid; under a time limit whichever fits.",
    ),
    key("tune", "epochs", "Epochs of a trial."),
    key("tune", "min-steps", "As in [search], for each trial."),
    key("tune", "max-steps", "As in [search], for each trial."),
    key(
        "tune",
        "subset",
        "Share of the training data that an epoch of a trial has. Small sets are drawn from more widely: 500 samples, or \
         all, in fewer epochs. auto: 0.2, 0.1, 0.05 or 0.01 where retraining has fewer than 50, 100, 500 or more \
         batches an epoch.",
    ),
    key("tune", "learning-rates", "Learning rates to try, in this order."),
    key("tune", "weight-decays", "Weight decays to try."),
    key("tune", "momentums", "Momentums to try."),
    key("tune", "dropouts", "Dropout rates to try."),
    key("tune", "stop-early", "Stop when going down to the next learning rate brought no gain."),
    key(
        "tune",
        "workers",
        "Trials side by side at most, each with its share of the threads. Decides nothing but the time. auto: one on \
         every thread, as far as memory has room.",
    ),
    key("augment", "crop", "Pad each side by so many points and crop to the old size at random. 0: no."),
    key("augment", "flip", "Mirror half of the samples along the last axis: images left to right, series in time."),
    key("augment", "shift", "Roll the last axis by up to so many points either way. 0: no."),
    key("augment", "amplitude", "Multiply each sample by a number in 1 - this to 1 + this. 0: no."),
    key("augment", "mixup", "Mix pairs of samples and their targets, the share drawn of Beta(this, this). 0: no."),
    key("augment", "balance", "Draw every class equally often instead of every sample."),
    key("retrain", "epochs", "Epochs over all of the training data."),
    key("retrain", "min-steps", "As in [search]."),
    key("retrain", "max-steps", "As in [search]."),
    key(
        "retrain",
        "milestones",
        "Fractions of the epochs after which the learning rate is multiplied by lr-decay; trials use the same \
         fractions of their epochs. auto: 0.3, 0.6, 0.8 in 2-D and 0.15, 0.3, 0.45, 0.6, 0.8 in 1-D.",
    ),
    key("retrain", "lr-decay", "What the learning rate is multiplied by at each milestone."),
    key("retrain", "batch-size", "Samples in a batch. auto: as in [search], of all the training data."),
    key(
        "retrain",
        "clip",
        "Largest norm of the gradient, in tuning and retraining; a longer one is scaled down to it. 0: none.",
    ),
    key("retrain", "lr", "Learning rate without tuning, and of the baseline. auto: 0.1, for dense tasks 0.01."),
    key("retrain", "weight-decay", "Weight decay without tuning, and of the baseline."),
    key("retrain", "momentum", "Momentum without tuning, and of the baseline."),
    key("retrain", "dropout", "Dropout rate without tuning, and of the baseline."),
    key("retrain", "nesterov", "Use Nesterov's momentum."),
    key(
        "retrain",
        "with-validation",
        "Train on a validation split that came with the data too, once the hyperparameters are chosen on it (Algorithm 1: \
         all training data).",
    ),
    key("asha", "samples", "Configurations sampled; the first is that under [retrain]."),
    key("asha", "reduction", "One in so many trials is promoted, to so many times the steps."),
    key("asha", "brackets", "Brackets; each starts its trials with reduction times the steps of the one before."),
    key("asha", "min-steps", "Steps of the shortest trials. 0: those of a [tune] trial over reduction squared."),
    key(
        "asha",
        "workers",
        "Trials under way at a time in the tournament. Part of what decides the result, unlike tune.workers and \
         --threads.",
    ),
    key("asha", "learning-rates", "Least and largest learning rate, drawn uniformly in the logarithm."),
    key("asha", "weight-decays", "Least and largest weight decay, drawn uniformly in the logarithm."),
    key("asha", "momentums", "Least and largest momentum; 1 - momentum is drawn uniformly in the logarithm."),
    key("asha", "dropouts", "Least and largest dropout rate, drawn uniformly."),
    key("baseline", "enabled", "Train the plain backbone too and report its test metric beside the searched one's."),
    key("budget", "time-limit", "Seconds of the whole run, reading the data included. Everything is planned to fit."),
    key("budget", "memory-limit", "Bytes of resident memory. Training then takes micro-batches where it must."),
    key("budget", "max-params", "Parameters of the searched network: the strongest kernels within it are chosen."),
    key(
        "budget",
        "max-latency",
        "Milliseconds that the searched network may take for one sample on this machine: likewise.",
    ),
    key("darcy", "resolution", "Grid points on a side at which the equation is solved, boundary included."),
    key("darcy", "stride", "Keep every stride-th grid point; divides resolution - 1."),
    key("darcy", "train", "Samples to train on."),
    key("darcy", "test", "Samples to test on."),
];

/// The nearest of some names to what was written, if any is near.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(&written.replace('_', "-").to_lowercase(), name), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
