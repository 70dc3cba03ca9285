//! Elementwise work at the end of another kernel. A kernel that may carry such work stores every element
//! of its output as `y[i] = tail(i, channel, value)`, where `channel` leaves the same rest as `i` when divided by the
//! output's last extent (as `i` itself does), and ends with the [`IDENTITY`] tail; `with_tail` puts
//! stages in its place, so that a bias, a normalization, an activation or a residual sum costs
//! neither a dispatch nor a pass over memory. [`Kernel::map`] does nothing else.

use std::fmt;
use std::sync::Arc;

use super::{Access, Args, Kernel, MAX_BINDINGS, Tiled, linear_workgroups, wgsl_with};

/// What a stage does to all elements on the CPU: the values in place, then its operands.
type Apply = Arc<dyn Fn(&mut [f32], &[&[f32]]) + Send + Sync>;

/// An elementwise function of one value and of operands that are spread over the output.
#[derive(Clone)]
pub struct Stage {
    /// WGSL with `fn stage(v: f32, e0: f32, ...) -> f32`.
    pub source: &'static str,
    /// Numbers that `source` names, as unsigned integers.
    pub constants: Vec<(&'static str, usize)>,
    /// How each operand `[outer, inner]` is spread over the output seen as `[outer, reduce, inner]`.
    pub operands: Vec<[usize; 3]>,
    /// The same on the CPU.
    pub apply: Apply,
}

/// Floats that a short row of an operand is repeated to, so that loops over it are worth starting.
const REPEATED: usize = 128;

/// `v[o, r, i] = f(v[o, r, i], e[o, i])` for `[outer, reduce, inner]`.
fn spread(
    [outer, reduce, inner]: [usize; 3],
    values: &mut [f32],
    operand: &[f32],
    f: impl Fn(f32, f32) -> f32,
) {
    if outer * reduce * inner == 0 {
        return;
    }
    let repeats = (REPEATED / inner).clamp(1, reduce);
    let mut repeated = [0.0; REPEATED];
    let blocks = values.chunks_exact_mut(reduce * inner);
    for (values, mut row) in blocks.zip(operand.chunks_exact(inner)) {
        if repeats > 1 {
            let rows = repeated.chunks_exact_mut(inner).take(repeats);
            rows.for_each(|copy| copy.copy_from_slice(row));
            row = &repeated[..repeats * inner];
        }
        for values in values.chunks_mut(row.len()) {
            for (v, e) in values.iter_mut().zip(row) {
                *v = f(*v, *e);
            }
        }
    }
}

impl fmt::Debug for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stage")
            .field("operands", &self.operands)
            .finish_non_exhaustive()
    }
}

/// The tail that changes nothing.
pub const IDENTITY: &str =
    "\nfn tail(index: u32, channel: u32, value: f32) -> f32 {\n    return value;\n}\n";

/// Storage buffers that a kernel may bind under WebGPU's default limits.
pub const MOST_BINDINGS: usize = 8;

const MAP_SHADER: &str = crate::wgsl!("../../shaders/map.wgsl");

