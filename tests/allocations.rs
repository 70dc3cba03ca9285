//! Training on the CPU backend allocates nothing per step: a page without a GPU trains for minutes on
//! one thread, and every allocation would be paid there.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]
#![expect(unsafe_code, reason = "a global allocator is unsafe by its trait")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};

use convscope::backend::cpu::Cpu;
use convscope::data;
use convscope::field::Values;
use convscope::nn::Network;
use convscope::train::{Loaded, OPTIMIZERS, Plan, Session};
use convscope::zoo::ARCHITECTURES;
use pollster::block_on;
use serde_json::{Map, json};

/// The system's allocator, counting.
struct Counting;

static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is passed on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// Allocations during `steps` steps. Handing their metrics over takes some, however many they are.
fn allocations(session: &mut Session<Cpu>, steps: u32) -> usize {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    block_on(session.advance(steps)).unwrap();
    let during = ALLOCATIONS.load(Ordering::Relaxed) - before;
    block_on(session.drain()).unwrap();
    during
}

/// The only test of this file: another thread's allocations would count, too.
#[test]
fn a_training_step_on_the_cpu_allocates_nothing() {
    let mut complaints = Vec::new();
    // Every network with the first optimizer, and every optimizer with the first network.
    let offered = ARCHITECTURES.iter().filter(|one| !one.full);
    for (index, architecture) in offered.enumerate() {
        let id = match architecture.input {
            [1, ..] => "pen-digits",
            _ => "shapes",
        };
        let options = json!({ "train": 100, "test": 100 });
        let dataset = data::generate(id, options.as_object().unwrap()).unwrap();
        let values = Values::check(architecture.id, &(architecture.fields)(), &Map::new()).unwrap();
        let spec = (architecture.spec)(&values, dataset.shape, dataset.classes.len()).unwrap();
        let data = Rc::new(Loaded::new(&Cpu::new(), dataset).unwrap());
        let network = Network::new(&spec).unwrap();
        let mut session = Session::new(&Cpu::new(), data, network, 1).unwrap();
        for optimizer in &OPTIMIZERS[..if index == 0 { OPTIMIZERS.len() } else { 1 }] {
            let plan = Plan {
                optimizer: optimizer.id.into(),
                settings: Values::check(optimizer.id, &(optimizer.fields)(), &Map::new()).unwrap(),
                batch: 4,
            };
            block_on(session.prepare(&plan)).unwrap();
            // The first step brings the twins' scratch memory to its size.
            allocations(&mut session, 1);
            let (one, four) = (allocations(&mut session, 1), allocations(&mut session, 4));
            if one != four {
                complaints.push(format!(
                    "{} with {}: {one} allocations in one step, {four} in four",
                    architecture.id, optimizer.id
                ));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
