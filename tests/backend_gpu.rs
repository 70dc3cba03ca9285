//! The GPU backend on every Vulkan adapter of this machine, with a hand-written program: what it
//! computes equals the CPU backend, a steady state creates nothing, and what cannot work is an error
//! that says why.

mod common;

use convscope::backend::any::Any;
use convscope::backend::cpu::Cpu;
use convscope::backend::gpu::Gpu;
use convscope::backend::{Backend, Counters, Part};
use convscope::error::{Cause, Result};
use convscope::program::{
    Access, Args, BufferDecl, BufferId, Contents, Dispatch, Join, Kernel, Program, View,
};
use pollster::block_on;

use common::adapters;

const N: usize = 100;

const GUARD: &str = "
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let i = id.x;
    if i >= ELEMENTS { return; }
";

/// Floats as device words.
fn words(floats: &[f32]) -> Vec<u32> {
    floats.iter().map(|x| x.to_bits()).collect()
}

/// `y = 2 x + b`.
fn scale() -> Kernel {
    let source = format!(
        "@group(0) @binding(0) var<storage, read> x: array<f32>;
         @group(0) @binding(1) var<storage, read> b: array<f32>;
         @group(0) @binding(2) var<storage, read_write> y: array<f32>;
         {GUARD} y[i] = 2.0 * x[i] + b[i]; }}"
    );
    let twin = |args: &mut Args<'_>| {
        let (x, b) = (args.read(0), args.read(1));
        for (i, y) in args.write(0).iter_mut().enumerate() {
            *y = 2.0 * x[i] + b[i];
        }
    };
    Kernel::linear("scale", &source, &[("ELEMENTS", N)], 2, N, twin)
}

/// `state += y`, in place.
fn accumulate() -> Kernel {
    let source = format!(
        "@group(0) @binding(0) var<storage, read> y: array<f32>;
         @group(0) @binding(1) var<storage, read_write> state: array<f32>;
         {GUARD} state[i] += y[i]; }}"
    );
    let twin = |args: &mut Args<'_>| {
        let y = args.read(0);
        for (state, y) in args.write(0).iter_mut().zip(y) {
            *state += y;
        }
    };
    let mut kernel = Kernel::linear("accumulate", &source, &[("ELEMENTS", N)], 1, N, twin);
    kernel.accesses[1] = Access::ReadWrite;
    kernel
}

/// `state[64..164] += 2 state0 + bias`, where `y` is the second part of a scratch buffer: views with
/// offsets on both sides.
fn program() -> Program {
    let decl = |label: &str, words, contents| BufferDecl {
        label: label.into(),
        words,
        contents,
    };
    let view = |buffer, offset| View {
        buffer: BufferId(buffer),
        offset,
        words: N,
    };
    let bias: Vec<f32> = (0..N).map(|i| i as f32 * 0.25).collect();
    let external = |name: &str| Contents::External(name.into());
    Program {
        label: "two kernels".into(),
        buffers: vec![
            decl("x", N, external("x")),
            decl("bias", N, Contents::Constant(words(&bias).into())),
            decl("scratch", 128 + N, Contents::Scratch),
            decl("state", 64 + N, external("state")),
        ],
        kernels: vec![scale(), accumulate()],
        dispatches: vec![
            Dispatch {
                kernel: 0,
                bindings: vec![view(0, 0), view(1, 0), view(2, 128)],
                join: Join::Apart,
            },
            Dispatch {
                kernel: 1,
                bindings: vec![view(2, 128), view(3, 64)],
                join: Join::Apart,
            },
        ],
    }
}

struct Setup<B: Backend> {
    state: B::Buffer,
    prepared: B::Prepared,
}

fn set_up<B: Backend>(backend: &B) -> Result<Setup<B>> {
    let x = backend.allocate("x", N)?;
    let state = backend.allocate("state", 64 + N)?;
    let floats: Vec<f32> = (0..N).map(|i| (i as f32).sin()).collect();
    backend.upload(&x, 0, &words(&floats))?;
    let find = |name: &str| match name {
        "x" => Some(x.clone()),
        "state" => Some(state.clone()),
        _ => None,
    };
    let prepared = block_on(backend.prepare(&program(), &find))?;
    Ok(Setup { state, prepared })
}

