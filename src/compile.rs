//! Graph to [`Program`]: which nodes run, where each value lives, and which dispatches result. Pure:
//! the same graph always gives the same program.
//!
//! Reshapes and views cost nothing, packs place their inputs where they belong, and values whose
//! lives do not overlap share memory (`memory`). Nodes run as if in the order in which they were added, so
//! an op that mutates state is seen by what comes after it and by nothing before; what does not meet goes to
//! the device together (`launches`).

mod fuse;
mod launches;
mod memory;
mod packs;
mod parts;

use std::collections::BTreeMap;
use std::sync::Arc;

use litemap::LiteMap;

use crate::error::{Error, Result};
use crate::graph::{Call, Graph, Lowering, Origin, Slot, Value, ValueId};
use crate::ops::Segment;
use crate::program::{
    Access, BufferDecl, BufferId, Contents, Dispatch, Join, Kernel, Program, Stage, View,
};
use crate::tensor::Spec;

use fuse::Chain;
use memory::Life;
use parts::Waiting;

/// A program and where its outputs will be after each run.
#[derive(Debug, Clone)]
pub struct Compiled {
    /// What to run.
    pub program: Program,
    /// One view per output asked for, in the same order. They stay valid between runs.
    pub outputs: Vec<View>,
}

/// Compiles what `outputs` need, together with every state update of `graph`.
///
/// # Errors
/// When one dispatch would have to read and write the same buffer.
pub fn compile(graph: &Graph, label: &str, outputs: &[ValueId]) -> Result<Compiled> {
    let live = live_values(graph, outputs);
    let mut compiler = Compiler::new(graph, label, &live);
    compiler.planned = packs::plan(graph, &compiler.lowered);
    compiler.plan_sums(outputs);
    compiler.chains = fuse::chains(graph, &compiler.lowered, outputs);
    for node in compiler.chains.values().flat_map(|chain| &chain.nodes) {
        compiler.lowered[node.0] = None;
    }
    let waits =
        |(&head, chain): (&ValueId, &Chain)| (chain.after > head).then_some((chain.after, head));
    let waiting: Vec<(ValueId, ValueId)> = compiler.chains.iter().filter_map(waits).collect();
    for (index, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        let id = ValueId(index);
        if !waiting.iter().any(|(_, head)| *head == id) {
            compiler.emit(id)?;
        }
        for (_, head) in waiting.iter().filter(|(after, _)| *after == id) {
            compiler.emit(*head)?;
        }
    }
    compiler.finish(outputs)
}

/// Which values have to be there: the outputs, all mutations, and what they depend on.
fn live_values(graph: &Graph, outputs: &[ValueId]) -> Vec<bool> {
    let mut live = vec![false; graph.values().len()];
    for output in outputs {
        live[output.0] = true;
    }
    for (index, value) in graph.values().iter().enumerate().rev() {
        let Origin::Node { op, inputs } = &value.origin else {
            continue;
        };
        live[index] |= !op.mutates().is_empty();
        if live[index] {
            inputs.iter().for_each(|input| live[input.0] = true);
        }
    }
    live
}

/// Memory before it is assigned to a buffer of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Root {
    /// A declared buffer of the program: outside or constant.
    Fixed(usize),
    /// A temporary that the compiler may lay over others.
    Temporary(usize),
}

/// Where a value lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    root: Root,
    offset: usize,
}

struct Compiler<'a> {
    graph: &'a Graph,
    program: Program,
    /// Of every live node.
    lowered: Vec<Option<Lowering>>,
    /// Elementwise nodes by the node whose kernel carries them.
    chains: LiteMap<ValueId, Chain>,
    /// The only values that ever have a place are those that some kernel stores.
    places: LiteMap<ValueId, Place>,
    /// Producers that are to write straight into a pack: where.
    planned: LiteMap<ValueId, (ValueId, usize)>,
    /// Sums that their packs finish.
    waiting: LiteMap<ValueId, Waiting>,
    /// The temporary with the parts of each pack's sums.
    parts: LiteMap<ValueId, Place>,
    /// Sums whose parts are there, by pack.
    ready: LiteMap<ValueId, Vec<Segment>>,
    constants: LiteMap<Arc<[u32]>, usize>,
    temporaries: Vec<Life>,
    kernels: LiteMap<(Arc<str>, [u32; 3]), usize>,
    /// Bindings of each dispatch, before temporaries have buffers.
    bindings: Vec<Vec<(Place, usize)>>,
}

