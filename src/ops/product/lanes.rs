//! `N` floats side by side, in as many vector registers as they need.
//!
//! In WebAssembly these are `simd128` values by name. As arrays the compiler would vectorize them too,
//! but it then regroups additions and moves, and the browser's register allocator, which takes
//! instructions as they come, sends the operands through memory; measured, that costs a third of the
//! speed. The native compiler does its own scheduling, and arrays leave it the choice of registers.

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::{f32x4_add, f32x4_mul, f32x4_splat, v128};

/// `N` floats.
#[cfg(target_arch = "wasm32")]
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes<const N: usize>([v128; 2]);

#[cfg(target_arch = "wasm32")]
impl<const N: usize> Lanes<N> {
    #[inline(always)]
    pub(super) fn zero() -> Self {
        Self([f32x4_splat(0.0); 2])
    }

    #[inline(always)]
    pub(super) fn load(floats: &[f32; N]) -> Self {
        const { assert!(N == 8, "two vectors of four floats") };
        let vector = |i: usize| [floats[i], floats[i + 1], floats[i + 2], floats[i + 3]];
        Self([bytemuck::cast(vector(0)), bytemuck::cast(vector(4))])
    }

    #[inline(always)]
    pub(super) fn store(self, floats: &mut [f32; N]) {
        let (to_low, to_high) = floats.split_at_mut(4);
        let [low, high] = self.0;
        to_low.copy_from_slice(&bytemuck::cast::<v128, [f32; 4]>(low));
        to_high.copy_from_slice(&bytemuck::cast::<v128, [f32; 4]>(high));
    }

    #[inline(always)]
    pub(super) fn plus(self, other: Self) -> Self {
        let ([low, high], [other_low, other_high]) = (self.0, other.0);
        Self([f32x4_add(low, other_low), f32x4_add(high, other_high)])
    }

    /// `self + a b` in each lane.
    #[inline(always)]
    pub(super) fn plus_product<const FUSED: bool>(self, a: f32, b: Self) -> Self {
        let (a, [low, high]) = (f32x4_splat(a), b.0);
        self.plus(Self([f32x4_mul(a, low), f32x4_mul(a, high)]))
    }
}

/// `N` floats.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug, Clone, Copy)]
pub(super) struct Lanes<const N: usize>([f32; N]);

#[cfg(not(target_arch = "wasm32"))]
impl<const N: usize> Lanes<N> {
    #[inline(always)]
    pub(super) fn zero() -> Self {
        Self([0.0; N])
    }

    #[inline(always)]
    pub(super) fn load(floats: &[f32; N]) -> Self {
        Self(*floats)
    }

    #[inline(always)]
    pub(super) fn store(self, floats: &mut [f32; N]) {
        *floats = self.0;
    }

    #[inline(always)]
    pub(super) fn plus(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a += b);
        self
    }

    /// `self + a b` in each lane, rounded once where `FUSED`.
    #[inline(always)]
    pub(super) fn plus_product<const FUSED: bool>(mut self, a: f32, b: Self) -> Self {
        for (sum, b) in self.0.iter_mut().zip(b.0) {
            *sum = if FUSED {
                a.mul_add(b, *sum)
            } else {
                *sum + a * b
            };
        }
        self
    }
}
