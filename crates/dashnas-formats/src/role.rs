//! The split that samples belong to, as the names of files, folders and arrays tell it.

/// Which split some samples belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Samples that nobody has split yet.
    All,
    /// Samples to train on.
    Train,
    /// Samples to validate on.
    Val,
    /// Samples to test on.
    Test,
}

impl Role {
    /// The word that the names of this split's arrays end in: `x_train`, `x_val`, `x_test`.
    pub fn name(self) -> &'static str {
        match self {
            Role::All => "all",
            Role::Train => "train",
            Role::Val => "val",
            Role::Test => "test",
        }
    }

    /// Returns the split that a word in the name of a file, folder or array stands for.
    pub fn of_word(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "train" | "training" | "tr" => Some(Role::Train),
            "test" | "testing" | "te" => Some(Role::Test),
            "val" | "valid" | "validation" | "dev" => Some(Role::Val),
            _ => None,
        }
    }
}
