//! The searched network drawn as in A.8 of the paper: blocks of convolutions, each as large as its kernel.

use crate::chart::{open, put};
use dashnas_core::text::thousands;
use dashnas_nn::graph;
use dashnas_nn::graph::node::{Convolution, NodeId, Operation};
use dashnas_nn::graph::topology::Graph;
use serde::Serialize;

/// A part of the network that branches, such as a residual block, or a sequence of layers between such parts.
#[derive(Debug, Clone, Serialize)]
pub struct Block {
    /// `Block 64`, in the paper's notation.
    pub title: String,
    /// The branches that are joined to the first one: `+ input`, `+ 1×1`, or nothing.
    pub residual: String,
    /// The searched convolutions.
    pub convs: Vec<Conv>,
}

/// A searched convolution.
#[derive(Debug, Clone, Serialize)]
pub struct Conv {
    /// The number of the layer, from 1.
    pub layer: usize,
    /// Kernel size k.
    pub kernel_size: usize,
    /// Dilation d.
    pub dilation: usize,
    /// Channels in and out.
    pub channels: [usize; 2],
    /// Stride.
    pub stride: usize,
    /// The extent of the kernel on an axis in points of the layer's own input, `(k − 1)·d + 1`.
    pub field: usize,
    /// The extent of the kernel in points of the network's input.
    pub span: usize,
    /// The receptive field in points of the network's input, with all layers before.
    pub receptive_field: usize,
    /// The receptive field in the plain network.
    pub plain_receptive_field: usize,
    /// The shape of the output, `64 × 125`.
    pub output: String,
    /// The number of parameters, with those of the bias.
    pub params: String,
    /// The number of multiply-adds for one sample.
    pub multiply_adds: String,
    /// The taps, to the scale of the largest kernel.
    pub svg: String,
}

/// Lays out the blocks. Of the branches that meet in a sum or a concatenation, the one with the largest receptive field
/// decides the receptive fields of later layers. `axes` are the lengths of the axes of an input.
pub fn blocks(graph: &Graph, kernels: &[[usize; 2]], axes: &[usize]) -> Vec<Block> {
    let field = |[k, d]: [usize; 2]| (k.saturating_sub(1)).saturating_mul(d).saturating_add(1);
    let largest = kernels.iter().map(|&k| field(k)).max().unwrap_or(1);
    let mut seen: Vec<ReceptiveField> = Vec::with_capacity(graph.nodes().len());
    let mut convs: Vec<(NodeId, Conv)> = Vec::new();
    for (id, node) in graph.nodes() {
        let mut own =
            node.inputs.iter().map(|input| seen[input.0]).reduce(ReceptiveField::most).unwrap_or(ReceptiveField::POINT);
        if let Operation::Conv(conv) = node.operation {
            let layer = graph.index(id);
            let kernel = if conv.searched { kernels.get(layer).copied() } else { Some([conv.kernel, conv.dilation]) };
            let Some([k, d]) = kernel else {
                seen.push(own);
                continue;
            };
            let reach = |of: usize| (of - 1).saturating_mul(own.jump);
            let span = reach(field([k, d])).saturating_add(1);
            let receptive_field = own.receptive_field.saturating_add(span - 1);
            let plain_receptive_field =
                own.plain_receptive_field.saturating_add(reach(field([conv.kernel, conv.dilation])));
            if conv.searched {
                let axes: Vec<usize> = axes.iter().map(|n| n.div_ceil(graph.stride(id))).collect();
                let output = [&[conv.channels[1]], &axes[..]].concat();
                let drawn = Conv {
                    output: output.iter().map(usize::to_string).collect::<Vec<_>>().join(" × "),
                    params: thousands(conv.params(k, graph.dims())),
                    multiply_adds: thousands(multiply_adds(&conv, k, &axes)),
                    layer: layer + 1,
                    kernel_size: k,
                    dilation: d,
                    channels: conv.channels,
                    stride: conv.stride,
                    field: field([k, d]),
                    span,
                    receptive_field,
                    plain_receptive_field,
                    svg: taps(graph.dims(), [k, d], largest),
                };
                convs.push((id, drawn));
            }
            own = ReceptiveField { jump: own.jump.saturating_mul(conv.stride), receptive_field, plain_receptive_field };
        }
        if let Operation::MaxPool(pool) = node.operation {
            let reach = (pool.kernel - 1).saturating_mul(own.jump);
            own.receptive_field = own.receptive_field.saturating_add(reach);
            own.plain_receptive_field = own.plain_receptive_field.saturating_add(reach);
            own.jump = own.jump.saturating_mul(pool.stride);
        }
        if let (Operation::Resize, Some(like)) = (&node.operation, node.inputs.get(1)) {
            own.jump = seen[like.0].jump;
        }
        seen.push(own);
    }
    let mut convs = convs.into_iter().peekable();
    let mut blocks = Vec::new();
    for block in graph.blocks() {
        let mut inside = Vec::new();
        while let Some((_, conv)) = convs.next_if(|(id, _)| block.nodes.contains(&id.0)) {
            inside.push(conv);
        }
        let Some(last) = inside.last() else { continue };
        let end = NodeId(*block.nodes.end());
        let title = if block.branches {
            format!("Block {}", graph.channels(end))
        } else {
            format!("Conv {}", last.channels[1])
        };
        blocks.push(Block { title, residual: joined(graph, &block), convs: inside });
    }
    blocks
}

