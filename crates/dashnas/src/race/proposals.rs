//! The networks that a race begins with, and those that its trials suggest.

use crate::race::features::{Geometry, SEGMENTS};
use crate::race::prior::{Knowledge, PortfolioEntry};
use crate::race::size::SizeBound;
use crate::record::race::Origin;
use aggconv::{Candidate, KernelSpace};
use dashnas_core::rng::Stream;
use rand::RngExt;
use std::collections::HashSet;

/// A network that is proposed for a race.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Proposal {
    /// Where its kernels come from.
    pub origin: Origin,
    /// `[k, d]` of every searched layer.
    pub kernels: Vec<[usize; 2]>,
    /// Its expected quality before any trial.
    pub expected: f64,
}

/// The draws after which a search for an architecture that is not known yet ends: a small space has few.
const ATTEMPTS: usize = 50;

/// The networks that may enter a race.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    /// The searched layers.
    pub geometry: &'a Geometry,
    /// The kernels to choose from.
    pub space: &'a KernelSpace,
    /// The bound on their size, if there is one.
    pub bound: Option<&'a SizeBound>,
}

impl Field<'_> {
    /// The network, or a smaller one where it exceeds the bound; `None` if there is none.
    fn within(&self, kernels: Vec<[usize; 2]>) -> Option<Vec<[usize; 2]>> {
        match self.bound {
            None => Some(kernels),
            Some(bound) => bound.shrunk(kernels),
        }
    }
}

/// Returns at most `number` different networks to begin with: the best one of the portfolio, the plain network, the rest
/// of the portfolio, and random ones. All are within the bound on the size; without the plain network if it is not.
pub(crate) fn first(
    number: usize,
    field: Field<'_>,
    knowledge: &Knowledge,
    plain: &[[usize; 2]],
    stream: &mut Stream,
) -> Vec<Proposal> {
    let with_plain = field.bound.is_none_or(|bound| bound.allows(plain));
    let mut found: Vec<Proposal> = Vec::new();
    let mut known: HashSet<Vec<[usize; 2]>> = HashSet::new();
    let mut add = |origin, kernels: Option<Vec<[usize; 2]>>, expected| {
        // The plain network enters as itself, whatever else has its kernels.
        let kernels = kernels.filter(|kernels| origin == Origin::Plain || !with_plain || *kernels != plain);
        if let Some(kernels) = kernels.filter(|_| found.len() < number)
            && known.insert(kernels.clone())
        {
            found.push(Proposal { origin, kernels, expected });
        }
        found.len() < number
    };
    let own = || with_plain.then(|| plain.to_vec());
    if number == 1 {
        add(Origin::Plain, own(), knowledge.plain);
    }
    for (place, PortfolioEntry { kernels, quality }) in knowledge.portfolio.iter().enumerate() {
        add(Origin::Portfolio, field.within(nearest(kernels, field)), *quality);
        if place == 0 {
            add(Origin::Plain, own(), knowledge.plain);
        }
    }
    add(Origin::Plain, own(), knowledge.plain);
    let candidates = field.space.candidates();
    for _ in 0..ATTEMPTS * number {
        let mut draw = || candidates[stream.random_range(0..candidates.len())];
        let kernels = (0..field.geometry.layers()).map(|_| draw()).map(|c| [c.k, c.d]).collect();
        if !add(Origin::Random, field.within(kernels), 0.0) {
            break;
        }
    }
    found
}

/// Returns a change of a network that is not among the known ones: the segment of layers and the kernel for it that gain
/// most by the given weights of the features.
pub(crate) fn change(of: &Proposal, weights: &[f64], known: &[Vec<[usize; 2]>], field: Field<'_>) -> Option<Proposal> {
    let Field { geometry, space, bound } = field;
    let cost =
        |kernels: &[[usize; 2]]| -> f64 { geometry.features(kernels).iter().zip(weights).map(|(f, w)| f * w).sum() };
    let changed = |segment: usize, c: &Candidate| {
        let mut kernels = of.kernels.clone();
        for (layer, kernel) in kernels.iter_mut().enumerate() {
            if geometry.segment(layer) == segment {
                *kernel = [c.k, c.d];
            }
        }
        kernels
    };
    let all = (0..SEGMENTS).flat_map(|segment| space.candidates().iter().map(move |c| changed(segment, c)));
    let new = all
        .filter(|kernels| !known.contains(kernels) && bound.is_none_or(|bound| bound.allows(kernels)))
        .map(|kernels| (cost(&kernels), kernels));
    // The first of equal ones, which has the smallest kernel.
    let best = new.reduce(|a, b| if b.0 < a.0 { b } else { a });
    // Half of the network is as good as other data sets tell, and the changed part is as good as a random one.
    best.map(|(_, kernels)| Proposal { origin: Origin::Proposal, kernels, expected: 0.5 * of.expected })
}

