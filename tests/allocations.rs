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
use convscope::data::{self, AUGMENTATIONS, AugmentationInfo};
use convscope::field::Values;
use convscope::nn::Network;
use convscope::train::{LOSSES, Loaded, OPTIMIZERS, Pick, Plan, SCHEDULES, Session};
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

/// Training with all that can be switched on.
fn everything(schedule: &str, loss: &str) -> Plan {
    let none = Map::new();
    let augmentation = |info: &AugmentationInfo| Pick::augmentation(info.id, &none).unwrap();
    Plan {
        schedule: Pick::schedule(schedule, &none).unwrap(),
        loss: Pick::loss(loss, &none).unwrap(),
        augmentations: AUGMENTATIONS.iter().map(augmentation).collect(),
        clipping: [1.0, 0.1],
        averaging: 0.99,
        until: Some(100),
        ..Plan::new(OPTIMIZERS[0].id, &none, 4).unwrap()
    }
}

/// The only test of this file: another thread's allocations would count, too.
#[test]
fn a_training_step_on_the_cpu_allocates_nothing() {
    let (mut complaints, mut seen) = (Vec::new(), Vec::new());
    for architecture in ARCHITECTURES.iter().filter(|one| !one.full) {
        let id = match architecture.input {
            [1, ..] => "pen-digits",
            _ => "shapes",
        };
        let options = json!({ "train": 100, "test": 100 });
        let dataset = data::generate(id, options.as_object().unwrap()).unwrap();
        let dataset_shape = dataset.shape;
        let values = Values::check(architecture.id, &(architecture.fields)(), &Map::new()).unwrap();
        let spec = (architecture.spec)(&values, dataset.shape, dataset.classes.len()).unwrap();
        let data = Rc::new(Loaded::new(&Cpu::new(), dataset).unwrap());
        let network = Network::new(&spec).unwrap();
        let mut session = Session::new(&Cpu::new(), data, network, 1).unwrap();
        let plain = |id| Plan::new(id, &Map::new(), 4).unwrap();
        // What no architecture changes is tried once for gray and once for color images.
        let is_first = !seen.contains(&dataset_shape[0]);
        seen.push(dataset_shape[0]);
        let mut plans = vec![plain("sgd"), plain("adam")];
        if is_first {
            plans.extend(OPTIMIZERS.iter().map(|info| plain(info.id)));
            let both = SCHEDULES.iter().zip(LOSSES);
            plans.extend(both.map(|(schedule, loss)| everything(schedule.id, loss.id)));
        }
        for plan in plans {
            block_on(session.prepare(&plan)).unwrap();
            // The first step brings the twins' scratch memory to its size.
            allocations(&mut session, 1);
            let (one, four) = (allocations(&mut session, 1), allocations(&mut session, 4));
            if one != four {
                complaints.push(format!(
                    "{} with {plan:?}: {one} allocations in one step, {four} in four",
                    architecture.id
                ));
            }
        }
    }
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
