//! Parameters on their way out and in: PyTorch's names, shapes and order of axes, and every refusal.

use convscope::nn::{Network, NetworkSpec};
use convscope::tensor::Tensor;
use convscope::zoo;
use serde_json::{Map, json};

#[test]
fn parameters_leave_and_return_in_pytorch_layout() {
    let spec = json!({ "name": "t", "input": [2, 3, 3], "classes": 5, "nodes": [
        { "id": "c", "kind": "conv2d", "out_channels": 4, "kernel": 2 },
        { "id": "n", "kind": "batch_norm2d" }, { "kind": "flatten" },
        { "id": "d", "kind": "dense", "units": 5 } ] });
    let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
    let (parameters, statistics) = network.initial(7);
    let all = network.export(&parameters, &statistics).unwrap();
    let shapes: Vec<(&str, Vec<usize>)> = all
        .iter()
        .map(|(name, tensor)| (name.as_str(), tensor.shape().dims().to_vec()))
        .collect();
    let expected = [
        ("c.weight", vec![4, 2, 2, 2]),
        ("c.bias", vec![4]),
        ("n.weight", vec![4]),
        ("n.bias", vec![4]),
        ("d.weight", vec![5, 16]),
        ("d.bias", vec![5]),
        ("n.running_mean", vec![4]),
        ("n.running_var", vec![4]),
    ];
    assert_eq!(shapes, expected);
    // HWIO (1, 0, 1, 2) inside is OIHW (2, 1, 1, 0) outside.
    let inside = 22;
    let outside = ((2 * 2 + 1) * 2 + 1) * 2;
    assert_eq!(all[0].1.to_vec()[outside], parameters[inside]);

    let mut other = network.initial(8);
    network.import(&all, &mut other.0, &mut other.1).unwrap();
    assert_eq!(other, (parameters.clone(), statistics));

    let bad = |name: &str, shape: &[usize], value: f32| {
        let tensor = Tensor::from_fn(shape, |_| value);
        let (mut p, mut s) = network.initial(7);
        let error = network
            .import(&[(name.to_owned(), tensor)], &mut p, &mut s)
            .unwrap_err();
        assert_eq!(p, parameters, "nothing changes");
        error.to_string()
    };
    let refusals = [
        (
            bad("d.weight", &[16, 5], 0.0),
            "d.weight: expected shape [5, 16], found [16, 5]",
        ),
        (
            bad("c.bias", &[4], f32::NAN),
            "c.bias: expected finite numbers, found NaN",
        ),
        (
            bad("e.bias", &[4], 0.0),
            "unknown parameter \"e.bias\"; known: c.weight, c.bias, n.weight, n.bias, d.weight, \
             d.bias, n.running_mean, n.running_var",
        ),
    ];
    for (found, expected) in refusals {
        assert_eq!(found, expected);
    }
}

#[test]
fn connections_that_the_table_lacks_stay_zero() {
    let spec = zoo::spec("lenet5-1998", &Map::new(), [1, 28, 28], 10).unwrap();
    let network = Network::new(&spec).unwrap();
    let (mut parameters, mut statistics) = network.initial(1);
    let all = network.export(&parameters, &statistics).unwrap();
    let (_, c3) = all.iter().find(|(name, _)| name == "c3.weight").unwrap();
    let zeros = c3.array().iter().filter(|value| **value == 0.0).count();
    assert_eq!(zeros, 2_400 - 1_500);
    let full = vec![(
        "c3.weight".to_owned(),
        Tensor::from_fn([16, 6, 5, 5], |_| 0.1),
    )];
    let error = network.import(&full, &mut parameters, &mut statistics);
    assert_eq!(
        error.unwrap_err().to_string(),
        "c3.weight: expected 0 where the table has no connection, found 0.1"
    );
}

/// Filters over slices (as PyTorch's `Conv3d`) and over the elements of a group have an axis of their own for them.
#[test]
fn filters_over_slices_and_groups_leave_and_return_with_an_axis_for_them() {
    let conv3d = json!({ "id": "c", "kind": "conv3d", "out_channels": 4, "depth": 3, "kernel_depth": 2, "kernel": 3 });
    let p4 =
        |kind: &str, id: &str| json!({ "id": id, "kind": kind, "out_channels": 4, "kernel": 3 });
    // Nodes, input, slices that a filter sees and maps in each.
    let rows = [
        (vec![conv3d], [6, 5, 5], 2, 2),
        (
            vec![p4("p4_lifting_conv2d", "l"), p4("p4_conv2d", "c")],
            [1, 7, 7],
            4,
            4,
        ),
    ];
    for (mut nodes, input, slices, maps) in rows {
        nodes.push(json!({ "kind": "flatten" }));
        nodes.push(json!({ "kind": "dense", "units": 2 }));
        let spec = json!({ "name": "t", "input": input, "classes": 2, "nodes": nodes });
        let network = Network::new(&NetworkSpec::from_json(&spec.to_string()).unwrap()).unwrap();
        let (parameters, statistics) = network.initial(7);
        let all = network.export(&parameters, &statistics).unwrap();
        let (_, weight) = all.iter().find(|(name, _)| name == "c.weight").unwrap();
        assert_eq!(weight.shape().dims(), [4, maps, slices, 3, 3]);
        let inside = network.parameters.iter().find(|one| one.name == "c.weight");
        let first = inside.unwrap().offset;
        let outside = weight.to_vec();
        // Row 2, column 1, the last slice but one, map 1, filter 3.
        let (slice, map, filter) = (slices - 2, 1, 3);
        let at = ((2 * 3 + 1) * slices * maps + slice * maps + map) * 4 + filter;
        let out = (((filter * maps + map) * slices + slice) * 3 + 2) * 3 + 1;
        assert_eq!(outside[out], parameters[first + at]);

        let mut other = network.initial(8);
        network.import(&all, &mut other.0, &mut other.1).unwrap();
        assert_eq!(other, (parameters, statistics));
    }
}
