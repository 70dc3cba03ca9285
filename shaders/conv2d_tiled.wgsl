// Operands of gemm.wgsl for the forward pass. Rows are output pixels of the batch, terms are taps and input channels,
// columns are output channels, layers are groups.

fn exists(m: u32, layer: u32) -> bool {
    return m < ROWS;
}

fn row_of(m: u32, layer: u32) -> vec2<u32> {
    return pixel_of(m);
}

fn term_of(k: u32, layer: u32) -> vec2<u32> {
    return tap_of(k, layer);
}

fn b_at(k: u32, n: u32, layer: u32) -> f32 {
    return b[k * CO + layer * OUTPUTS + n];
}

fn span_of(layer: u32) -> vec2<u32> {
    return vec2(0u, KERNEL_Y * KERNEL_X * INPUTS);
}

fn place_of(m: u32, n: u32, layer: u32) -> u32 {
    return m * CO + layer * OUTPUTS + n;
}
