//! Direct convolution of groups of channels, and its input gradient.

use super::FlatLayout;
use super::product::PackedProduct;
use crate::ConvGeometry;
use crate::kernels::scratch::Scratch;
use crate::kernels::simd::Isa;
use rayon::prelude::*;

/// Computes `y = conv(x, w) + bias`.
pub fn forward(g: &ConvGeometry, x: &[f32], w: &[f32], bias: Option<&[f32]>, y: &mut [f32]) {
    let isa = Isa::current();
    let flat = FlatLayout::new(g);
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let (phases, taps) = (flat.phases.len(), flat.taps.len());
    let offsets: Vec<isize> = (0..ci)
        .flat_map(|c| flat.taps.iter().map(move |t| (c, t)))
        .map(|(c, t)| ((c * phases + t.phase) * flat.len + flat.margin) as isize + t.shift)
        .collect();
    let weight = |o: usize, k: usize| w[(o * ci + k / taps) * all + flat.taps[k % taps].index];
    let products: Vec<_> = (0..g.groups)
        .into_par_iter()
        .map(|i| PackedProduct::new(isa, co, offsets.clone(), |m, k| weight(i * co + m, k)))
        .collect();
    y.par_chunks_mut(g.c_out * out_plane).zip(x.par_chunks(g.c_in * plane)).for_each(|(y, x)| {
        let mut planes = Scratch::take(ci * phases * flat.len);
        let mut out = Scratch::take(co * flat.span);
        for (i, product) in products.iter().enumerate() {
            for (j, p) in planes.chunks_exact_mut(flat.len).enumerate() {
                flat.pack_input(j % phases, &x[(i * ci + j / phases) * plane..][..plane], p);
            }
            product.run(isa, &flat, &planes, &mut out);
            for (m, out) in out.chunks_exact(flat.span).enumerate() {
                let o = i * co + m;
                flat.unpack_output(out, bias.map_or(0.0, |b| b[o]), &mut y[o * out_plane..][..out_plane]);
            }
        }
    });
}

/// Computes the gradient of the input from the gradient of the output.
pub fn input_gradient(g: &ConvGeometry, flat: &FlatLayout, w: &[f32], dy: &[f32], dx: &mut [f32]) {
    let isa = Isa::current();
    let (ci, co, all) = (g.c_in_per_group(), g.c_out_per_group(), g.taps.len());
    let (plane, out_plane) = (g.input[0] * g.input[1], flat.size[0] * flat.size[1]);
    let phases = flat.phases.len();
    // Each phase of the input is reached by taps of its own.
    let products: Vec<_> = (0..g.groups * phases)
        .into_par_iter()
        .map(|i| {
            let (group, phase) = (i / phases, i % phases);
            let taps: Vec<_> = flat.taps.iter().filter(|t| t.phase == phase).collect();
            let offsets = (0..co)
                .flat_map(|o| taps.iter().map(move |t| (o, t)))
                .map(|(o, t)| (o * flat.len + flat.margin) as isize - t.shift)
                .collect();
            PackedProduct::new(isa, ci, offsets, |c, k| {
                let o = group * co + k / taps.len();
                w[(o * ci + c) * all + taps[k % taps.len()].index]
            })
        })
        .collect();
    dx.par_chunks_mut(g.c_in * plane).zip(dy.par_chunks(g.c_out * out_plane)).for_each(|(dx, dy)| {
        let mut planes = Scratch::take(co * flat.len);
        let mut out = Scratch::take(ci * flat.span);
        if phases < g.stride[0] * g.stride[1] {
            dx.fill(0.0); // for phases that no tap reads
        }
        for (i, product) in products.iter().enumerate() {
            let (group, phase) = (i / phases, i % phases);
            if phase == 0 {
                for (o, p) in planes.chunks_exact_mut(flat.len).enumerate() {
                    flat.pack_output(&dy[(group * co + o) * out_plane..][..out_plane], p);
                }
            }
            product.run(isa, flat, &planes, &mut out);
            for (c, out) in out.chunks_exact(flat.span).enumerate() {
                flat.unpack_input(phase, out, &mut dx[(group * ci + c) * plane..][..plane]);
            }
        }
    });
}
