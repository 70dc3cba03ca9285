// For kernels that say `//:use own_windows` (src/program/template.rs): where the window of an element of the output begins, for windows
// that tile the input. Rows of windows lie below each other through the whole batch, as their rows of pixels do.

const OUT_WIDTH = WIDTH / SIZE_X;

fn first_of(element: u32) -> u32 {
    let window = element / CHANNELS;
    let row = window / OUT_WIDTH;
    return element + (row * (SIZE_Y - 1u) * WIDTH + window * (SIZE_X - 1u)) * CHANNELS;
}