/// The state after three runs in one submission.
fn three_runs<B: Backend>(backend: &B) -> Result<Vec<f32>> {
    let setup = set_up(backend)?;
    backend.run(&setup.prepared, 3)?;
    let read = block_on(backend.read(&setup.state, 0, 64 + N))?;
    Ok(read.into_iter().map(f32::from_bits).collect())
}

#[test]
fn a_program_gives_what_the_cpu_backend_gives() {
    let expected = three_runs(&Cpu::new()).expect("the CPU backend runs");
    assert_eq!(
        expected[..64],
        [0.0; 64],
        "the state before the view is untouched"
    );
    for gpu in adapters() {
        let found = three_runs(&gpu).expect("the GPU backend runs");
        for (i, (found, expected)) in found.iter().zip(&expected).enumerate() {
            let bound = 1e-5 * (1.0 + expected.abs());
            assert!((found - expected).abs() <= bound, "{i}: {found} {expected}");
        }
    }
}

/// Reads parts of two buffers at once.
fn reads_parts(backend: &impl Backend) -> Result<()> {
    let numbers = backend.allocate("numbers", 20)?;
    backend.upload(&numbers, 0, &(0..20).collect::<Vec<_>>())?;
    let squares = backend.allocate("squares", 20)?;
    backend.upload(&squares, 0, &(0..20).map(|i| i * i).collect::<Vec<_>>())?;
    let part = |buffer, offset, words| Part {
        buffer,
        offset,
        words,
    };
    let found = block_on(backend.read_parts(&[
        part(&squares, 3, 2),
        part(&numbers, 18, 2),
        part(&numbers, 20, 0),
        part(&squares, 0, 2),
    ]))?;
    assert_eq!(found, [9, 16, 18, 19, 0, 1]);
    assert!(block_on(backend.read_parts(&[]))?.is_empty());
    let beyond = [part(&numbers, 0, 20), part(&squares, 19, 2)];
    let refused = block_on(backend.read_parts(&beyond)).expect_err("the second part ends outside");
    let expected = "read: expected at most 20 words, found ";
    assert!(refused.to_string().starts_with(expected), "{refused}");
    Ok(())
}

#[test]
fn parts_of_buffers_are_read_at_once() {
    reads_parts(&Cpu::new()).unwrap();
    reads_parts(&Any::Cpu(Cpu::new())).unwrap();
    for gpu in adapters() {
        reads_parts(&gpu).unwrap();
        reads_parts(&Any::Gpu(gpu)).unwrap();
    }
}

#[test]
fn what_is_uploaded_is_read_back_from_any_offset() {
    for gpu in adapters() {
        let buffer = gpu.allocate("words", 300_000).unwrap();
        let zeros = block_on(gpu.read(&buffer, 299_990, 10)).unwrap();
        assert_eq!(zeros, [0; 10], "fresh memory is zero");
        let data: Vec<u32> = (0..299_000_u64).map(|i| (i * i % 65_521) as u32).collect();
        gpu.upload(&buffer, 1000, &data).unwrap();
        // The copy is ordered before the second upload, although it is awaited after it.
        let first = gpu.read(&buffer, 1000, data.len());
        gpu.upload(&buffer, 1000, &[7; 3]).unwrap();
        let second = gpu.read(&buffer, 1001, 3);
        assert_eq!(block_on(first).unwrap(), data);
        assert_eq!(block_on(second).unwrap(), [7, 7, data[3]]);
        assert!(block_on(gpu.read(&buffer, 5, 0)).unwrap().is_empty());

        assert!(gpu.upload(&buffer, 299_999, &[1, 2]).is_err());
        assert!(block_on(gpu.read(&buffer, usize::MAX, 2)).is_err());
        let sentence = block_on(gpu.read(&buffer, 300_000, 1)).unwrap_err();
        let expected = "read: expected at most 300000 words, found 1 words from word 300000 on";
        assert_eq!(sentence.to_string(), expected);
    }
}