/// The multiply-adds of a convolution for one sample, whose output has these axes.
fn multiply_adds(conv: &Convolution, k: usize, axes: &[usize]) -> u64 {
    let positions = axes.iter().fold(1, |product: u64, &n| product.saturating_mul(n as u64));
    let taps = (k as u64).saturating_pow(axes.len() as u32);
    conv.channel_pairs().saturating_mul(taps).saturating_mul(positions)
}

/// The multiply-adds of all convolutions and of the linear map for one sample.
pub fn all_multiply_adds(graph: &Graph, kernels: &[[usize; 2]], axes: &[usize]) -> u64 {
    let of = |(id, node): (NodeId, &dashnas_nn::graph::node::Node)| {
        let axes: Vec<usize> = axes.iter().map(|n| n.div_ceil(graph.stride(id))).collect();
        match &node.operation {
            Operation::Conv(conv) => {
                let searched = kernels.get(graph.index(id)).filter(|_| conv.searched);
                multiply_adds(conv, searched.map_or(conv.kernel, |kernel| kernel[0]), &axes)
            }
            Operation::Linear { channels: [features, outputs] } => {
                let positions = if graph.is_dense() { axes.iter().product::<usize>() } else { 1 };
                (features * outputs * positions) as u64
            }
            _ => 0,
        }
    };
    graph.nodes().map(of).fold(0, u64::saturating_add)
}

/// The receptive field of a node in the network's input.
#[derive(Debug, Clone, Copy)]
struct ReceptiveField {
    /// The distance between neighboring positions in points of the input.
    jump: usize,
    /// The points of the input that a position depends on.
    receptive_field: usize,
    /// The same in the plain network.
    plain_receptive_field: usize,
}

impl ReceptiveField {
    const POINT: ReceptiveField = ReceptiveField { jump: 1, receptive_field: 1, plain_receptive_field: 1 };

    fn most(self, other: ReceptiveField) -> ReceptiveField {
        ReceptiveField {
            jump: self.jump.max(other.jump),
            receptive_field: self.receptive_field.max(other.receptive_field),
            plain_receptive_field: self.plain_receptive_field.max(other.plain_receptive_field),
        }
    }
}

/// The other branches of a block at the point where its branches meet, such as `+ input`.
fn joined(graph: &Graph, block: &graph::Block) -> String {
    if !block.branches {
        return String::new();
    }
    let end = graph.node(NodeId(*block.nodes.end()));
    let sign = if end.operation == Operation::Concat { "," } else { "+" };
    let other = |&input: &NodeId| format!("{sign} {}", branch(graph, block, input));
    end.inputs.iter().skip(1).map(other).collect::<Vec<_>>().join(" ")
}

/// The name of the branch of a block that ends in a node.
fn branch(graph: &Graph, block: &graph::Block, end: NodeId) -> &'static str {
    let (mut at, mut name) = (end, "input");
    while at != block.entry {
        let node = graph.node(at);
        match node.operation {
            Operation::Conv(conv) if conv.is_pointwise() => name = "1×1",
            Operation::Conv(_) | Operation::Sum | Operation::Concat => return "branch",
            _ => {}
        }
        at = node.inputs[0];
    }
    name
}

