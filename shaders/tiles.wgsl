// Draws live tiles straight from the buffers that hold them. One instance is one tile, a strip of two triangles;
// one fragment is one canvas pixel: it finds its cell, reads that word, and looks up its color.

struct Settings {
    // Canvas size in pixels.
    size: vec2<f32>,
    // 0: map over the range; 1: always diverging; 2: gray in 0..1; 3: RGB in 0..1.
    mode: u32,
    unused: u32,
    // 9 anchors of the sequential map, then 9 of the diverging one.
    anchors: array<vec4<f32>, 18>,
}

struct Tile {
    // Left, top, width, height in canvas pixels.
    rect: vec4<f32>,
    // Word of cell (0, 0), words per column step, words per row step, first pair (low, high) of `range`.
    words: vec4<u32>,
    // Cells across and down, pairs of `range`, unused.
    cells: vec4<u32>,
}

@group(0) @binding(0) var<storage, read> source: array<f32>;
@group(0) @binding(1) var<storage, read> range: array<f32>;
@group(0) @binding(2) var<storage, read> tiles: array<Tile>;
@group(0) @binding(3) var<uniform> settings: Settings;

struct Corner {
    @builtin(position) position: vec4<f32>,
    // Position within the tile, in cells.
    @location(0) at: vec2<f32>,
    @location(1) @interpolate(flat) tile: u32,
    // Smallest and largest value of the tile's scale.
    @location(2) @interpolate(flat) bounds: vec2<f32>,
}

@vertex
fn corner(@builtin(vertex_index) vertex: u32, @builtin(instance_index) instance: u32) -> Corner {
    // A triangle strip: top left, top right, bottom left, bottom right.
    let unit = vec2<f32>(f32(vertex & 1u), f32(vertex >> 1u));
    let tile = tiles[instance];
    let pixel = tile.rect.xy + unit * tile.rect.zw;
    let clip = pixel / settings.size * vec2<f32>(2.0, -2.0) + vec2<f32>(-1.0, 1.0);
    let first = tile.words.w;
    var low = range[2u * first];
    var high = range[2u * first + 1u];
    for (var i = first + 1u; i < first + tile.cells.z; i++) {
        low = min(low, range[2u * i]);
        high = max(high, range[2u * i + 1u]);
    }
    return Corner(
        vec4<f32>(clip, 0.0, 1.0),
        unit * vec2<f32>(tile.cells.xy),
        instance,
        vec2<f32>(low, high),
    );
}

// The color at t in 0..1 of the map whose anchors start at `first`.
fn map_color(first: u32, t: f32) -> vec3<f32> {
    let at = clamp(t, 0.0, 1.0) * 8.0;
    let left = min(u32(at), 7u);
    let share = at - f32(left);
    return mix(settings.anchors[first + left].rgb, settings.anchors[first + left + 1u].rgb, share);
}

@fragment
fn pixel(in: Corner) -> @location(0) vec4<f32> {
    let tile = tiles[in.tile];
    let cell = min(vec2<u32>(max(in.at, vec2<f32>(0.0))), tile.cells.xy - 1u);
    let word = tile.words.x + cell.x * tile.words.y + cell.y * tile.words.z;
    let value = source[word];
    if settings.mode == 2u {
        return vec4<f32>(vec3<f32>(clamp(value, 0.0, 1.0)), 1.0);
    }
    if settings.mode == 3u {
        let rgb = vec3<f32>(value, source[word + 1u], source[word + 2u]);
        return vec4<f32>(clamp(rgb, vec3<f32>(0.0), vec3<f32>(1.0)), 1.0);
    }
    if settings.mode == 1u || in.bounds.x < 0.0 {
        let extent = max(max(abs(in.bounds.x), abs(in.bounds.y)), 1e-12);
        return vec4<f32>(map_color(9u, 0.5 + 0.5 * value / extent), 1.0);
    }
    return vec4<f32>(map_color(0u, value / max(in.bounds.y, 1e-12)), 1.0);
}
