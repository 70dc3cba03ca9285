//! What ops that update states in place share: the kernel's bindings are its read inputs, then its
//! states.

use std::sync::Arc;

use crate::graph::{Call, Lowering, Slot};
use crate::program::{Access, Args, Kernel, Twin, linear_workgroups, wgsl_with};

/// A kernel of one thread per element that reads `n_reads` bindings and updates `n_states` others.
pub(super) fn mutating_kernel(
    name: &'static str,
    source: &str,
    constants: &[(&str, usize)],
    [n_reads, n_states]: [usize; 2],
    threads: usize,
    twin: impl Fn(&mut Args<'_>) + Send + Sync + 'static,
) -> Kernel {
    updating(
        name,
        wgsl_with(constants, source),
        [n_reads, n_states],
        threads,
        Arc::new(twin),
    )
}

/// [`mutating_kernel`] from complete WGSL.
fn updating(
    name: &'static str,
    wgsl: Arc<str>,
    [n_reads, n_states]: [usize; 2],
    threads: usize,
    twin: Twin,
) -> Kernel {
    let mut accesses = vec![Access::Read; n_reads];
    accesses.resize(n_reads + n_states, Access::ReadWrite);
    Kernel {
        name,
        wgsl,
        accesses,
        workgroups: linear_workgroups(threads),
        tiled: None,
        run: None,
        twin,
    }
}

/// The one call of `kernel` that reads the inputs `reads` and updates the inputs `states`.
pub(super) fn mutating_lowering(kernel: Kernel, reads: &[usize], states: &[usize]) -> Lowering {
    let bindings = reads.iter().chain(states).map(|&i| Slot::Input(i));
    Lowering::Kernels {
        scratch: Vec::new(),
        calls: vec![Call {
            kernel,
            bindings: bindings.collect(),
        }],
    }
}
