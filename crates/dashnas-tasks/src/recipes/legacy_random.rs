//! The random permutations of NumPy's `RandomState`, which is specified never to change. The published split of the ECG
//! recordings is drawn with it (`train_test_split(…, random_state=0)` of scikit-learn).

/// The Mersenne Twister MT19937 (Matsumoto and Nishimura 1998).
struct Twister {
    state: [u32; 624],
    next: usize,
}

impl Twister {
    fn new(seed: u32) -> Self {
        let mut state = [seed; 624];
        for i in 1..624 {
            let last = state[i - 1];
            state[i] = 1_812_433_253u32.wrapping_mul(last ^ (last >> 30)).wrapping_add(i as u32);
        }
        Self { state, next: 624 }
    }

    fn draw(&mut self) -> u32 {
        if self.next == 624 {
            for i in 0..624 {
                let y = (self.state[i] & 0x8000_0000) | (self.state[(i + 1) % 624] & 0x7fff_ffff);
                let odd = if y & 1 == 1 { 0x9908_b0df } else { 0 };
                self.state[i] = self.state[(i + 397) % 624] ^ (y >> 1) ^ odd;
            }
            self.next = 0;
        }
        let mut y = self.state[self.next];
        self.next += 1;
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c_5680;
        y ^= (y << 15) & 0xefc6_0000;
        y ^ (y >> 18)
    }

    /// A uniform draw from `0..=most`, by rejection.
    fn up_to(&mut self, most: u32) -> u32 {
        let mask = u32::MAX.checked_shr(most.leading_zeros()).unwrap_or(0);
        loop {
            let value = self.draw() & mask;
            if value <= most {
                return value;
            }
        }
    }
}

/// `numpy.random.RandomState(seed).permutation(n)`.
pub(super) fn permutation(seed: u32, n: usize) -> Vec<usize> {
    let mut twister = Twister::new(seed);
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        // Data sets have far fewer than 2³² records.
        order.swap(i, twister.up_to(i as u32) as usize);
    }
    order
}

/// `train_test_split(range(n), test_size=share, random_state=seed)` of scikit-learn: training and test indices, in its
/// order.
pub(super) fn train_test_split(seed: u32, n: usize, share: f64) -> (Vec<usize>, Vec<usize>) {
    let test = (share * n as f64).ceil() as usize;
    let order = permutation(seed, n);
    (order[test.min(n)..].to_vec(), order[..test.min(n)].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_is_the_published_one() {
        // The first outputs for the seed 5489, from the reference implementation; the 10 000th is the value
        // that the C++ standard asks of mt19937.
        let mut twister = Twister::new(5489);
        assert_eq!([twister.draw(), twister.draw(), twister.draw()], [3_499_211_612, 581_869_302, 3_890_346_734]);
        let last = (3..10_000).map(|_| twister.draw()).last();
        assert_eq!(last, Some(4_123_659_995));
    }

    #[test]
    fn the_permutation_is_numpys() {
        // numpy.random.RandomState(0).permutation(10)
        assert_eq!(permutation(0, 10), [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]);
        let (train, test) = train_test_split(0, 10, 0.1);
        assert_eq!((train, test), (vec![8, 4, 9, 1, 6, 7, 3, 0, 5], vec![2]));
    }
}
