//! Instruction sets, and the selection of one.

use std::sync::OnceLock;

/// An instruction set for which the kernels are compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isa {
    /// Portable code, vectorized by the compiler for the baseline of the target.
    Scalar,
    /// 256-bit vectors with fused multiply-add.
    Avx2,
    /// 512-bit vectors.
    Avx512,
}

impl Isa {
    /// All instruction sets, the narrowest first.
    pub const ALL: &'static [Isa] = &[Isa::Scalar, Isa::Avx2, Isa::Avx512];

    /// The environment variable that forces an instruction set.
    pub(crate) const VARIABLE: &'static str = "AGGCONV_ISA";

    /// The name under which it is selected.
    pub fn name(self) -> &'static str {
        match self {
            Isa::Scalar => "scalar",
            Isa::Avx2 => "avx2",
            Isa::Avx512 => "avx512",
        }
    }

    /// Whether this processor supports it.
    pub fn available(self) -> bool {
        match self {
            Isa::Scalar => true,
            #[cfg(target_arch = "x86_64")]
            Isa::Avx2 => is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma"),
            #[cfg(target_arch = "x86_64")]
            Isa::Avx512 => {
                is_x86_feature_detected!("avx512f")
                    && is_x86_feature_detected!("avx512vl")
                    && is_x86_feature_detected!("avx512dq")
                    && is_x86_feature_detected!("fma")
            }
            #[cfg(not(target_arch = "x86_64"))]
            _ => false,
        }
    }

    /// The instruction set in use: the best available one, or the one that the environment variable `AGGCONV_ISA`
    /// (`scalar`, `avx2`, `avx512`) names if the processor supports it. The variable is read once.
    pub fn current() -> Isa {
        static CURRENT: OnceLock<Isa> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = || Isa::ALL.iter().copied().filter(|isa| isa.available());
            let asked = std::env::var(Self::VARIABLE).ok();
            let asked = asked.and_then(|name| available().find(|isa| isa.name() == name));
            asked.or(available().next_back()).unwrap_or(Isa::Scalar)
        })
    }
}