impl Stage {
    /// A stage of one value: `f` of each.
    pub fn unary(
        source: &'static str,
        constants: Vec<(&'static str, usize)>,
        f: impl Fn(f32) -> f32 + Send + Sync + 'static,
    ) -> Self {
        Self {
            source,
            constants,
            operands: Vec::new(),
            apply: Arc::new(move |values, _| values.iter_mut().for_each(|v| *v = f(*v))),
        }
    }

    /// A stage of one value and one operand, spread as `factors` = `[outer, reduce, inner]` say.
    pub fn binary(
        source: &'static str,
        constants: Vec<(&'static str, usize)>,
        factors: [usize; 3],
        f: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
    ) -> Self {
        let apply = move |values: &mut [f32], operands: &[&[f32]]| {
            spread(factors, values, operands[0], &f);
        };
        Self {
            source,
            constants,
            operands: vec![factors],
            apply: Arc::new(apply),
        }
    }

    /// A stage of one value and one operand of the output's own size.
    pub fn elementwise(
        source: &'static str,
        constants: Vec<(&'static str, usize)>,
        f: impl Fn(f32, f32) -> f32 + Send + Sync + 'static,
    ) -> Self {
        let apply = move |values: &mut [f32], operands: &[&[f32]]| {
            for (v, e) in values.iter_mut().zip(operands[0]) {
                *v = f(*v, *e);
            }
        };
        Self {
            source,
            constants,
            operands: vec![[1, 1, 1]],
            apply: Arc::new(apply),
        }
    }

    /// The stage's function under the name `stage{number}`, its constants in place.
    fn function(&self, number: usize) -> String {
        let mut text = String::new();
        for line in self.source.lines() {
            let mut line = line.replace("fn stage(", &format!("fn stage{number}("));
            // Comments keep the names.
            let constants = self.constants.iter().filter(|_| !line.starts_with("//"));
            for (name, value) in constants.collect::<Vec<_>>() {
                line = line.replace(name, &format!("{value}u"));
            }
            text.push_str(&line);
            text.push('\n');
        }
        text
    }
}

impl Kernel {
    /// [`Kernel::linear`] for a source that stores its output through `tail`.
    pub fn tailed(
        name: &'static str,
        source: &str,
        constants: &[(&str, usize)],
        n_reads: usize,
        threads: usize,
        twin: impl Fn(&mut Args<'_>) + Send + Sync + 'static,
    ) -> Self {
        let wgsl = tailed_wgsl(constants, source);
        Self::one_write(name, wgsl, n_reads, threads, Arc::new(twin))
    }

    /// One thread per four elements of an input of `elements`, each sent through the tail.
    pub fn map(name: &'static str, elements: usize) -> Self {
        Self {
            name,
            wgsl: wgsl_with(
                &[("ELEMENTS", elements)],
                &format!("{MAP_SHADER}{IDENTITY}"),
            ),
            accesses: vec![Access::Read, Access::Write],
            workgroups: linear_workgroups(elements.div_ceil(4)),
            tiled: None,
            run: None,
            twin: Arc::new(|args: &mut Args<'_>| {
                let x = args.read(0);
                args.write(0).copy_from_slice(x);
            }),
        }
    }

    /// The same kernel with `stages` in place of its identity tail; their operands are bound behind its
    /// own bindings. `channels` is the output's last extent. `None` where it has no such tail, or bindings do not suffice.
    pub fn with_tail(&self, stages: &[Stage], channels: usize) -> Option<Self> {
        let n_reads = |accesses: &[Access]| {
            let reads = accesses.iter().filter(|access| **access == Access::Read);
            reads.count()
        };
        let body = self.wgsl.strip_suffix(IDENTITY)?;
        let end = |body: &str, own| -> Arc<str> {
            format!("{body}\n{}", tail(stages, channels, own)).into()
        };
        let n_operands: usize = stages.iter().map(|stage| stage.operands.len()).sum();
        let own = self.accesses.len();
        if own + n_operands > MOST_BINDINGS {
            return None;
        }
        let mut accesses = self.accesses.clone();
        accesses.resize(own + n_operands, Access::Read);
        let tiled = match &self.tiled {
            Some(tiled) => Some(Tiled {
                wgsl: end(tiled.wgsl.strip_suffix(IDENTITY)?, own),
                ..*tiled
            }),
            None => None,
        };
        Some(Self {
            name: self.name,
            wgsl: end(body, own),
            tiled,
            run: self.run,
            twin: twin(self, stages.to_vec(), n_reads(&self.accesses)),
            accesses,
            workgroups: self.workgroups,
        })
    }
}

/// WGSL that ends with the identity tail.
fn tailed_wgsl(constants: &[(&str, usize)], source: &str) -> Arc<str> {
    wgsl_with(constants, &format!("{source}{IDENTITY}"))
}

/// The WGSL of a tail for an output of so many channels, whose operands are bound from `first` on.
fn tail(stages: &[Stage], channels: usize, first: usize) -> String {
    let mut bindings = String::new();
    let mut functions = String::new();
    let mut calls = String::new();
    let mut binding = first;
    for (number, stage) in stages.iter().enumerate() {
        let mut arguments = "v".to_owned();
        for &[outer, reduce, inner] in &stage.operands {
            let at = match (outer, reduce) {
                (_, 1) => "index".to_owned(),
                // Kernels know the channels of their elements, and the compiler sees which elements share one.
                (1, _) if channels.is_multiple_of(inner) => format!("channel % {inner}u"),
                (1, _) => format!("index % {inner}u"),
                _ => format!("index / {}u * {inner}u + index % {inner}u", reduce * inner),
            };
            bindings.push_str(&format!(
                "@group(0) @binding({binding}) var<storage, read> t{binding}: array<f32>;\n"
            ));
            arguments.push_str(&format!(", t{binding}[{at}]"));
            binding += 1;
        }
        functions.push_str(&stage.function(number));
        calls.push_str(&format!("    v = stage{number}({arguments});\n"));
    }
    format!(
        "{bindings}{functions}\nfn tail(index: u32, channel: u32, value: f32) -> f32 {{\n    var v = value;\n{calls}    \
         return v;\n}}\n"
    )
}

/// The kernel's own twin, then each stage over the whole output.
fn twin(kernel: &Kernel, stages: Vec<Stage>, n_reads: usize) -> super::Twin {
    let own = kernel.twin.clone();
    Arc::new(move |args: &mut Args<'_>| {
        let mut operands: [&[f32]; MAX_BINDINGS] = [&[]; MAX_BINDINGS];
        for (operand, words) in operands.iter_mut().zip(args.split_reads(n_reads)) {
            *operand = bytemuck::cast_slice(words);
        }
        own(args);
        let mut operands = operands.as_slice();
        for stage in &stages {
            let (own, rest) = operands.split_at(stage.operands.len());
            operands = rest;
            (stage.apply)(args.write(0), own);
        }
    })
}