/// Returns the architecture of the space that is nearest to the given kernels of each segment: by the ratios of sizes and
/// of reaches.
fn nearest(segments: &[[usize; 2]; SEGMENTS], Field { geometry, space, .. }: Field<'_>) -> Vec<[usize; 2]> {
    let ratio = |a: usize, b: usize| (a as f64 / b as f64).ln().abs();
    let reach = |[k, d]: [usize; 2]| k.saturating_sub(1).saturating_mul(d).saturating_add(1);
    let layer = |l: usize| {
        let wanted = segments[geometry.segment(l)];
        let distance = |c: &Candidate| ratio(c.k, wanted[0]) + ratio(reach([c.k, c.d]), reach(wanted));
        let found = space.candidates().iter().reduce(|a, b| if distance(b) < distance(a) { b } else { a });
        found.map_or(wanted, |c| [c.k, c.d])
    };
    (0..geometry.layers()).map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example_network::wrn_1d;
    use crate::race::prior::knowledge;
    use dashnas_core::rng::Seed;

    fn setting(k: &[usize], d: &[usize]) -> (Geometry, KernelSpace, Vec<[usize; 2]>) {
        let graph = wrn_1d();
        let space = KernelSpace::new(k.to_vec(), d.to_vec()).expect("a valid space");
        (Geometry::new(&graph, [1, 100], &space), space, graph.plain_kernels())
    }

    #[test]
    fn a_race_begins_with_different_networks_of_the_space_and_the_plain_one() {
        let known = knowledge(1, false);
        for (k, d) in [(vec![3, 7, 11, 15, 19], vec![1, 3, 7, 15]), (vec![5, 9], vec![2]), (vec![3], vec![1])] {
            let (geometry, space, plain) = setting(&k, &d);
            let field = Field { geometry: &geometry, space: &space, bound: None };
            let found = first(9, field, &known, &plain, &mut Seed(1).stream("test", &[]));
            assert!(found.iter().any(|p| p.origin == Origin::Plain && p.kernels == plain));
            let inside = |p: &Proposal| p.kernels.iter().all(|&[a, b]| k.contains(&a) && d.contains(&b));
            assert!(found.iter().filter(|p| p.origin != Origin::Plain).all(inside), "{found:?}");
            assert!((1..found.len()).all(|i| found[..i].iter().all(|p| p.kernels != found[i].kernels)));
            // One kernel and the plain network are all that the smallest space has.
            assert_eq!(found.len(), if k.len() * d.len() == 1 { 2 } else { 9 });
        }
    }

    #[test]
    fn a_change_follows_the_weights() {
        let (geometry, space, plain) = setting(&[3, 7, 11, 15, 19], &[1, 3]);
        let of = Proposal { origin: Origin::Plain, kernels: plain, expected: -0.5 };
        // A large reach of the first layer is good.
        let mut weights = vec![0.0; crate::race::features::FEATURES];
        weights[1] = -1.0;
        let field = Field { geometry: &geometry, space: &space, bound: None };
        let best = change(&of, &weights, &[], field).expect("there are others");
        assert_eq!((best.kernels[0], &best.kernels[1..], best.expected), ([19, 3], &of.kernels[1..], -0.25));
        let next = change(&of, &weights, &[best.kernels], field).expect("there are others");
        assert_eq!(next.kernels[0], [15, 3]);
    }

    #[test]
    fn a_portfolio_that_has_the_plain_network_does_not_hide_it() {
        let (geometry, space, _) = setting(&[7], &[1]);
        let field = Field { geometry: &geometry, space: &space, bound: None };
        let known = knowledge(1, false);
        let plain = vec![[7, 1]; 9];
        let found = first(9, field, &known, &plain, &mut Seed(1).stream("test", &[]));
        assert_eq!(found, [Proposal { origin: Origin::Plain, kernels: plain, expected: known.plain }]);
    }

    #[test]
    fn every_network_keeps_the_bound_on_its_size() {
        let graph = wrn_1d();
        let (geometry, space, plain) = setting(&[3, 7, 11, 15, 19], &[1, 3, 7]);
        let params = |kernels: &[[usize; 2]]| {
            let searched = graph.searched().into_iter().zip(kernels);
            graph.fixed_params() + searched.map(|(conv, &[k, _])| conv.params(k, 1)).sum::<u64>()
        };
        let least = params(&[[3, 1]; 9]);
        for most in [least - 1, least, params(&plain) - 1, params(&plain), params(&[[11, 1]; 9])] {
            let bound = SizeBound::new(most, graph.clone(), &space);
            let field = Field { geometry: &geometry, space: &space, bound: Some(&bound) };
            let found = first(9, field, &knowledge(1, false), &plain, &mut Seed(1).stream("test", &[]));
            assert_eq!(found.is_empty(), most < least);
            assert!(found.iter().all(|p| params(&p.kernels) <= most), "{most}: {found:?}");
            assert_eq!(found.iter().any(|p| p.origin == Origin::Plain), most >= params(&plain));
            if most > params(&plain) {
                assert!(found.iter().any(|p| params(&p.kernels) > most * 9 / 10), "the bound is used");
            }
        }
    }
}