impl<'a> Compiler<'a> {
    fn new(graph: &'a Graph, label: &str, live: &[bool]) -> Self {
        let lower = |(value, live): (&Value, &bool)| match &value.origin {
            Origin::Node { op, inputs } if *live => {
                let specs: Vec<Spec> = inputs.iter().map(|&id| graph.spec(id).clone()).collect();
                Some(op.lower(&specs, &value.spec))
            }
            _ => None,
        };
        Self {
            graph,
            lowered: graph.values().iter().zip(live).map(lower).collect(),
            chains: LiteMap::new(),
            program: Program {
                label: label.to_owned(),
                ..Program::default()
            },
            places: LiteMap::new(),
            planned: LiteMap::new(),
            waiting: LiteMap::new(),
            parts: LiteMap::new(),
            ready: LiteMap::new(),
            constants: LiteMap::new(),
            temporaries: Vec::new(),
            kernels: LiteMap::new(),
            bindings: Vec::new(),
        }
    }

    fn emit(&mut self, id: ValueId) -> Result<()> {
        let value = self.graph.value(id);
        let words = value.spec.shape.elements().max(1);
        let place = match &value.origin {
            Origin::External(name) => self.fixed(name, words, Contents::External(name.clone())),
            Origin::Constant(data) => self.constant(data, words),
            Origin::Node { op, inputs } => {
                let specs: Vec<Spec> = inputs.iter().map(|&i| self.graph.spec(i).clone()).collect();
                // Each live node is lowered once and emitted once.
                match self.lowered[id.0].take() {
                    // Carried by an earlier kernel.
                    None => return Ok(()),
                    Some(Lowering::Alias { offset }) => {
                        let base = self.places[&inputs[0]];
                        Place {
                            root: base.root,
                            offset: base.offset + offset,
                        }
                    }
                    Some(Lowering::Pack { offsets }) => {
                        self.emit_pack(id, inputs, &offsets, words)?
                    }
                    Some(Lowering::Map) => {
                        let kernel = Kernel::map(op.name(), value.spec.shape.elements());
                        let bindings = vec![Slot::Input(0), Slot::Output];
                        let stage = op.stage(0, &specs);
                        let stage = stage.expect("an op that lowers to a map has a stage");
                        let calls = vec![Call { kernel, bindings }];
                        return self.emit_kernels(id, &[], calls, Some(stage));
                    }
                    Some(Lowering::Kernels { scratch, calls }) => {
                        return self.emit_kernels(id, &scratch, calls, None);
                    }
                    Some(lowering @ Lowering::Parts { .. }) => {
                        return self.emit_parts(id, inputs, lowering);
                    }
                }
            }
        };
        self.places.insert(id, place);
        Ok(())
    }

    fn fixed(&mut self, label: &str, words: usize, contents: Contents) -> Place {
        self.program.buffers.push(BufferDecl {
            label: label.to_owned(),
            words,
            contents,
        });
        Place {
            root: Root::Fixed(self.program.buffers.len() - 1),
            offset: 0,
        }
    }

    fn constant(&mut self, data: &Arc<[u32]>, words: usize) -> Place {
        if let Some(&index) = self.constants.get(data) {
            let root = Root::Fixed(index);
            return Place { root, offset: 0 };
        }
        let index = self.program.buffers.len();
        self.constants.insert(data.clone(), index);
        self.fixed("constant", words, Contents::Constant(data.clone()))
    }

    fn temporary(&mut self, words: usize) -> Place {
        self.temporaries.push(Life::new(words));
        Place {
            root: Root::Temporary(self.temporaries.len() - 1),
            offset: 0,
        }
    }

    fn keep(&mut self, place: Place) {
        if let Root::Temporary(index) = place.root {
            self.temporaries[index].keep = true;
        }
    }

