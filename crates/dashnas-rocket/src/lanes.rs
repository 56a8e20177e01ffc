//! Samples side by side: step `t` of 16 samples is one row of 16 numbers.
//!
//! Every transform shifts, adds and compares whole series. With a sample in each lane, all of this is done with vectors,
//! whatever the lengths, dilations and numbers of biases are, and each sample is computed in the order of its steps. A
//! result therefore depends neither on the width of the vectors nor on the other samples of its batch.

use std::sync::atomic::{Ordering, compiler_fence};

/// The instruction set of the loops: on x86-64, AVX2 where the processor has it. `pulp` compiles a loop a second time with
/// these instructions, without unsafe code on our side. Other processors have one instruction set, with vectors.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Vectors {
    #[cfg(target_arch = "x86_64")]
    wide: Option<pulp::x86::V3>,
}

impl Vectors {
    /// Determines the instruction set.
    pub fn detect() -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            wide: pulp::x86::V3::try_new(),
        }
    }

    /// Runs a loop. Functions that it calls are compiled for the same instructions only where they are inlined.
    #[inline(always)]
    pub fn run<R>(self, work: impl FnOnce() -> R) -> R {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            return wide.vectorize(work);
        }
        work()
    }
}

/// Is called once for each row of a loop over rows. It compiles to nothing, but keeps the compiler from vectorizing the loop
/// over the rows, which would gather the values of a lane one by one. The lanes of a row become vectors instead.
#[inline(always)]
pub(crate) fn each_row() {
    compiler_fence(Ordering::SeqCst);
}

/// The number of samples in a batch. A batch of fewer samples costs as much as a full one.
pub(crate) const LANES: usize = 16;

/// One step of the samples of a batch.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Row(pub [f32; LANES]);

/// A row of zeros.
pub(crate) const ZERO: Row = Row([0.0; LANES]);

/// The series of up to 16 samples with zeros before and after each channel.
#[derive(Debug)]
pub(crate) struct Batch {
    rows: Vec<Row>,
    length: usize,
    margin: usize,
}

impl Batch {
    /// Returns a batch of zeros. The margins of `length / 2` zeros hold every padding: a kernel of `k` steps with a
    /// dilation of `d` is only used if `(k − 1)·d < length`, and its padding is at most half of that.
    pub fn new(channels: usize, length: usize) -> Self {
        let margin = length / 2;
        Self { rows: vec![ZERO; channels * (length + 2 * margin)], length, margin }
    }

    /// Replaces the samples. Each is channels × steps; lanes without a sample become zero.
    pub fn load<'a>(&mut self, samples: impl Iterator<Item = &'a [f32]>) {
        let mut lanes = 0;
        for (lane, sample) in samples.take(LANES).enumerate() {
            self.fill(lane, |channel, step, length| sample[channel * length + step]);
            lanes = lane + 1;
        }
        for lane in lanes..LANES {
            self.fill(lane, |_, _, _| 0.0);
        }
    }

    fn fill(&mut self, lane: usize, value: impl Fn(usize, usize, usize) -> f32) {
        let (length, margin) = (self.length, self.margin);
        for (channel, rows) in self.rows.chunks_exact_mut(length + 2 * margin).enumerate() {
            for (step, row) in rows[margin..margin + length].iter_mut().enumerate() {
                row.0[lane] = value(channel, step, length);
            }
        }
    }

    /// Returns `length` steps of a channel that begin `offset` steps after the first one, or before it.
    #[inline(always)]
    pub fn shifted(&self, channel: usize, offset: isize, length: usize) -> &[Row] {
        let start = (channel * (self.length + 2 * self.margin) + self.margin).strict_add_signed(offset);
        &self.rows[start..start + length]
    }

    /// Replaces the values by three times those of another batch of the same shape.
    pub fn triple(&mut self, other: &Self) {
        for (to, from) in self.rows.iter_mut().zip(&other.rows) {
            for lane in 0..LANES {
                to.0[lane] = 3.0 * from.0[lane];
            }
        }
    }
}
