//! One line about every key: the schema that files are checked against, and the comments that `dashnas config` prints.

/// A key of the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its section, empty at the top level.
    pub section: &'static str,
    /// Its name in TOML.
    pub name: &'static str,
    /// The description of its value.
    pub help: &'static str,
}

impl Key {
    /// `section.name`, or the name alone at the top level.
    pub fn path(&self) -> String {
        if self.section.is_empty() { self.name.to_owned() } else { format!("{}.{}", self.section, self.name) }
    }
}

const fn key(section: &'static str, name: &'static str, help: &'static str) -> Key {
    Key { section, name, help }
}

/// Every section with its description, in the order in which they are printed.
pub(super) const SECTIONS: [(&str, &str); 13] = [
    ("space", "The kernel sizes and dilations that every layer chooses from (section 3.3 of the paper)."),
    ("backbone", "The network whose convolutions are searched (A.5.1)."),
    ("data", "How to read files that do not describe themselves."),
    ("task", "The learning task, where the data set does not define it or the definition is to be overridden."),
    (
        "search",
        "The strategy of the search, and the settings of the strategy paper: the training of the supernet, weights and \
         architecture in one loop (Algorithm 1, A.5.2).",
    ),
    (
        "race",
        "The strategy race of the search: networks of different kernels are trained for some steps and compared on \
         held-out training data; the better ones are trained again for longer.",
    ),
    ("tune", "Tuning of the training hyperparameters by a grid, scored on a validation split (A.5.2)."),
    (
        "augment",
        "Augmentation and sampling of the training data in every stage; all off by default. Samples are normalized \
         first, so that values from outside a sample are the mean.",
    ),
    ("retrain", "Training of the searched network and of the baseline (A.5.2)."),
    ("asha", "Asynchronous successive halving, used with tune.tuner = \"asha\" or under a time limit."),
    ("baseline", "The backbone with its original kernels, trained for comparison."),
    ("budget", "Limits that the run keeps. 0: no limit."),
    ("darcy", "The built-in data set `darcy-flow`."),
];

