//! Complex signals in memory.

/// The location of complex signals, 16 lanes each: element `i` lies at `re + i·stride` and `im + i·stride`.
#[derive(Clone, Copy)]
pub struct SignalView {
    /// The first real part.
    pub re: *mut f32,
    /// The first imaginary part.
    pub im: *mut f32,
    /// The number of floats from one element to the next.
    pub stride: usize,
}

impl SignalView {
    /// Elements of `W` real parts followed by `W` imaginary parts.
    pub fn packed<const W: usize>(p: *mut f32) -> Self {
        // `wrapping_add` leaves the validity of the address to the user of the view.
        Self { re: p, im: p.wrapping_add(W), stride: 2 * W }
    }
    /// The same signals with real and imaginary parts exchanged.
    pub fn swapped(self) -> Self {
        Self { re: self.im, im: self.re, stride: self.stride }
    }
}
