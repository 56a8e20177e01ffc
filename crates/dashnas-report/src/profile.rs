//! Performance profiles (Dolan and Moré 2002): on what share of the tasks is a method within a factor τ of the best?

use std::collections::BTreeMap;

/// A method's error on each task it was tried on; lower is better.
#[derive(Debug, Clone, PartialEq)]
pub struct Method {
    /// Its name.
    pub name: String,
    /// Error by task.
    pub errors: BTreeMap<String, f64>,
}

/// The profile of each method, in their order: `(τ, share)` where the share changes, from τ = 1 on. A task counts
/// if any method solved it; where a method was not tried, it is never within any factor. An error of 0 is within a
/// factor 1 of the best, and nothing else is within any factor of it.
pub fn profiles(methods: &[Method]) -> Vec<Vec<(f64, f64)>> {
    let mut best: BTreeMap<&str, f64> = BTreeMap::new();
    for (task, &error) in methods.iter().flat_map(|m| &m.errors).filter(|(_, e)| e.is_finite() && **e >= 0.0) {
        best.entry(task).and_modify(|b| *b = b.min(error)).or_insert(error);
    }
    methods
        .iter()
        .map(|m| {
            let ratio = |(task, &best): (&&str, &f64)| {
                let error = *m.errors.get(*task)?;
                let ratio = if error == best { 1.0 } else { error / best };
                ratio.is_finite().then_some(ratio)
            };
            let mut ratios: Vec<f64> = best.iter().filter_map(ratio).collect();
            ratios.sort_by(f64::total_cmp);
            let share = |tau: f64| ratios.iter().filter(|r| **r <= tau).count() as f64 / best.len().max(1) as f64;
            let mut taus = vec![1.0];
            taus.extend(ratios.iter().copied());
            taus.dedup();
            taus.into_iter().map(|tau| (tau, share(tau))).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str, errors: &[(&str, f64)]) -> Method {
        Method { name: name.into(), errors: errors.iter().map(|(t, e)| ((*t).to_owned(), *e)).collect() }
    }

    #[test]
    fn a_profile_is_the_share_of_tasks_within_a_factor_of_the_best() {
        let a = method("a", &[("x", 1.0), ("y", 3.0), ("z", 2.0), ("zero", 0.0)]);
        let b = method("b", &[("x", 2.0), ("y", 2.0), ("zero", 0.1)]);
        let [a, b] = profiles(&[a, b]).try_into().expect("two profiles");
        assert_eq!(a, [(1.0, 0.75), (1.5, 1.0)]);
        assert_eq!(b, [(1.0, 0.25), (2.0, 0.5)], "not tried on z, and infinitely far from the best on zero");
    }

    #[test]
    fn no_method_has_no_profile_and_no_task_a_flat_one() {
        assert!(profiles(&[]).is_empty());
        assert_eq!(profiles(&[method("a", &[("x", f64::NAN)])]), [[(1.0, 0.0)]]);
    }
}
