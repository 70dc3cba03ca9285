//! Times convscope beside burn 0.21, natively, on the same Vulkan adapter, in interleaved rounds: the same network from
//! the same weights on the same batch, by the same momentum SGD. Losses must agree before anything is timed.
//!
//! ```text
//! cd benches/burn
//! VK_DRIVER_FILES=/usr/lib/chromium/vk_swiftshader_icd.json cargo run --release
//! ```

#[path = "../../common/mod.rs"]
#[expect(dead_code, reason = "some of it is for the other benchmarks")]
mod common;

use std::time::Instant;

use burn::backend::wgpu::WgpuDevice;
use burn::backend::{Autodiff, Vulkan};
use burn::module::{AutodiffModule, Module, Param};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::loss::CrossEntropyLoss;
use burn::nn::pool::MaxPool2dConfig;
use burn::nn::{Linear, LinearConfig, PaddingConfig2d};
use burn::optim::adaptor::OptimizerAdaptor;
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, Optimizer, Sgd, SgdConfig};
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend as BurnBackend;
use burn::tensor::{Int, Tensor, TensorData};
use convscope::backend::Backend as _;
use convscope::backend::gpu::Gpu;
use convscope::data::Dataset;
use convscope::train::Session;
use pollster::block_on;

use common::Outcome;

type Device = Autodiff<Vulkan>;

/// Rounds of which the median is taken, and seconds of each.
const ROUNDS: usize = 5;
const SLICE: f64 = 2.0;

/// Losses that must agree, and how closely.
const COMPARED: usize = 5;
const AGREEMENT: f32 = 1e-3;

const RATE: f64 = 0.01;

/// Network, dataset, batch, padding of each convolution, and whether a pooling follows it.
const RUNS: [(&str, &str, usize, &[(usize, bool)]); 2] = [
    ("lenet5", "pen-digits", 64, &[(2, true), (0, true)]),
    (
        "vgg",
        "shapes",
        32,
        &[(1, false), (1, true), (1, false), (1, true), (1, false), (1, true)],
    ),
];

/// A chain of convolutions and dense layers, with rectifiers between.
#[derive(Module, Debug)]
struct Chain<B: BurnBackend> {
    convolutions: Vec<Conv2d<B>>,
    dense: Vec<Linear<B>>,
}

impl<B: BurnBackend> Chain<B> {
    fn forward(&self, mut x: Tensor<B, 4>, layers: &[(usize, bool)]) -> Tensor<B, 2> {
        for (convolution, (_, pools)) in self.convolutions.iter().zip(layers) {
            x = relu(convolution.forward(x));
            if *pools {
                let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
                x = pool.forward(x);
            }
        }
        let mut x: Tensor<B, 2> = x.flatten(1, 3);
        for (index, dense) in self.dense.iter().enumerate() {
            x = dense.forward(x);
            if index + 1 < self.dense.len() {
                x = relu(x);
            }
        }
        x
    }
}

/// burn's side of one workload.
struct Burn {
    chain: Chain<Device>,
    optimizer: OptimizerAdaptor<Sgd<Vulkan>, Chain<Device>, Device>,
    x: Tensor<Device, 4>,
    y: Tensor<Device, 1, Int>,
    layers: &'static [(usize, bool)],
}

