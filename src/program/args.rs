//! What the CPU twin of a kernel is called with: its bindings as slices, and memory to work in that
//! outlives the call, so that running a program allocates nothing.

/// Most bindings of one dispatch: twice the storage buffers that WebGPU guarantees.
pub const MAX_BINDINGS: usize = 16;

/// The buffers of one dispatch as its CPU twin sees them, in binding order.
#[derive(Debug)]
pub struct Args<'a> {
    reads: &'a [&'a [u32]],
    writes: &'a mut [&'a mut [u32]],
    scratch: &'a mut Scratch,
}

impl<'a> Args<'a> {
    /// The read bindings, the written ones, and memory to work in.
    pub fn new(
        reads: &'a [&'a [u32]],
        writes: &'a mut [&'a mut [u32]],
        scratch: &'a mut Scratch,
    ) -> Self {
        Self {
            reads,
            writes,
            scratch,
        }
    }

    /// Read binding `index` as floats. The lifetime is the buffer's, so that a written binding can
    /// be borrowed beside it.
    pub fn read(&self, index: usize) -> &'a [f32] {
        bytemuck::cast_slice(self.reads[index])
    }

    /// Read binding `index` as words.
    pub fn read_words(&self, index: usize) -> &'a [u32] {
        self.reads[index]
    }

    /// Takes the read bindings from `index` on away.
    pub(super) fn split_reads(&mut self, index: usize) -> &'a [&'a [u32]] {
        let (reads, rest) = self.reads.split_at(index);
        self.reads = reads;
        rest
    }

    /// Written binding `index` (counted from the first written one) as floats.
    pub fn write(&mut self, index: usize) -> &mut [f32] {
        bytemuck::cast_slice_mut(self.writes[index])
    }

    /// Written binding `index` as words.
    pub fn write_words(&mut self, index: usize) -> &mut [u32] {
        self.writes[index]
    }

    /// The first `N` written bindings as floats, at once.
    ///
    /// # Panics
    /// When there are fewer.
    pub fn write_all<const N: usize>(&mut self) -> [&mut [f32]; N] {
        let mut writes = self.writes.iter_mut();
        std::array::from_fn(|index| match writes.next() {
            Some(words) => bytemuck::cast_slice_mut(words),
            None => panic!("written binding {index} of a kernel that has fewer"),
        })
    }

    /// Written binding `index` as floats, and beside it scratch memory of these sizes.
    pub fn write_with_scratch<const N: usize>(
        &mut self,
        index: usize,
        sizes: [usize; N],
    ) -> (&mut [f32], [&mut [f32]; N]) {
        let write = bytemuck::cast_slice_mut(self.writes[index]);
        (write, self.scratch.take(sizes))
    }

    /// Written binding `index` as words, and beside it scratch memory of these sizes.
    pub fn write_words_with_scratch<const N: usize>(
        &mut self,
        index: usize,
        sizes: [usize; N],
    ) -> (&mut [u32], [&mut [f32]; N]) {
        (self.writes[index], self.scratch.take(sizes))
    }
}

/// Memory that twins work in, one after another. It grows to the largest request and stays.
#[derive(Debug, Default)]
pub struct Scratch {
    floats: Vec<f32>,
}

impl Scratch {
    /// Slices of these sizes side by side, holding whatever the last user left there.
    pub fn take<const N: usize>(&mut self, sizes: [usize; N]) -> [&mut [f32]; N] {
        let needed = sizes.iter().sum();
        if self.floats.len() < needed {
            self.floats.resize(needed, 0.0);
        }
        let mut rest = self.floats.as_mut_slice();
        sizes.map(|size| {
            let (slice, after) = std::mem::take(&mut rest).split_at_mut(size);
            rest = after;
            slice
        })
    }
}
