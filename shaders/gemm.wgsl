// A matrix product for GPUs, whose threads share what they load. One workgroup of 64 threads computes
// BLOCK_ROWS x BLOCK_COLUMNS elements of one layer (a group, a phase of strides, a chunk of the sum): thread t
// the rows of quads t / THREAD_COLUMNS, and every THREAD_ROWS-th after it, times the columns of quads
// t % THREAD_COLUMNS, and every THREAD_COLUMNS-th, so that neighboring threads read neighboring words. DEPTH
// terms of every sum lie in workgroup memory at a time, in quads of four rows or columns. What an element is,
// the operands' file says; an element of the first is found from a sum of what its row and its term say.

@group(0) @binding(0) var<storage, read> a: array<f32>;
@group(0) @binding(1) var<storage, read> b: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

var<workgroup> pool: array<vec4<f32>, $(pool)>;

const ROW_BLOCKS = (ROWS + BLOCK_ROWS - 1u) / BLOCK_ROWS;
const COLUMN_BLOCKS = (COLUMNS + BLOCK_COLUMNS - 1u) / BLOCK_COLUMNS;
// One quad more than there are, so that stores of neighboring terms go to different banks.
const A_LINE = BLOCK_ROWS / 4u + 1u;
const B_LINE = BLOCK_COLUMNS / 4u + 1u;
const B_START = DEPTH * A_LINE;
// Farther down than any image reaches, also when it is added to itself.
const OUTSIDE = vec2(0u, 0x40000000u);

// The element at index `place.x`, or zero where row and column `place.y` are outside of the image.
fn a_at(place: vec2<u32>) -> f32 {
    let row = (place.y >> 16u) - A_TOP;
    let column = (place.y & 0xffffu) - A_LEFT;
    let inside = row < A_HEIGHT && column < A_WIDTH;
    return select(0.0, a[select(0u, place.x, inside)], inside);
}

@compute @workgroup_size(64)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(num_workgroups) groups: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let number = group.x + group.y * groups.x;
    let layer = number / (ROW_BLOCKS * COLUMN_BLOCKS);
    // Workgroups past the last have rows past the last.
    let first_row = select(number / COLUMN_BLOCKS % ROW_BLOCKS * BLOCK_ROWS, ROWS, layer >= LAYERS);
    let first_column = number % COLUMN_BLOCKS * BLOCK_COLUMNS;
    let span = span_of(layer);
//:for z a_by_terms
    let a_term = thread % DEPTH;
    let a_quad = thread / DEPTH;
//:end
//:for z a_by_rows
    let a_term = thread / (BLOCK_ROWS / 4u);
    let a_quad = thread % (BLOCK_ROWS / 4u);
//:end
//:for z b_by_terms
    let b_term = thread % DEPTH;
    let b_quad = thread / DEPTH;
//:end
//:for z b_by_columns
    let b_term = thread / (BLOCK_COLUMNS / 4u);
    let b_quad = thread % (BLOCK_COLUMNS / 4u);
//:end
//:for q a_quads
//:for r 4
    let m$q_$r = first_row + (a_quad + $(q*a_quads_apart)u) * 4u + $ru;
    let row$q_$r = select(OUTSIDE, row_of(m$q_$r, layer), exists(m$q_$r, layer));
//:end
//:end
    let own_row = thread / THREAD_COLUMNS;
    let own_column = thread % THREAD_COLUMNS;
//:for i row_quads
//:for j column_quads
//:for r 4
    var y$i_$r_$j = vec4(0.0);
//:end
//:end
//:end
    for (var first = span.x; first < span.y; first += DEPTH) {
//:for t a_terms
        let k_a$t = first + a_term + $(t*a_terms_apart)u;
        let term$t = select(OUTSIDE, term_of(k_a$t, layer), k_a$t < span.y);
//:for q a_quads
        pool[(a_term + $(t*a_terms_apart)u) * A_LINE + a_quad + $(q*a_quads_apart)u] = vec4(
            a_at(row$q_0 + term$t),
            a_at(row$q_1 + term$t),
            a_at(row$q_2 + term$t),
            a_at(row$q_3 + term$t),
        );
//:end
//:end
//:for z b_spares
        if thread < B_LOADS {
//:end
//:for t b_terms
        let k_b$t = first + b_term + $(t*b_terms_apart)u;
//:for q b_quads
        let n$t_$q = first_column + (b_quad + $(q*b_quads_apart)u) * 4u;
        let b$t_$q = vec4(
            b_at(k_b$t, n$t_$q, layer),
            b_at(k_b$t, n$t_$q + 1u, layer),
            b_at(k_b$t, n$t_$q + 2u, layer),
            b_at(k_b$t, n$t_$q + 3u, layer),
        );
        pool[B_START + (b_term + $(t*b_terms_apart)u) * B_LINE + b_quad + $(q*b_quads_apart)u] =
            select(vec4(0.0), b$t_$q, k_b$t < span.y);
//:end
//:end
//:for z b_spares
        }
//:end
        workgroupBarrier();
        for (var k = 0u; k < DEPTH; k++) {
//:for i row_quads
            let a$i = pool[k * A_LINE + own_row + $iu * THREAD_ROWS];
//:end
//:for j column_quads
            let b$j = pool[B_START + k * B_LINE + own_column + $ju * THREAD_COLUMNS];
//:for i row_quads
//:for r 4
            y$i_$r_$j += a$i[$ru] * b$j;
//:end
//:end
//:end
        }
        workgroupBarrier();
    }
//:for i row_quads
//:for r 4
    let to$i_$r = first_row + (own_row + $iu * THREAD_ROWS) * 4u + $ru;
    if exists(to$i_$r, layer) {
//:for j column_quads
//:for c 4
        let n$j_$c = first_column + (own_column + $ju * THREAD_COLUMNS) * 4u + $cu;
        if n$j_$c < COLUMNS {
            let place = place_of(to$i_$r, n$j_$c, layer);
            y[place] = tail(place, place, y$i_$r_$j[$cu]);
        }
//:end
//:end
    }
//:end
//:end
}
