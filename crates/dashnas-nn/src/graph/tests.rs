use crate::graph::build::GraphBuilder;
use crate::graph::check::{GraphError, MAX_NODES};
use crate::graph::node::{Convolution, Node, NodeId, Operation};
use crate::graph::topology::Graph;
use serde_json::json;

/// A network with a concatenation of two convolutions and a sum of three values.
fn branched() -> Graph {
    let mut net = GraphBuilder::new(2);
    let input = net.input(2);
    let stem = net.after(input).conv(4, 3, 1).norm().relu().end();
    let near = net.after(stem).conv(6, 3, 2).norm().end();
    let far = net.after(stem).unsearched_conv(6, 5, 2).norm().relu().end();
    let both = net.concat(&[near, far]);
    let narrow = net.after(both).pointwise(6, 1).dropout().end();
    let sum = net.sum(&[narrow, near, far]);
    net.finish(sum, 3, false)
}

#[test]
fn shapes_and_parameters_of_a_graph_with_branches() {
    let graph = branched();
    let trace = graph.trace([9, 6]);
    let value = |op: &Operation| trace.iter().find(|t| t.operation == op).map(|t| (t.channels, t.output));
    assert_eq!(value(&Operation::Concat), Some((12, [5, 3])));
    assert_eq!(value(&Operation::Sum), Some((6, [5, 3])));
    assert_eq!(value(&Operation::Mean), Some((6, [1, 1])));
    assert_eq!((graph.plain_kernels(), graph.head()), (vec![[3, 1]; 2], [6, 3]));
    assert_eq!(graph.searched_params(7), (2 * 4 * 49 + 4) + (4 * 6 * 49 + 6));
    let norms = 2 * (4 + 6 + 6);
    assert_eq!(graph.fixed_params(), norms + (4 * 6 * 25 + 6) + (12 * 6 + 6) + (6 + 1) * 3);
    let names: Vec<_> = graph.nodes().filter_map(|(id, _)| graph.parameter_name(id)).collect();
    assert_eq!(names, ["convs.0", "norms.0", "convs.1", "norms.1", "unsearched.0", "norms.2", "pointwise.0"]);
}

#[test]
fn values_are_forgotten_after_their_last_use() {
    let graph = branched();
    // Beside the input and the value of the 1×1 convolution there are both branches, which the sum is still to take:
    // 5×3 positions each. The stem's normalization takes less, at 9×6 positions.
    assert_eq!(graph.peak([9, 6]), (12 + 6 + 6 + 6) * 5 * 3);
    assert!(graph.peak([9, 6]) > 2 * 4 * 9 * 6);
    let series = {
        let mut net = GraphBuilder::new(1);
        let input = net.input(1);
        let wide = net.after(input).conv(3, 3, 1).end();
        let all = net.concat(&[wide, wide, input]);
        net.finish(all, 1, true)
    };
    assert_eq!(series.peak([1, 10]), 10 * (1 + 3 + 7));
    let (id, _) = series.nodes().nth(1).expect("the convolution");
    assert_eq!((series.uses(id), series.last_use(id)), (2, NodeId(2)));
}

#[test]
fn a_rectifier_is_fused_where_it_alone_takes_a_normalization() {
    let graph = branched();
    let fused: Vec<_> = graph.nodes().filter_map(|(id, _)| graph.fused_relu(id)).collect();
    assert_eq!(fused, [NodeId(3), NodeId(8)]);
    let mut net = GraphBuilder::new(1);
    let input = net.input(1);
    let norm = net.after(input).norm().end();
    let relu = net.after(norm).relu().end();
    let sum = net.sum(&[norm, relu]);
    let graph = net.finish(sum, 1, false);
    assert_eq!(graph.fused_relu(norm), None, "the sum needs the values below zero");
}

#[test]
fn blocks_lie_between_what_every_path_passes() {
    let blocks = branched().blocks();
    let found: Vec<_> = blocks.iter().map(|b| (b.entry.0, b.nodes.clone(), b.branches)).collect();
    // The stem; everything up to the sum; the head.
    assert_eq!(found, [(0, 1..=3, false), (3, 4..=12, true), (12, 13..=14, false)]);
}

#[test]
fn a_graph_read_again_is_the_same() {
    let graph = branched();
    let text = serde_json::to_string(&graph).expect("it is data");
    assert_eq!(serde_json::from_str::<Graph>(&text).expect("it is whole"), graph);
    let first = json!({ "op": "conv", "channels": [2, 4], "kernel": 3, "stride": 1, "searched": true, "inputs": [0] });
    assert_eq!(serde_json::to_value(&graph).expect("it is data")["nodes"][1], first);
}

