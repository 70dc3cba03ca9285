//! Turns and changes of size about the center, and shifts that bring the mean color in: each image of the
//! batch moves by itself.

use crate::field::Field;
use crate::ops;

use super::Transformation;

pub(super) const INFO: Transformation = Transformation {
    fields: |preset| {
        let rotate = "Largest random turn per step, in degrees, both ways.";
        let scale = "Largest random factor of size per step, up and down.";
        vec![
            Field::number("rotate", rotate, 0.0, 45.0, preset.rotate),
            Field::number("scale", scale, 1.0, 2.0, preset.scale),
        ]
    },
    apply: |graph, x, scene| {
        let angle = (scene.values.number("rotate")? as f32).to_radians();
        let scale = scene.values.number("scale")? as f32;
        let shift = match scene.values.bool("pad")? {
            true => scene.shift()? as f32,
            false => 0.0,
        };
        if angle == 0.0 && scale == 1.0 && shift == 0.0 {
            return Ok(x);
        }
        let [n, h, w, _] = graph.shape(x).four("warp")?;
        let strengths = [0.0, 0.0, shift, angle, scale.ln(), 0.0, 0.0, 0.0];
        let strengths = graph.constant([8], &strengths)?;
        let positions = ops::affine_positions(graph, strengths, scene.counters, [n, h, w])?;
        // The corners move farthest: along the circle, outward, and with the shift.
        let corner = 0.5 * (h as f32).hypot(w as f32);
        let farthest = corner * (angle + scale - 1.0) * scale + shift * scale;
        ops::sample2d_near(graph, x, positions, farthest.ceil() as usize + 1)
    },
};