/// Draws the taps of a kernel within the extent of the largest kernel, a square or a line.
fn taps(dims: usize, [k, d]: [usize; 2], largest: usize) -> String {
    const SIDE: f64 = 84.0;
    let point = SIDE / largest.max(1) as f64;
    let field = (k - 1) * d + 1;
    let (from, size) = ((largest - field) as f64 / 2.0 * point, field as f64 * point);
    let height = if dims == 1 { 22.0 } else { SIDE };
    let mut out = open(&format!("Kernel of size {k} and dilation {d}"), [SIDE + 2.0, height + 2.0]);
    let (y0, frame) = if dims == 1 { (0.0, height) } else { (from, size) };
    put(
        &mut out,
        format_args!(
            r#"<rect class="reach" x="{:.2}" y="{:.2}" width="{size:.2}" height="{frame:.2}" rx="2"/>"#,
            1.0 + from,
            1.0 + y0
        ),
    );
    // Dots of at least a visible size; neighbors may touch but not overlap much.
    let r = (point * 0.44).clamp(1.1, if dims == 1 { 4.0 } else { 6.0 });
    let rows: Vec<f64> =
        if dims == 1 { vec![height / 2.0] } else { (0..k).map(|i| from + ((i * d) as f64 + 0.5) * point).collect() };
    let mut path = String::new();
    for y in &rows {
        for i in 0..k {
            let x = from + ((i * d) as f64 + 0.5) * point;
            put(&mut path, format_args!("M{:.1} {:.1}h0", 1.0 + x, 1.0 + y));
        }
    }
    put(&mut out, format_args!(r#"<path class="taps" style="stroke-width:{:.2}" d="{path}"/>"#, 2.0 * r));
    out + "</svg>"
}

/// Draws the receptive field of each layer, beside that in the plain network, on a logarithmic scale of input points.
pub fn receptive_fields(blocks: &[Block], input: usize) -> Option<String> {
    let convs: Vec<&Conv> = blocks.iter().flat_map(|b| &b.convs).collect();
    let most = convs.iter().map(|c| c.receptive_field.max(c.plain_receptive_field)).max()?.max(input) as f64;
    let (left, right, row) = (26.0, 360.0, 22.0);
    let x = |v: usize| left + (right - left) * (v.max(1) as f64).ln() / most.max(2.0).ln();
    let height = convs.len() as f64 * row;
    let mut out = open("Receptive field of each layer on the input's scale", [400.0, height + 44.0]);
    let mut tick = 1;
    while tick as f64 <= most {
        put(
            &mut out,
            format_args!(
                r#"<path class="grid" d="M{0:.1} 18V{1:.0}"/><text x="{0:.1}" y="{2:.0}" text-anchor="middle">{tick}</text>"#,
                x(tick),
                height + 18.0,
                height + 34.0
            ),
        );
        tick *= if most > 300.0 { 10 } else { 4 };
    }
    for (i, c) in convs.iter().enumerate() {
        let y = 18.0 + i as f64 * row;
        put(&mut out, format_args!(r#"<text x="20" y="{:.0}" text-anchor="end">{}</text>"#, y + 15.0, c.layer));
        put(
            &mut out,
            format_args!(
                r#"<rect style="fill:var(--s0);opacity:.35" x="{left}" y="{:.0}" width="{:.1}" height="10" rx="2"><title>layer {}: receptive field of {} points</title></rect>"#,
                y + 3.0,
                (x(c.receptive_field) - left).max(1.0),
                c.layer,
                c.receptive_field
            ),
        );
        put(
            &mut out,
            format_args!(
                r#"<rect style="fill:var(--s0)" x="{left}" y="{:.0}" width="{:.1}" height="10" rx="2"><title>its own kernel: {} points</title></rect>"#,
                y + 3.0,
                (x(c.span) - left).max(1.0),
                c.span
            ),
        );
        put(
            &mut out,
            format_args!(
                r#"<rect style="fill:var(--s1)" x="{left}" y="{:.0}" width="{:.1}" height="4" rx="1"><title>plain network: {} points</title></rect>"#,
                y + 14.0,
                (x(c.plain_receptive_field) - left).max(1.0),
                c.plain_receptive_field
            ),
        );
        put(
            &mut out,
            format_args!(
                r#"<text x="{:.1}" y="{:.0}">{}</text>"#,
                x(c.receptive_field) + 4.0,
                y + 12.0,
                c.receptive_field
            ),
        );
    }
    let at = x(input);
    put(
        &mut out,
        format_args!(
            r#"<path class="mark" d="M{at:.1} 14V{:.0}"/><text class="title" x="{at:.1}" y="11" text-anchor="middle">the whole input, {input}</text>"#,
            height + 18.0
        ),
    );
    Some(out + "</svg>")
}