/// Every key, in the order in which they are printed.
pub const KEYS: [Key; 128] = [
    key("", "preset", "The preset that all other values start from: quick, standard or paper."),
    key("", "seed", "The seed of all random numbers. The same seed gives the same result."),
    key("", "tensorboard", "Also write TensorBoard event files to tensorboard/ in the run directory."),
    key(
        "space",
        "kernel-sizes",
        "Kernel sizes K, all odd, at most 8191. auto: 3, 5, 7, 9 in 2-D and 3, 7, 11, 15, 19 in 1-D.",
    ),
    key("space", "dilations", "Dilations D, from 1 to 65535. auto: 1, 3, 7, 15."),
    key(
        "backbone",
        "name",
        "For images and fields wrn-2d (Wide ResNet 16), unet, convnext-atto or convnext-t, for series wrn-1d, inception-time, \
         tcn or resnet-1d. auto: wrn-2d or wrn-1d, the paper's choice.",
    ),
    key("backbone", "search-width", "Width factor of wrn-2d and unet during the search."),
    key("backbone", "width", "Width factor of wrn-2d and unet in tuning, retraining and the baseline."),
    key(
        "backbone",
        "channels",
        "Channels of tcn, of the first block of wrn-1d and resnet-1d, of the first stage of convnext-atto and convnext-t, and \
         of each convolution of inception-time. auto: for wrn-1d min(4^(outputs / 10 + 1), 64) with integer division, but at least min-channels; 25 for tcn, 32 for \
         inception-time, 16 for resnet-1d, 40 for convnext-atto, 96 for convnext-t.",
    ),
    key(
        "backbone",
        "min-channels",
        "The smallest number of channels that auto gives. The paper's 4 channels for up to 9 outputs limit what the \
         network can learn.",
    ),
    key(
        "backbone",
        "plain-kernels",
        "Kernel sizes in each block of the plain network for series. auto: 7, 5, 3 for wrn-1d, 39, 19, 9 for \
         inception-time, 7 for tcn, 15 for resnet-1d. The published networks have 8, 5, 3; 40, 20, 10; 7; and 16; \
         \"same\" padding is symmetric only for odd kernels.",
    ),
    key(
        "backbone",
        "depthwise",
        "During the search, make convolutions with equal numbers of input and output channels depthwise, which is \
         faster.",
    ),
    key(
        "data",
        "inputs",
        "Name of the array of inputs in files with several arrays; in tables the columns of inputs, as for targets. auto: \
         x, data, images or a similar name; in tables the columns of numbers that have no other role.",
    ),
    key(
        "data",
        "targets",
        "Name of the array of targets. In tables, the label columns by their names, by patterns such as y_* or by \
         positions from 0 (-1: the last), separated by commas; several columns are predicted at once. auto: y, label, \
         class, target or a similar name; in tables without such a name, the last column that can hold labels.",
    ),
    key(
        "data",
        "group",
        "Column or array of groups (subjects, recordings) that must not be divided between splits; of several, separated by \
         commas, a group has equal values in all of them. With window, the column that tells recordings apart. auto: none.",
    ),
    key(
        "data",
        "recording",
        "Column of a table that tells several recordings of one group apart, with window; several columns as for group. \
         auto: none.",
    ),
    key(
        "data",
        "split",
        "Column of a table that divides its rows into train, val and test. auto: a column split, set, subset or \
         partition with such values.",
    ),
    key(
        "data",
        "weight",
        "Column or array of the weights of the samples, which count in the loss, in the metric and in the balance of \
         classes; a sample of weight 0 is left out. It is no input. auto: a column sample_weight or the like, an array \
         with both words in its name.",
    ),
    key(
        "data",
        "time",
        "Column of a table with the times of the samples, which is no input; with window, rows are sorted by it, and no window \
         spans a gap. The unit of its numbers may follow, as in t:ms. auto: columns of dates or Unix times, and \
         columns called time or the like whose values rise or fall throughout.",
    ),
    key("data", "ignore", "Columns of a table that are left out, as for targets. auto: none."),
    key(
        "data",
        "decimal",
        "Decimal sign of the numbers in a text table, \".\" or \",\"; the other sign may group digits by threes. auto: a \
         comma where all numbers with a comma can only be read so.",
    ),
    key(
        "data",
        "header",
        "Whether the first row of a CSV file is a header. auto: it is if it differs from the other rows.",
    ),
    key("data", "layout", "channels-first, channels-last or no-channels. auto: by the shape."),
    key(
        "data",
        "channels",
        "Number of channels: of images 1, 3 or 4; of tables the number that the columns are divided into. auto: \
         images as stored, tables 1.",
    ),
    key(
        "data",
        "resize",
        "Height and width that images are resized to. auto: not resized, all images must have the same size.",
    ),
    key("data", "fill-missing", "How to fill missing values: linear, zero or mean. auto: missing values are an error."),
    key(
        "data",
        "lengths",
        "What to do with series of unequal length: pad (with zeros at the end), truncate (to the shortest), resample (to \
         the longest) or mask (each keeps its length, and the network leaves out what follows).",
    ),
    key("data", "length", "Length that all series are brought to, as lengths says. auto: by the training data."),
    key(
        "data",
        "window",
        "Length of the windows that recordings are cut into, in time steps or as a duration such as \"2.5s\": tables of one \
         time step a row, folders of sound or recordings. auto: not cut, a sample is what the format says.",
    ),
    key(
        "data",
        "stride",
        "Distance from the beginning of one window to that of the next, as for window. auto: the length of a window.",
    ),
    key(
        "data",
        "window-label",
        "Label of a window: majority (the most frequent label of its time steps, of several the first; of numbers the \
         mean) or end (that of the last time step).",
    ),
    key(
        "data",
        "alphabet",
        "Letters of one-hot encoded sequences, in the order of their channels. auto: ACGT, or the 20 amino acids.",
    ),
    key("data", "audio-rate", "Sampling rate that audio is resampled to, in hertz."),
    key("data", "mel-bands", "Number of bands of the log-mel spectrogram."),
    key("data", "mel-window-ms", "Length of a window of the spectrogram, in milliseconds."),
    key("data", "mel-hop-ms", "Time between two frames of the spectrogram, in milliseconds."),
    key(
        "data",
        "mel-fft",
        "Length of the Fourier transform of a window, at least the samples of a window. auto: 1920, or for longer \
         windows the next power of two.",
    ),
    key("data", "test-fraction", "Fraction of the samples set aside for testing if the data set has no test split."),
    key(
        "data",
        "split-seed",
        "The seed of that test split. auto: seed, so that another seed also draws another test split.",
    ),
    key(
        "data",
        "split-by",
        "Which samples become that test split, and which training samples trials hold out: random ones, or by time the \
         last ones (of the column or array of times).",
    ),
    key(
        "data",
        "folds",
        "Number of folds of a cross-validation, from 2: `dashnas run` runs once for each fold, which is the test split. \
         auto: no cross-validation.",
    ),
    key(
        "data",
        "fold",
        "The fold, from 1, that is the test split of this run alone. auto: all of them, one after another.",
    ),
    key(
        "task",
        "kind",
        "classification, multi-label, regression, dense-regression or dense-binary. auto: by the data.",
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
        "zero-one-error, relative-l2, mae, contact-mae, one-minus-f1, one-minus-auroc or one-minus-map; lower is \
         better. auto: zero-one-error for classes, one-minus-map for labels, mae for numbers, relative-l2 for \
         fields, one-minus-auroc for masks.",
    ),
    key("task", "focal-gamma", "Exponent of the focal loss. A larger one reduces the weight of easy examples."),
    key("task", "pos-weight", "Weight of positive examples in bce-with-logits."),
    key(
        "task",
        "validation-fraction",
        "Fraction of the training data held out to score tuning trials if the data set has no validation split.",
    ),
    key(
        "task",
        "class-weights",
        "Weights of the classes in cross-entropy and focal loss: none, balanced (every class counts equally) or a \
         list.",
    ),
    key(
        "task",
        "unknown",
        "Target value of fields that marks an unknown point, which loss and metric leave out. auto: none.",
    ),
    key(
        "task",
        "transforms",
        "Transforms of the data after reading, in this order: standardize-samples (each sample to mean 0 and \
         standard deviation 1), spherical (images onto a 60x60 sphere, each with its own random rotation), flatten \
         (images to series), permute (the points of every sample in one fixed random order).",
    ),
    key("task", "data-dir", "Folder with the files of a built-in task. auto: data/TASK."),
    key("task", "train-samples", "Use only this number of training samples, the first ones. 0: all."),
    key(
        "search",
        "kernels",
        "Given kernels, for which nothing is searched: a list with [kernel size, dilation] of each searched layer, in \
         the order of the network. They may lie outside of K and D. auto: the kernels are searched.",
    ),
    key(
        "search",
        "strategy",
        "race trains networks of different kernels briefly and compares them on held-out data (section [race]); of the \
         values below it uses batch-size. paper trains the supernet of Algorithm 1 with the values below.",
    ),
    key("search", "epochs", "Number of epochs."),
    key("search", "min-steps", "Run more epochs if they would have fewer steps than this in total. 0: no minimum."),
    key("search", "max-steps", "Run fewer epochs if they would have more steps than this in total. 0: no maximum."),
    key("search", "subsample", "Fraction of the training data used in an epoch, drawn anew for each epoch."),
    key(
        "search",
        "batch-size",
        "Samples in a batch. auto: 256 in 1-D, 64 in 2-D, 10 for dense tasks; fewer, but at least 4, if an epoch \
         would have fewer than 8 batches.",
    ),
    key("search", "lr", "Learning rate of the weights. auto: 0.1, for dense tasks 0.01."),
    key("search", "alpha-lr", "Learning rate of the architecture parameters. auto: 0.05, for dense tasks 0.005."),
    key(
        "search",
        "alpha-update",
        "How the architecture parameters are changed: gradient (SGD on them, as in the paper) or exponentiated-gradient \
         (GAEA: the probabilities of the choices are multiplied by exp(-alpha-lr * gradient) and normalized, without \
         momentum and weight decay).",
    ),
    key("search", "momentum", "Momentum of SGD."),
    key("search", "nesterov", "Use Nesterov momentum."),
    key("search", "weight-decay", "Weight decay of SGD."),
    key("search", "milestones", "Fractions of the epochs after which the learning rates are multiplied by lr-decay."),
    key("search", "lr-decay", "Factor on the learning rates at each milestone."),
    key("search", "clip", "Largest norm of the gradient; a larger gradient is scaled down to it. 0: no clipping."),
    key("search", "temperature", "Temperature of the Gumbel softmax over the choices of a layer."),
    key(
        "search",
        "formulation",
        "How the aggregated convolution is computed: auto (the fastest for each shape), mixed-results, \
         mixed-weights, mixed-weights-kronecker, fourier or fourier-kronecker. All agree within rounding.",
    ),
    key(
        "search",
        "alpha-grad-scale",
        "Divide the architecture gradient of a layer by this number times its norm. 0: do not scale.",
    ),
    key(
        "search",
        "receptive-field-penalty",
        "Added to the architecture gradient of a choice for every point of its receptive field.",
    ),
    key("search", "alpha-init-std", "Standard deviation of the initial architecture parameters."),
    key("search", "weight-init-std", "Standard deviation of the initial kernels."),
    key(
        "race",
        "steps",
        "Training steps of all trials of the race together. auto: five quarters of the steps of retraining.",
    ),
    key("race", "contestants", "Number of networks in the first round of the race."),
    key("race", "reduction", "One in so many networks is trained again, for so many times as many steps."),
    key("tune", "enabled", "Tune before retraining. Otherwise retraining uses the values under [retrain]."),
    key(
        "tune",
        "tuner",
        "grid (the lists below) or asha (the ranges under [asha]). auto: grid; under a time limit the one that \
         fits.",
    ),
    key("tune", "epochs", "Epochs of a trial."),
    key("tune", "min-steps", "As in [search], for each trial."),
    key("tune", "max-steps", "As in [search], for each trial."),
    key(
        "tune",
        "subset",
        "Fraction of the training data in an epoch of a trial. A trial draws on at least 500 samples (or all), in \
         fewer epochs. auto: 0.2, 0.1, 0.05 or 0.01 if retraining has fewer than 50, 100, 500 or more batches in an \
         epoch.",
    ),
    key("tune", "learning-rates", "Learning rates to try, in this order."),
    key("tune", "weight-decays", "Weight decays to try."),
    key("tune", "momentums", "Momentums to try."),
    key("tune", "dropouts", "Dropout rates to try."),
    key("tune", "stop-early", "Stop when the next lower learning rate brings no improvement."),
    key(
        "tune",
        "workers",
        "Largest number of concurrent trials, which share the threads. It changes the time, not the result. auto: \
         one for each thread, as far as memory suffices.",
    ),
    key(
        "augment",
        "crop",
        "Pad each side by this number of points and crop to the original size at a random position. 0: off.",
    ),
    key("augment", "flip", "Mirror half of the samples along the last axis: images left to right, series in time."),
    key("augment", "shift", "Roll the last axis by up to this number of points in either direction. 0: off."),
    key(
        "augment",
        "amplitude",
        "Multiply each sample by a random factor from 1 - a to 1 + a, where a is this number. 0: off.",
    ),
    key(
        "augment",
        "mixup",
        "Mix pairs of samples and their targets, with a share drawn from Beta(a, a), where a is this number. 0: \
         off.",
    ),
    key("augment", "balance", "Draw every class equally often instead of every sample."),
    key("retrain", "epochs", "Epochs over all of the training data."),
    key("retrain", "min-steps", "As in [search]."),
    key("retrain", "max-steps", "As in [search]."),
    key(
        "retrain",
        "milestones",
        "Fractions of the epochs after which the learning rate is multiplied by lr-decay; tuning trials use the \
         same fractions of their epochs. auto: 0.3, 0.6, 0.8 in 2-D and 0.15, 0.3, 0.45, 0.6, 0.8 in 1-D.",
    ),
    key("retrain", "lr-decay", "Factor on the learning rate at each milestone."),
    key("retrain", "batch-size", "Samples in a batch. auto: as in [search], by all of the training data."),
    key(
        "retrain",
        "clip",
        "Largest norm of the gradient in tuning and retraining; a larger gradient is scaled down to it. 0: no \
         clipping.",
    ),
    key("retrain", "lr", "Learning rate if nothing is tuned. auto: 0.1, for dense tasks 0.01."),
    key("retrain", "weight-decay", "Weight decay if nothing is tuned."),
    key("retrain", "momentum", "Momentum if nothing is tuned."),
    key("retrain", "dropout", "Dropout rate if nothing is tuned."),
    key("retrain", "nesterov", "Use Nesterov momentum."),
    key(
        "retrain",
        "with-validation",
        "Also train on a validation split that came with the data, once the hyperparameters are chosen on it \
         (Algorithm 1: all training data).",
    ),
    key("asha", "samples", "Number of sampled configurations; the first is that under [retrain]."),
    key("asha", "reduction", "One in this many trials is promoted, to this many times the steps."),
    key(
        "asha",
        "brackets",
        "Number of brackets. Each starts its trials with reduction times the steps of the one before.",
    ),
    key("asha", "min-steps", "Steps of the shortest trials. 0: those of a [tune] trial divided by reduction squared."),
    key(
        "asha",
        "workers",
        "Number of trials that ASHA assumes to run at a time. It changes the result, unlike tune.workers and the \
         number of threads.",
    ),
    key("asha", "learning-rates", "Smallest and largest learning rate, drawn log-uniformly."),
    key("asha", "weight-decays", "Smallest and largest weight decay, drawn log-uniformly."),
    key("asha", "momentums", "Smallest and largest momentum; 1 - momentum is drawn log-uniformly."),
    key("asha", "dropouts", "Smallest and largest dropout rate, drawn uniformly."),
    key(
        "baseline",
        "enabled",
        "Also train the plain backbone and report its test metric beside that of the searched network.",
    ),
    key(
        "budget",
        "time-limit",
        "Seconds of the whole run, reading the data included. All stages are planned to fit into it. A run that needs \
         less time ends earlier.",
    ),
    key(
        "budget",
        "use-all-the-time",
        "Use all of the time limit: where it leaves time to spare, search and tuning take up to twice as many steps, and \
         retraining the rest.",
    ),
    key("budget", "memory-limit", "Bytes of resident memory. If necessary, training uses micro-batches."),
    key(
        "budget",
        "max-params",
        "Largest number of parameters of the searched network. The strongest kernels within it are chosen.",
    ),
    key(
        "budget",
        "max-latency",
        "Largest number of milliseconds of the searched network for one sample on this machine. The strongest \
         kernels within it are chosen.",
    ),
    key("darcy", "resolution", "Grid points on a side at which the equation is solved, boundary included."),
    key("darcy", "stride", "Keep every stride-th grid point; must divide resolution - 1."),
    key("darcy", "train", "Number of training samples."),
    key("darcy", "test", "Number of test samples."),
];

/// The name most similar to what was written, if one is similar enough.
pub(super) fn nearest<'a>(written: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|name| (strsim::jaro_winkler(&written.replace('_', "-").to_lowercase(), name), name))
        .filter(|(similarity, _)| *similarity > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}