/// Graphs from files are not trusted.
#[test]
fn nodes_that_make_up_no_network_are_refused() {
    let sound = json!({ "dims": 1, "nodes": [
        { "op": "input", "channels": 2, "inputs": [] },
        { "op": "conv", "channels": [2, 4], "kernel": 3, "stride": 2, "searched": true, "groups": 1, "patches": false,
          "inputs": [0] },
        { "op": "conv", "channels": [2, 4], "kernel": 1, "stride": 2, "searched": false, "inputs": [0] },
        { "op": "sum", "inputs": [1, 2] },
        { "op": "mean", "inputs": [3] },
        { "op": "linear", "channels": [4, 3], "inputs": [4] },
    ] });
    assert!(serde_json::from_value::<Graph>(sound.clone()).is_ok());
    let large = 1u64 << 40;
    let cases = [
        ("/dims", json!(3), "3 axes"),
        ("/dims", json!(0), "0 axes"),
        ("/nodes", json!([]), "0 nodes"),
        ("/nodes/0", json!({ "op": "relu", "inputs": [0] }), "node 0, which does not come before it"),
        ("/nodes/0", json!({ "op": "relu", "inputs": [] }), "has 0 inputs"),
        ("/nodes/0/inputs", json!([0]), "does not come before it"),
        ("/nodes/0/channels", json!(0), "has 0 channels"),
        ("/nodes/0/channels", json!(3), "takes 2 channels, but its input has 3"),
        ("/nodes/1/inputs", json!([1]), "node 1, which does not come before it"),
        ("/nodes/1/inputs", json!([99]), "node 99, which does not come before it"),
        ("/nodes/1/inputs", json!([0, 0]), "has 2 inputs"),
        ("/nodes/1/channels/1", json!(large), "has 1099511627776 channels"),
        ("/nodes/1/channels/1", json!(5), "adds 4 channels at stride 2 to 5 channels at stride 2"),
        ("/nodes/1/kernel", json!(4), "kernel size 4"),
        ("/nodes/1/kernel", json!(large + 1), "kernel size 1099511627777"),
        ("/nodes/1/patches", json!(true), "has patches of size 3; they are not searched"),
        ("/nodes/1/groups", json!(0), "has 0 groups"),
        ("/nodes/1/groups", json!(4), "has 4 groups, which do not divide 2 and 4 channels"),
        ("/nodes/1/stride", json!(0), "stride 0"),
        ("/nodes/1/stride", json!(1), "adds 4 channels at stride 2 to 4 channels at stride 1"),
        ("/nodes/2", json!({ "op": "input", "channels": 2, "inputs": [] }), "is a second input"),
        ("/nodes/3/inputs", json!([1]), "has 1 input"),
        ("/nodes/3/inputs", json!([1, 1]), "node 2 (conv) has a value that no other node uses"),
        ("/nodes/3", json!({ "op": "concat", "inputs": [1, 2] }), "takes 4 channels, but its input has 8"),
        (
            "/nodes/3",
            json!({ "op": "concat", "inputs": [0, 2] }),
            "concatenates 4 channels at stride 2 with 2 channels",
        ),
        ("/nodes/3", json!({ "op": "max", "inputs": [1, 2] }), "unknown variant `max`"),
        ("/nodes/4", json!({ "op": "relu", "inputs": [3] }), "needs the grid of the input or a mean"),
        ("/nodes/5/channels/0", json!(5), "takes 5 channels, but its input has 4"),
        ("/nodes/5", json!({ "op": "relu", "inputs": [4] }), "uses a mean over positions"),
        ("/nodes/5", json!({ "op": "mean", "inputs": [3] }), "which must be a linear map"),
        ("/nodes/5", json!({ "op": "gelu", "inputs": [4] }), "uses a mean over positions"),
        ("/nodes/5", json!({ "op": "layer-scale", "channels": 4, "inputs": [4] }), "uses a mean over positions"),
        ("/nodes/5", json!({ "op": "layer-norm", "channels": 5, "inputs": [4] }), "takes 5 channels"),
        ("/nodes/4", json!({ "op": "layer-norm", "channels": 3, "inputs": [3] }), "takes 3 channels"),
    ];
    for (path, value, says) in cases {
        let mut changed = sound.clone();
        *changed.pointer_mut(path).expect("it is there") = value;
        let reason = serde_json::from_value::<Graph>(changed).expect_err(says).to_string();
        assert!(reason.contains(says), "{reason} does not say {says}");
    }
}

#[test]
fn sizes_do_not_overflow() {
    let node = |operation, inputs: &[usize]| Node { operation, inputs: inputs.iter().map(|&i| NodeId(i)).collect() };
    let mut nodes = vec![node(Operation::Input { channels: 1 << 31 }, &[])];
    nodes.push(node(Operation::Concat, &[0, 0]));
    assert!(Graph::new(1, nodes).expect_err("too wide").to_string().contains("channels"));
    let conv = Convolution { stride: 1 << 24, searched: true, ..Convolution::new([1, 1], 1) };
    let mut nodes = vec![node(Operation::Input { channels: 1 }, &[])];
    nodes.extend((0..4).map(|i| node(Operation::Conv(conv), &[i])));
    assert!(Graph::new(1, nodes).expect_err("no position is left").to_string().contains("stride"));
    let relus = (0..MAX_NODES).map(|i| node(Operation::Relu, &[i]));
    let nodes = [node(Operation::Input { channels: 1 }, &[])].into_iter().chain(relus).collect();
    assert_eq!(Graph::new(1, nodes), Err(GraphError::Size(MAX_NODES + 1)));
    assert_eq!(Convolution { channels: [1 << 31; 2], ..conv }.params(1 << 24, 2), u64::MAX);
}