impl Burn {
    fn new(session: &Session<Gpu>, dataset: &Dataset, layers: &'static [(usize, bool)]) -> Outcome<Self> {
        let device = WgpuDevice::default();
        let mut chain = Chain {
            convolutions: Vec::new(),
            dense: Vec::new(),
        };
        let parameters = block_on(session.parameters())?;
        for pair in parameters.chunks(2) {
            let [(_, weight), (_, bias)] = pair else {
                return Err("expected a bias for each weight".into());
            };
            let data = |tensor: &convscope::tensor::Tensor| {
                TensorData::new(tensor.to_vec(), tensor.shape().dims().to_vec())
            };
            let bias = Tensor::<Device, 1>::from_data(data(bias), &device);
            let bias = Some(Param::from_tensor(bias));
            match *weight.shape().dims() {
                [out, inputs, height, width] => {
                    let (padding, _) = layers[chain.convolutions.len()];
                    let padding = PaddingConfig2d::Explicit(padding, padding, padding, padding);
                    let mut layer = Conv2dConfig::new([inputs, out], [height, width])
                        .with_padding(padding)
                        .init(&device);
                    layer.weight = Param::from_tensor(Tensor::from_data(data(weight), &device));
                    layer.bias = bias;
                    chain.convolutions.push(layer);
                }
                [out, inputs] => {
                    let mut layer = LinearConfig::new(inputs, out).init(&device);
                    let weight = Tensor::<Device, 2>::from_data(data(weight), &device);
                    layer.weight = Param::from_tensor(weight.transpose());
                    layer.bias = bias;
                    chain.dense.push(layer);
                }
                _ => return Err(format!("expected filters or a matrix, found {weight:?}").into()),
            }
        }
        let split = &dataset.train;
        let (mean, deviation) = dataset.statistics();
        let [c, h, w] = session.network().spec.input;
        let (mut images, mut labels) = (Vec::new(), Vec::new());
        for index in 0..split.len() {
            let image = split.image(index)?;
            let pixels = image.to_vec();
            let pixels = pixels.iter().enumerate();
            images.extend(pixels.map(|(i, x)| (x - mean[i / (h * w)]) / deviation[i / (h * w)]));
            labels.push(split.label(index)? as i64);
        }
        let momentum = MomentumConfig::new()
            .with_momentum(0.9)
            .with_dampening(0.0)
            .with_nesterov(false);
        Ok(Self {
            chain,
            optimizer: SgdConfig::new().with_momentum(Some(momentum)).init(),
            x: Tensor::from_data(TensorData::new(images, [labels.len(), c, h, w]), &device),
            y: Tensor::from_data(TensorData::new(labels.clone(), [labels.len()]), &device),
            layers,
        })
    }

    /// Trains, and reads the loss of the last step.
    fn steps(&mut self, n: u32) -> f32 {
        let device = self.x.device();
        let mut last = None;
        for _ in 0..n {
            let logits = self.chain.forward(self.x.clone(), self.layers);
            let loss = CrossEntropyLoss::new(None, &device).forward(logits, self.y.clone());
            let gradients = GradientsParams::from_grads(loss.backward(), &self.chain);
            let chain = self.chain.clone();
            self.chain = self.optimizer.step(RATE, chain, gradients);
            last = Some(loss);
        }
        last.map_or(f32::NAN, |loss| loss.into_scalar())
    }
}

/// Trains convscope so many steps; the loss of the last.
fn steps(session: &mut Session<Gpu>, n: u32) -> Outcome<f32> {
    let mut metrics = block_on(session.advance(n))?;
    metrics.extend(block_on(session.drain())?);
    Ok(metrics.last().map_or(f32::NAN, |metrics| metrics.loss))
}

fn main() -> Outcome<()> {
    let gpu = block_on(Gpu::new(None))?;
    println!("convscope on {}", gpu.adapter().name);
    println!("| work | batch | convscope images/s | burn images/s | ratio | losses differ by |");
    println!("|---|---:|---:|---:|---:|---:|");
    for (name, dataset, batch, layers) in RUNS {
        // A step trains on all images that there are.
        let dataset = common::images(dataset, batch)?;
        let (mut session, plan) = common::planned_on(&gpu, name, dataset.clone(), batch)?;
        let mut burn = Burn::new(&session, &dataset, layers)?;
        block_on(session.prepare(&plan))?;
        let mut difference = 0.0_f32;
        for _ in 0..COMPARED {
            let (ours, theirs) = (steps(&mut session, 1)?, burn.steps(1));
            difference = difference.max((ours - theirs).abs());
        }
        if difference.is_nan() || difference > AGREEMENT {
            return Err(format!("{name}: the losses differ by {difference}").into());
        }
        let mut rates = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            rates[0].push(rate(batch, |n| steps(&mut session, n))?);
            rates[1].push(rate(batch, |n| Ok(burn.steps(n)))?);
        }
        let [ours, theirs] = rates.map(median);
        println!(
            "| {name} | {batch} | {ours:.0} | {theirs:.1} | {:.1} | {difference:.1e} |",
            ours / theirs
        );
    }
    Ok(())
}

/// Images per second over about [`SLICE`].
fn rate(batch: usize, mut run: impl FnMut(u32) -> Outcome<f32>) -> Outcome<f64> {
    let mut timed = |n: u32| -> Outcome<f64> {
        let start = Instant::now();
        run(n)?;
        Ok(start.elapsed().as_secs_f64())
    };
    let once = timed(1)?;
    let n = (SLICE / once).clamp(1.0, 1000.0) as u32;
    Ok(batch as f64 * f64::from(n) / timed(n)?)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}
