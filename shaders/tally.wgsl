// One thread adds a batch to the totals (loss, correct, count), leaving out the rows past the last
// item. A batch has a hundred rows: too few to be worth more threads.

@group(0) @binding(0) var<storage, read> losses: array<f32>;
@group(0) @binding(1) var<storage, read> corrects: array<f32>;
@group(0) @binding(2) var<storage, read> indices: array<u32>;
@group(0) @binding(3) var<storage, read_write> totals: array<f32>;

@compute @workgroup_size(1)
fn main() {
    var loss = 0.0;
    var correct = 0.0;
    var count = 0.0;
    for (var i = 0u; i < BATCH; i++) {
        if indices[i] < ITEMS {
            loss += losses[i];
            correct += corrects[i];
            count += 1.0;
        }
    }
    totals[0] += loss;
    totals[1] += correct;
    totals[2] += count;
}
