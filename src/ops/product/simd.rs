//! Which vector instructions the products use: in WebAssembly those it is compiled with; natively
//! those that the CPU turns out to have, found and switched on by the crate `pulp`, since this crate
//! has no `unsafe`.

/// Columns of the widest block.
pub(super) const WIDEST: usize = if cfg!(target_arch = "x86_64") { 32 } else { 8 };

/// Work that is compiled once per set of instructions. Everything on the way to the inner loops has to
/// be inlined (`#[inline(always)]`), or it is compiled without them.
pub(in super::super) trait Job {
    /// What it gives.
    type Output;

    /// Does it with blocks of `N` columns, multiplications `FUSED` with additions or not.
    fn run<const N: usize, const FUSED: bool>(self) -> Self::Output;
}

/// Does `job` with the widest instructions there are, for a product with `columns` columns.
#[cfg(target_arch = "x86_64")]
pub(in super::super) fn on_widest<J: Job>(columns: usize, job: J) -> J::Output {
    use pulp::x86::{V3, V4};
    if let Some(v4) = V4::try_new() {
        return match columns {
            ..=8 => v4.vectorize(Fused::<J, 8>(job)),
            9..=16 => v4.vectorize(Fused::<J, 16>(job)),
            _ => v4.vectorize(Fused::<J, WIDEST>(job)),
        };
    }
    if let Some(v3) = V3::try_new() {
        return match columns {
            ..=8 => v3.vectorize(Fused::<J, 8>(job)),
            _ => v3.vectorize(Fused::<J, 16>(job)),
        };
    }
    job.run::<8, false>()
}

/// Does `job` with the instructions that the target always has.
#[cfg(not(target_arch = "x86_64"))]
pub(in super::super) fn on_widest<J: Job>(_: usize, job: J) -> J::Output {
    // NEON always fuses; simd128 never does.
    job.run::<8, { cfg!(target_arch = "aarch64") }>()
}

/// A job as pulp takes it.
#[cfg(target_arch = "x86_64")]
struct Fused<J, const N: usize>(J);

#[cfg(target_arch = "x86_64")]
impl<J: Job, const N: usize> pulp::NullaryFnOnce for Fused<J, N> {
    type Output = J::Output;

    #[inline(always)]
    fn call(self) -> J::Output {
        self.0.run::<N, true>()
    }
}
