// One thread changes the colors of one pixel of x [IMAGES, PIXELS, CHANNELS] as was drawn for its image: first
// brightness, then contrast, then saturation, each limited to 0..1.

@group(0) @binding(0) var<storage, read> x: array<f32>;
@group(0) @binding(1) var<storage, read> draws: array<vec4<f32>>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

// To 0..1; what is not a number becomes 0.
fn limited(x: f32) -> f32 {
    return select(0.0, min(x, 1.0), x > 0.0);
}

// Of brightness and contrast.
fn contrasted(value: f32, draw: vec4<f32>) -> f32 {
    let bright = limited(draw.x * value);
    return limited(draw.y * bright + (1.0 - draw.y) * draw.w);
}

@compute @workgroup_size(64)
fn main(
    @builtin(global_invocation_id) id: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
) {
    let i = id.x + id.y * groups.x * 64u;
    if i >= IMAGES * PIXELS {
        return;
    }
    let draw = draws[i / PIXELS];
    let first = i * CHANNELS;
    var gray = 0.0;
    for (var c = 0u; c < CHANNELS; c++) {
        var weight = 1.0 / f32(CHANNELS);
        if CHANNELS == 3u {
            weight = select(select(0.114, 0.587, c == 1u), 0.299, c == 0u);
        }
        gray += weight * contrasted(x[first + c], draw);
    }
    for (var c = 0u; c < CHANNELS; c++) {
        let value = contrasted(x[first + c], draw);
        y[first + c] = limited(draw.z * value + (1.0 - draw.z) * gray);
    }
}