    /// Emits the kernels of node `id`; the last carries its own `stage`, if it is elementwise, and its
    /// chain, if there is one, whose end then is what was computed.
    fn emit_kernels(
        &mut self,
        id: ValueId,
        scratch: &[usize],
        mut calls: Vec<Call>,
        stage: Option<Stage>,
    ) -> Result<()> {
        let Origin::Node { op, inputs } = &self.graph.value(id).origin else {
            unreachable!("only nodes have kernels")
        };
        let chain = self.chains.remove(&id);
        let end = chain.as_ref().map_or(id, |chain| chain.end);
        let mut read = inputs.clone();
        let mut stages: Vec<Stage> = stage.into_iter().collect();
        // A map's own operands come first.
        let first = if stages.is_empty() { inputs.len() } else { 1 };
        if let Some(chain) = chain {
            read.extend(chain.operands);
            stages.extend(chain.stages);
        }
        if let Some(last) = calls.last_mut().filter(|_| !stages.is_empty()) {
            let tailed = last.kernel.with_tail(&stages, self.graph.shape(id).last());
            // `fuse` adds stages only where the kernel ends with the identity and has room.
            last.kernel = tailed.expect("the kernel carries its stages");
            last.bindings.extend((first..read.len()).map(Slot::Input));
        }
        let operands = self.operands(&read);
        let n_words = self.words(end);
        let output = match op.mutates().first() {
            Some(&state) => operands[state].0,
            None => self.output_place(end, n_words, &operands),
        };
        let scratch: Vec<(Place, usize)> = scratch
            .iter()
            .map(|&words| (self.temporary(words.max(1)), words.max(1)))
            .collect();
        self.places.insert(end, output);
        self.calls(calls, &operands, (output, n_words), &scratch)
    }

    fn words(&self, id: ValueId) -> usize {
        self.graph.shape(id).elements().max(1)
    }

    fn operands(&self, ids: &[ValueId]) -> Vec<(Place, usize)> {
        ids.iter()
            .map(|&id| (self.places[&id], self.words(id)))
            .collect()
    }

    /// Dispatches `calls` with their slots filled in.
    fn calls(
        &mut self,
        calls: Vec<Call>,
        operands: &[(Place, usize)],
        output: (Place, usize),
        scratch: &[(Place, usize)],
    ) -> Result<()> {
        for Call { kernel, bindings } in calls {
            let bound = bindings.iter().map(|slot| match *slot {
                Slot::Input(index) => operands[index],
                Slot::Output => output,
                Slot::Scratch(index) => scratch[index],
            });
            self.dispatch(kernel, bound.collect())?;
        }
        Ok(())
    }

    fn dispatch(&mut self, kernel: Kernel, bindings: Vec<(Place, usize)>) -> Result<()> {
        let written = kernel.accesses.iter().zip(&bindings).enumerate();
        for (index, (access, (place, _))) in written {
            let same = |(other, (at, _)): (usize, &(Place, usize))| {
                other != index && at.root == place.root
            };
            if *access != Access::Read && bindings.iter().enumerate().any(same) {
                let expected = "each written buffer bound once";
                return Err(Error::mismatch(kernel.name, expected, "it is bound twice"));
            }
        }
        let kernels = &mut self.program.kernels;
        // Equal text means equal constants, hence an equal twin.
        let key = (kernel.wgsl.clone(), kernel.workgroups);
        let index = *self.kernels.entry(key).or_insert_with(|| {
            kernels.push(kernel);
            kernels.len() - 1
        });
        self.program.dispatches.push(Dispatch {
            kernel: index,
            bindings: Vec::new(),
            join: Join::Apart,
        });
        self.bindings.push(bindings);
        Ok(())
    }

    fn finish(mut self, outputs: &[ValueId]) -> Result<Compiled> {
        for output in outputs {
            self.keep(self.places[output]);
        }
        self.plan_launches();
        let first = self.program.buffers.len();
        let plan = memory::plan(&self.temporaries);
        for (index, words) in plan.buffers.iter().enumerate() {
            let label = format!("{} scratch {index}", self.program.label);
            let contents = Contents::Scratch;
            self.program.buffers.push(BufferDecl {
                label,
                words: *words,
                contents,
            });
        }
        let view = |(place, words): (Place, usize)| View {
            buffer: BufferId(match place.root {
                Root::Fixed(index) => index,
                Root::Temporary(index) => first + plan.assigned[index],
            }),
            offset: place.offset,
            words,
        };
        for (dispatch, bindings) in self.program.dispatches.iter_mut().zip(&self.bindings) {
            dispatch.bindings = bindings.iter().map(|&binding| view(binding)).collect();
        }
        let output = |id: &ValueId| view((self.places[id], self.graph.shape(*id).elements()));
        let outputs = outputs.iter().map(output).collect();
        Ok(Compiled {
            program: self.program,
            outputs,
        })
    }
}

/// How often each kernel is dispatched, by name: for the page and for benches.
pub fn kernel_census(program: &Program) -> BTreeMap<&'static str, usize> {
    let mut census = BTreeMap::new();
    for dispatch in &program.dispatches {
        *census
            .entry(program.kernels[dispatch.kernel].name)
            .or_insert(0) += 1;
    }
    census
}
