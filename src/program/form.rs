//! The two forms of a kernel. On a GPU threads want to share what they load; on a software adapter every barrier
//! is a loss, and each thread keeps to itself (`performance.md`, section 0.3). A kernel that has only one
//! form runs in it everywhere.

use std::sync::Arc;

use super::Kernel;

/// What kernels are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Adapters that run on the CPU.
    Software,
    /// Graphics processors.
    Gpu,
}

/// A kernel's form for GPUs: the same work on the same bindings, by threads that share workgroup memory.
#[derive(Debug, Clone)]
pub struct Tiled {
    /// The stem of its `.wgsl` file.
    pub name: &'static str,
    /// Complete WGSL that ends with the identity tail. Its only workgroup memory is called `pool`.
    pub wgsl: Arc<str>,
    /// Workgroups per dimension.
    pub workgroups: [u32; 3],
}

/// Neighboring elements of a binding that each workgroup shares with no other, in the order of workgroups: all that it
/// writes, or all that it reads of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// Which binding.
    pub binding: usize,
    /// Elements of a workgroup.
    pub elements: usize,
}

impl Kernel {
    /// The same kernel with a form for GPUs.
    #[must_use]
    pub fn with_tiled(mut self, tiled: Option<Tiled>) -> Self {
        self.tiled = tiled;
        self
    }

    /// The same kernel, of which each workgroup of the form for software adapters has `run` to itself.
    #[must_use]
    pub fn with_run(mut self, run: Option<Run>) -> Self {
        self.run = run;
        self
    }

    /// How many of its workgroups follow each other within each of `before`, both in the form for software adapters.
    pub fn repeats_within(&self, before: &Self) -> u32 {
        let count = |kernel: &Self| kernel.workgroups.iter().product::<u32>();
        count(self).div_ceil(count(before))
    }

    /// Name, text and workgroups of the form for `family`.
    pub fn form(&self, family: Family) -> (&'static str, &Arc<str>, [u32; 3]) {
        match &self.tiled {
            Some(tiled) if family == Family::Gpu => (tiled.name, &tiled.wgsl, tiled.workgroups),
            _ => (self.name, &self.wgsl, self.workgroups),
        }
    }
}
