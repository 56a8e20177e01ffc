//! Files of one series a line: `.ts`, `.arff` and the UCR archive's `.tsv` and `.txt`.

pub(crate) mod arff;
pub(crate) mod delimited;
pub(crate) mod file;
pub(crate) mod times;
pub(crate) mod ts;
pub(crate) mod values;
