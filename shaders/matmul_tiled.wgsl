// Operands of gemm.wgsl for a product of matrices, whose strides say which is transposed. Layers are chunks of the inner
// extent.

const A_TOP = 0u;
const A_LEFT = 0u;
const A_HEIGHT = 1u;
const A_WIDTH = 1u;

fn exists(m: u32, layer: u32) -> bool {
    return m < ROWS;
}

fn row_of(m: u32, layer: u32) -> vec2<u32> {
    return vec2(m * A_ROW, 0u);
}

fn term_of(k: u32, layer: u32) -> vec2<u32> {
    return vec2(k * A_INNER, 0u);
}

fn b_at(k: u32, n: u32, layer: u32) -> f32 {
    return b[k * B_INNER + n * B_COLUMN];
}

fn span_of(layer: u32) -> vec2<u32> {
    return vec2(layer * CHUNK, min((layer + 1u) * CHUNK, INNER));
}

fn place_of(m: u32, n: u32, layer: u32) -> u32 {
    return (layer * ROWS + m) * COLUMNS + n;
}