#[test]
fn a_steady_state_creates_nothing() {
    for gpu in adapters() {
        let setup = set_up(&gpu).unwrap();
        let step = || {
            gpu.run(&setup.prepared, 2).unwrap();
            block_on(gpu.read(&setup.state, 64, 4)).unwrap();
        };
        step();
        let warm = gpu.counters();
        assert!(warm.buffers_created >= 5 && warm.bind_groups_created == 2);
        for _ in 0..10 {
            step();
        }
        let expected = Counters {
            dispatches: 40,
            submits: 20,
            readbacks: 10,
            gpu_bytes: warm.gpu_bytes,
            ..Counters::default()
        };
        assert_eq!(gpu.counters(), expected);
        // A second program of the same kernels compiles nothing, but has its own bind groups.
        let second = set_up(&gpu).unwrap();
        assert!(gpu.counters().gpu_bytes > warm.gpu_bytes);
        drop(second);
        assert_eq!(gpu.counters().gpu_bytes, warm.gpu_bytes);
        drop(setup);
        assert_eq!(
            gpu.counters().gpu_bytes,
            256,
            "only the staging buffer is left"
        );
    }
}

#[test]
fn a_read_that_is_given_up_frees_its_buffer() {
    for gpu in adapters() {
        let buffer = gpu.allocate("words", 64).unwrap();
        drop(gpu.read(&buffer, 0, 64));
        assert_eq!(gpu.counters().gpu_bytes, 256);
        assert_eq!(block_on(gpu.read(&buffer, 0, 2)).unwrap(), [0, 0]);
    }
}

#[test]
fn a_missing_or_small_outside_buffer_is_an_error() {
    for gpu in adapters() {
        let missing = block_on(gpu.prepare(&program(), &|_| None)).unwrap_err();
        let expected = "two kernels: expected an outside buffer \"x\", found none";
        assert_eq!(missing.to_string(), expected);
        let small = gpu.allocate("small", 3).unwrap();
        let found = block_on(gpu.prepare(&program(), &|_| Some(small.clone()))).unwrap_err();
        assert!(found.to_string().starts_with("x: expected"), "{found}");
    }
}

#[test]
fn a_buffer_beyond_the_limit_is_an_error() {
    for gpu in adapters() {
        let words = (gpu.max_buffer_bytes() / 4 + 1) as usize;
        let found = gpu.allocate("everything", words).unwrap_err();
        assert!(matches!(found.cause(), Cause::Memory { .. }), "{found}");
        let sentence = found.to_string();
        assert!(sentence.starts_with("everything: needs"), "{sentence}");
    }
}

#[test]
fn a_broken_kernel_is_an_error_that_names_it() {
    for gpu in adapters() {
        let x = gpu.allocate("x", 64 + N).unwrap();
        let mut broken = program();
        broken.kernels[1].wgsl = "fn main() -> nothing {".into();
        let prepare = |program: &Program| {
            let find = |_: &str| Some(x.clone());
            block_on(gpu.prepare(program, &find)).map(|_| ())
        };
        for _ in 0..2 {
            let sentence = prepare(&broken).unwrap_err().to_string();
            let head = "webgpu backend: kernel accumulate: ";
            assert!(sentence.starts_with(head), "{sentence}");
        }
        prepare(&program()).expect("the device is as good as before");
    }
}

#[test]
fn a_lost_device_is_an_error() {
    for gpu in adapters() {
        let setup = set_up(&gpu).unwrap();
        gpu.run(&setup.prepared, 1).unwrap();
        gpu.device().destroy();
        let outcome = gpu
            .run(&setup.prepared, 1)
            .and_then(|()| block_on(gpu.read(&setup.state, 0, 1)).map(|_| ()))
            .and_then(|()| gpu.run(&setup.prepared, 1));
        let sentence = outcome.unwrap_err().to_string();
        assert!(sentence.starts_with("webgpu backend: "), "{sentence}");
    }
}

#[test]
fn an_unknown_adapter_is_an_error() {
    let found = block_on(Gpu::new(Some("no such adapter"))).unwrap_err();
    assert!(
        found.to_string().starts_with("webgpu backend: no "),
        "{found}"
    );
}
