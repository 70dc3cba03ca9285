//! Features over training: a column for each state of the network that is far enough from the one before, the last
//! being the present one, and in it the image that excites the unit most, found here by looking at each.

use convscope::backend::cpu::Cpu;
use convscope::visualize::Picture;
use convscope::web::Lab;
use pollster::block_on;
use serde_json::json;

const IMAGES: usize = 100;

/// The tile in `row` and `column` of a mosaic of tiles of 28 x 28.
fn tile(picture: &Picture, row: usize, column: usize) -> Vec<f32> {
    let pixel = |y: usize, x: usize| picture.data[(row * 29 + y) * picture.width + column * 29 + x];
    (0..28 * 28).map(|i| pixel(i / 28, i % 28)).collect()
}

fn columns(picture: &Picture) -> usize {
    (picture.width + 1) / 29
}

#[test]
fn each_column_is_a_state_of_the_network_and_the_last_one_is_now() {
    let mut lab = block_on(Lab::new(Cpu::new(), None)).unwrap();
    let choice = json!({ "id": "pen-digits", "options": { "train": IMAGES, "test": 100 } });
    block_on(lab.set_dataset(&serde_json::from_value(choice).unwrap())).unwrap();
    let options =
        json!({ "method": "feature-evolution", "layer": "fc1", "channel": 2, "images": IMAGES });
    let options = serde_json::from_value(options).unwrap();
    let live = block_on(lab.begin_visualization(options, None)).unwrap();
    let mut now = 0.0;
    let mut pictures = Vec::new();
    // Steps 0, 4, 5 (too near to stay), 9, 30.
    for steps in [4, 1, 4, 21, 0] {
        for _ in 0..2 {
            pictures = block_on(lab.advance(live, now)).unwrap().pictures.unwrap();
            now += 1.0;
        }
        if steps == 0 {
            break;
        }
        let training = serde_json::from_value(json!({ "steps": steps, "batchSize": 16 })).unwrap();
        let training = lab.begin_training(training).unwrap();
        while !block_on(lab.advance(training, now)).unwrap().done {
            now += 20.0;
        }
    }
    let [seen, patches] = pictures.as_slice() else {
        panic!("two pictures");
    };
    assert!(
        seen.title
            .contains("fc1 units 2 to 7 after steps 0, 4, 9, 30 "),
        "{}",
        seen.title
    );
    assert_eq!([columns(seen), columns(patches)], [4, 4]);

    let examples: Vec<Vec<f32>> = (0..IMAGES)
        .map(|i| lab.example(i, Some("train")).unwrap().0)
        .collect();
    let answers: Vec<Vec<f32>> = examples
        .iter()
        .map(|image| {
            block_on(lab.activations("fc1", image.clone()))
                .unwrap()
                .to_vec()
        })
        .collect();
    let mut exact = 0;
    for (row, unit) in (2..8).enumerate() {
        let best = (0..IMAGES)
            .max_by(|a, b| answers[*a][unit].total_cmp(&answers[*b][unit]))
            .unwrap();
        let off = |(a, b): (f32, &f32)| (a - b).abs();
        let found = tile(patches, row, 3);
        let most = found
            .into_iter()
            .zip(&examples[best])
            .map(off)
            .fold(0.0, f32::max);
        exact += usize::from(most < 1e-5);
        let reach = tile(seen, row, 3)
            .into_iter()
            .map(f32::abs)
            .fold(0.0, f32::max);
        // Behind no rectifier a unit may be below zero for every image; it then sees nothing.
        let expected = f32::from(u8::from(answers[best][unit] > 0.0));
        assert!((reach - expected).abs() < 1e-5, "unit {unit} sees {reach}");
    }
    assert_eq!(
        exact, 6,
        "patches are of the images that excite the units most"
    );
}
