//! The parameters that golden files are made with, the same as generate.py computes.

use convscope::nn::Network;
use convscope::tensor::Tensor;

use crate::hashed::hashed;

/// The parameters, as `initial` of the generator.
pub(crate) fn initial(network: &Network, vector: f32) -> (Vec<f32>, Vec<f32>) {
    let (mut parameters, mut statistics) = network.initial(0);
    let mut named = network.export(&parameters, &statistics).unwrap();
    for (index, (name, tensor)) in named.iter_mut().enumerate() {
        let shape = tensor.shape();
        let noise = hashed(index as u64 + 1, shape.elements());
        // The zeros that the network itself begins with mark the connections C3 does not have.
        let own = tensor.to_vec();
        let fan_in: usize = shape.dims()[1..].iter().product();
        let limit = (6.0 / fan_in as f64).sqrt() as f32;
        let (_, kind) = name.rsplit_once('.').unwrap();
        *tensor = Tensor::from_fn(shape.clone(), |i| match kind {
            "weight" if name == "c3.weight" && own[i] == 0.0 => 0.0,
            _ if shape.rank() > 1 => noise[i] * limit,
            "weight" => vector * (1.0 + 0.25 * noise[i]),
            "running_var" => 1.0 + 0.25 * noise[i],
            _ => 0.1 * noise[i],
        });
    }
    network
        .import(&named, &mut parameters, &mut statistics)
        .unwrap();
    (parameters, statistics)
}
