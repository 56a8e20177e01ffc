//! Groups of samples, which no split divides, whatever the format.

use std::collections::BTreeSet;

/// Fewest groups that are surely those of persons, recordings and the like.
const ENOUGH: usize = 4;

/// Returns whether these are so few groups that they are probably the arms of a study, such as `control` and `treated`.
pub(crate) fn are_few(groups: &[String]) -> bool {
    let distinct: BTreeSet<&String> = groups.iter().collect();
    (2..ENOUGH).contains(&distinct.len()) && groups.len() > 2 * distinct.len()
}

/// The warning about few groups in a column or an array that was taken for the group by its name.
pub(crate) fn warning_of_few(what: &str, called: &str, groups: &[String]) -> String {
    let distinct: BTreeSet<&String> = groups.iter().collect();
    let names: Vec<String> = distinct.iter().map(|name| format!("`{}`", crate::text::excerpt(name))).collect();
    format!(
        "{what} {called} is taken for the group, but holds {} groups only ({}): a whole group is held out for testing, so that a \
         network is tested on a group that it has never seen; set `data.group` to what samples belong to, such as a \
         person, or to this {what} if that is meant",
        names.len(),
        names.join(", ")
    )
}
