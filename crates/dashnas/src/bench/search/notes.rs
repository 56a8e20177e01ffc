//! What a reader of the figures of a bench must know besides them, as sentences.

use crate::bench::search::plan::{Entry, GivenKernels};
use crate::bench::search::record::EntryRecord;
use crate::bench::search::settings::BenchSettings;
use aggconv::KernelSpace;
use dashnas_core::text::plural;
use std::collections::BTreeSet;

/// The most networks that a note names.
const NAMED: usize = 8;

/// The notes for more networks than the space has.
pub(crate) fn too_many(given: &GivenKernels, wanted: BenchSettings, space: &KernelSpace) -> Vec<String> {
    let mut notes = Vec::new();
    if given.uniform.len() < wanted.uniform {
        notes.push(format!(
            "{} with the same kernel in every layer were asked for, but the space has only {}",
            plural(wanted.uniform, "network"),
            plural(space.len(), "kernel")
        ));
    }
    let distinct = given.random.iter().collect::<BTreeSet<_>>().len();
    if distinct < given.random.len() {
        let layers = given.plain.len();
        let all = u32::try_from(layers).ok().and_then(|layers| space.len().checked_pow(layers));
        let few = all.filter(|&all| all < wanted.random).map_or_else(String::new, |all| {
            format!(", because the space has only {} of {}", plural(all, "architecture"), plural(layers, "layer"))
        });
        notes.push(format!(
            "only {distinct} of the {} differ{few}; equal ones are trained once and counted as often as they were drawn",
            plural(wanted.random, "random network")
        ));
    }
    notes
}

/// The note for finished networks that are not in the plan, because the bench was larger before.
pub(crate) fn left_out(finished: &[String], plan: &[Entry]) -> Option<String> {
    let planned: BTreeSet<&str> = plan.iter().map(|entry| entry.name.as_str()).collect();
    let mut others: Vec<&str> = finished.iter().map(String::as_str).filter(|name| !planned.contains(name)).collect();
    // By kind and number: 10 follows 9.
    others.sort_by_key(|name| (name.replace(|c: char| c.is_ascii_digit(), ""), name.len(), *name));
    let more = others.len().saturating_sub(NAMED);
    let names = others.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
    let names = if more > 0 { format!("{names} and {more} more") } else { names };
    (!others.is_empty()).then(|| {
        format!(
            "{} in the folder are not part of the figures, because fewer networks or seeds were asked for than before: \
             {names}",
            plural(others.len(), "finished network")
        )
    })
}

/// The note for results in which every training failed.
pub(crate) fn all_failed(results: &[(&Entry, EntryRecord)]) -> Option<String> {
    let mut trained = results.iter().filter(|(entry, _)| entry.group.is_trained());
    let first = trained.next()?.1.reason.as_ref()?;
    trained.all(|(_, record)| record.reason.is_some()).then(|| {
        format!("there are no percentiles and no ratios, because every training failed; the first one: {first}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::search::plan::entries;

    #[test]
    fn more_networks_than_the_space_has_are_noted() {
        let notes = |random: &[[usize; 2]], uniform: usize, space: &KernelSpace| {
            let random: Vec<_> = random.iter().map(|&kernel| vec![kernel; 2]).collect();
            let size = BenchSettings { random: random.len(), uniform, seeds: 0 };
            let all: Vec<_> = space.candidates().iter().map(|c| [c.k, c.d]).collect();
            let uniform = all[..uniform.min(all.len())].to_vec();
            too_many(&GivenKernels { random, plain: vec![[7, 1]; 2], uniform }, size, space)
        };
        let space = KernelSpace::new([3, 5], [1]).expect("a space");
        assert!(notes(&[[3, 1], [5, 1]], 2, &space).is_empty());
        let expected =
            "3 networks with the same kernel in every layer were asked for, but the space has only 2 kernels";
        assert_eq!(notes(&[[3, 1]], 3, &space), [expected]);
        let expected = "only 2 of the 3 random networks differ; equal ones are trained once and counted as often as they \
                        were drawn";
        assert_eq!(notes(&[[3, 1], [5, 1], [3, 1]], 0, &space), [expected]);
        let one = KernelSpace::new([3], [1]).expect("a space");
        let found = notes(&[[3, 1], [3, 1]], 0, &one);
        assert!(found[0].contains("because the space has only 1 architecture of 2 layers"), "{found:?}");
    }

    #[test]
    fn finished_networks_beyond_the_plan_are_named() {
        let given = GivenKernels { random: vec![vec![[3, 1]]], plain: vec![[3, 1]], uniform: vec![] };
        let plan = entries(&given, BenchSettings { random: 1, uniform: 0, seeds: 1 });
        let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        assert_eq!(left_out(&names(&["random-0", "plain", "ours-0-retrained"]), &plan), None);
        let found = left_out(&names(&["random-10", "ours-1", "random-9", "random-0"]), &plan).expect("three are");
        assert!(
            found.starts_with("3 finished networks in the folder are not")
                && found.ends_with(": ours-1, random-9, random-10"),
            "{found}"
        );
        let many: Vec<String> = (0..12).map(|i| format!("random-{i}")).collect();
        let found = left_out(&many, &plan).expect("eleven are");
        assert!(found.ends_with("random-8 and 3 more"), "{found}");
    }
}
