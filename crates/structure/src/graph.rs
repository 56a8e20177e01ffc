//! Cycles and levels of a graph whose nodes are numbers.

use std::collections::{BTreeSet, VecDeque};

/// For each node, the nodes that its edges point to.
pub type Graph = Vec<BTreeSet<usize>>;

/// Returns the strongly connected component of each node. A component has a higher number than the components that its
/// edges point to.
pub fn components(graph: &Graph) -> Vec<usize> {
    let mut search = Search {
        graph,
        order: vec![None; graph.len()],
        low: vec![0; graph.len()],
        component: vec![None; graph.len()],
        stack: Vec::new(),
        visited: 0,
        complete: 0,
    };
    for node in 0..graph.len() {
        if search.order[node].is_none() {
            search.visit(node);
        }
    }
    search.component.into_iter().flatten().collect()
}

/// The state of Tarjan's algorithm.
struct Search<'g> {
    graph: &'g Graph,
    order: Vec<Option<usize>>,
    low: Vec<usize>,
    component: Vec<Option<usize>>,
    stack: Vec<usize>,
    visited: usize,
    complete: usize,
}

impl Search<'_> {
    fn visit(&mut self, node: usize) {
        self.order[node] = Some(self.visited);
        self.low[node] = self.visited;
        self.visited += 1;
        self.stack.push(node);
        for &next in &self.graph[node] {
            match self.order[next] {
                None => {
                    self.visit(next);
                    self.low[node] = self.low[node].min(self.low[next]);
                }
                Some(order) if self.component[next].is_none() => self.low[node] = self.low[node].min(order),
                Some(_) => {}
            }
        }
        if Some(self.low[node]) == self.order[node] {
            while let Some(member) = self.stack.pop() {
                self.component[member] = Some(self.complete);
                if member == node {
                    break;
                }
            }
            self.complete += 1;
        }
    }
}

/// Returns the components of more than one node, each sorted, in the order of their first nodes.
pub fn cycles(graph: &Graph) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); graph.len()];
    for (node, component) in components(graph).into_iter().enumerate() {
        members[component].push(node);
    }
    members.retain(|members| members.len() > 1);
    members.sort();
    members
}

/// Returns the level of each node: 1 without edges, otherwise one more than the highest level that its edges point to.
/// The nodes of a cycle have the same level.
pub fn levels(graph: &Graph) -> Vec<usize> {
    let component = components(graph);
    let mut order: Vec<usize> = (0..graph.len()).collect();
    order.sort_by_key(|&node| component[node]);
    let mut level = vec![1; graph.len()];
    for &node in &order {
        let below = graph[node].iter().filter(|&&next| component[next] != component[node]);
        let own = below.map(|&next| level[component[next]] + 1).max().unwrap_or(1);
        level[component[node]] = level[component[node]].max(own);
    }
    component.iter().map(|&component| level[component]).collect()
}

/// Returns a shortest path from `from` to `to` with both ends. A path from a node to itself has at least one edge.
pub fn shortest_path(graph: &Graph, from: usize, to: usize) -> Option<Vec<usize>> {
    let mut before = vec![None; graph.len()];
    let mut queue = VecDeque::from([from]);
    while let Some(node) = queue.pop_front() {
        for &next in &graph[node] {
            if before[next].is_some() {
                continue;
            }
            before[next] = Some(node);
            if next == to {
                let mut path = vec![to, node];
                while path[path.len() - 1] != from {
                    path.push(before[path[path.len() - 1]]?);
                }
                path.reverse();
                return Some(path);
            }
            queue.push_back(next);
        }
    }
    None
}

/// Returns a shortest cycle through one of the nodes; its first node is repeated at the end.
pub fn shortest_cycle(graph: &Graph, members: &[usize]) -> Vec<usize> {
    members.iter().filter_map(|&member| shortest_path(graph, member, member)).min_by_key(Vec::len).unwrap_or_default()
}

/// Adds the edges in order, except those that would close a cycle, and returns the positions of the latter.
pub fn add_downward(graph: &mut Graph, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut upward = Vec::new();
    for (position, &(from, to)) in edges.iter().enumerate() {
        if from == to || shortest_path(graph, to, from).is_some() {
            upward.push(position);
        } else {
            graph[from].insert(to);
        }
    }
    upward
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[&[usize]]) -> Graph {
        edges.iter().map(|to| to.iter().copied().collect()).collect()
    }

    #[test]
    fn cycles_and_levels() {
        // 0 → 1 → 2 → 1, 2 → 3, 4 alone.
        let graph = graph(&[&[1], &[2], &[1, 3], &[], &[]]);
        assert_eq!(cycles(&graph), [[1, 2]]);
        assert_eq!(levels(&graph), [3, 2, 2, 1, 1]);
        assert_eq!(shortest_cycle(&graph, &[1, 2]), [1, 2, 1]);
    }

    #[test]
    fn a_chain_written_backwards() {
        let graph = graph(&[&[], &[0], &[1], &[2, 0]]);
        assert_eq!(levels(&graph), [1, 2, 3, 4]);
        assert!(cycles(&graph).is_empty());
    }

    #[test]
    fn shortest_paths() {
        let graph = graph(&[&[1, 2], &[3], &[3], &[]]);
        assert_eq!(shortest_path(&graph, 0, 3), Some(vec![0, 1, 3]));
        assert_eq!(shortest_path(&graph, 3, 0), None);
        assert_eq!(shortest_path(&graph, 0, 0), None);
    }

    #[test]
    fn upward_arrows_are_left_out() {
        let mut graph = graph(&[&[1], &[], &[]]);
        assert_eq!(add_downward(&mut graph, &[(1, 0), (1, 2), (2, 0)]), [0, 2]);
        assert_eq!(levels(&graph), [3, 2, 1]);
    }
}
