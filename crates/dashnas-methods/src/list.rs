//! All methods, by name.

use crate::method::Method;
use crate::settings::TABLE;

/// Every method, in the order in which a comparison runs them. A method that is not a set of settings is added here.
pub fn all() -> Vec<&'static dyn Method> {
    TABLE.iter().map(|method| method as &dyn Method).collect()
}

/// The method of a name.
pub fn find(name: &str) -> Option<&'static dyn Method> {
    all().into_iter().find(|method| method.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_different_and_name_folders() {
        let names: BTreeSet<&str> = all().iter().map(|method| method.name()).collect();
        assert_eq!(names.len(), all().len());
        assert!(
            names.iter().all(|name| name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'))
        );
        assert!(!names.contains("all"), "it stands for all methods");
        assert!(find("dash").is_some() && find("dart").is_none());
    }
}
