// Operands of gemm.wgsl for the filters' gradient. Rows are taps and input channels, terms are output pixels, columns are
// output channels, layers are groups of each chunk of pixels.

const PIXELS = IMAGES * OUT_HEIGHT * OUT_WIDTH;
const CHUNK = CHUNK_ROWS * OUT_WIDTH;

fn exists(m: u32, layer: u32) -> bool {
    return m < ROWS;
}

fn row_of(m: u32, layer: u32) -> vec2<u32> {
    return tap_of(m, layer % GROUPS);
}

fn term_of(k: u32, layer: u32) -> vec2<u32> {
    return pixel_of(k);
}

fn b_at(k: u32, n: u32, layer: u32) -> f32 {
    return b[k * CO + layer % GROUPS * OUTPUTS + n];
}

fn span_of(layer: u32) -> vec2<u32> {
    let chunk = layer / GROUPS;
    return vec2(chunk * CHUNK, min((chunk + 1u) * CHUNK, PIXELS));
}

fn place_of(m: u32, n: u32, layer: u32) -> u32 {
    return (layer / GROUPS * ROWS + m) * CO + layer % GROUPS * OUTPUTS + n;
}
