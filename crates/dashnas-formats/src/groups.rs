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

/// The warning about groups of the training data that new data lacks, where its score would count them; `None` if it has
/// them all. `there` are those that it has.
pub(crate) fn warning_of_lacking(what: &str, lacking: &[&str], there: &[&str]) -> Option<String> {
    let all = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let instead = match there {
        [] => "every sample counts by itself, so that an interval or a test is too sure where samples belong together"
            .into(),
        _ => format!("the groups are those of {} alone", all(there)),
    };
    (!lacking.is_empty()).then(|| format!("there is no {what} {} of groups: {instead}", all(lacking)))
}

/// The groups of samples by several columns or arrays: samples of one group have equal values in all of them. `None` without
/// any.
pub(crate) fn joined(columns: Vec<Vec<String>>) -> Option<Vec<String>> {
    let several = columns.len() > 1;
    let mut columns = columns.into_iter();
    let first = columns.next()?;
    if !several {
        return Some(first);
    }
    let mut groups: Vec<String> = first.into_iter().map(escaped).collect();
    for column in columns {
        for (group, text) in groups.iter_mut().zip(column) {
            group.push('/');
            group.push_str(&escaped(text));
        }
    }
    Some(groups)
}

/// A name that stands for no two names when it is joined with others by `/`.
fn escaped(name: String) -> String {
    if name.contains(['/', '\\']) { name.replace('\\', "\\\\").replace('/', "\\/") } else { name }
}

/// What a person should know of groups by several columns or arrays of these names; `None` of one. `what` are the samples.
pub(crate) fn note_of_several(what: &str, names: &[String], windows: bool) -> Option<String> {
    let [first, _, ..] = names else { return None };
    let (last, others) = names.split_last()?;
    let all = format!("{} and {last}", others.join(", "));
    let instead = match windows {
        true => "`data.group` for the one and `data.recording` for the others keep",
        false => "`data.group` for the one alone keeps",
    };
    Some(format!(
        "{what} with equal values in {all} are one group; {what} that share one of them only, such as {first}, may be on \
         different sides of the split: {instead} them on one side"
    ))
}
