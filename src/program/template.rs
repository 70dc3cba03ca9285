//! Unrolled kernels from short sources: WGSL has no arrays that stay in registers on every driver, so a
//! kernel that keeps a tile of results names each of them (performance.md, section 0.3: three times
//! faster on SwiftShader). A source writes the name once:
//!
//! ```wgsl
//! //:for p PIXELS
//!     var y$p = 0.0;
//! //:end
//! ```
//!
//! repeats its lines for p = 0, 1 .. PIXELS - 1, with `$p` replaced by the number and `$(p*STRIDE+k)` by
//! the value of the expression (sums of products of loop variables, constants and numbers). And a line
//! `//:use random` stands for the functions of `shaders/random.wgsl`, which may use others.

/// The statistics of a channel from its parts, for the kernels of `ops::moments` and `ops::batch_norm`.
pub const MERGED_PARTS: &str = crate::wgsl!("../../shaders/merged_parts.wgsl");

/// Where windows that tile the input begin, for the kernels of `ops::max_pool2d`.
pub const OWN_WINDOWS: &str = crate::wgsl!("../../shaders/own_windows.wgsl");

/// What a source may use, by name.
const SHARED: [(&str, &str); 4] = [
    ("random", crate::wgsl!("../../shaders/random.wgsl")),
    (
        "merged_moments",
        crate::wgsl!("../../shaders/merged_moments.wgsl"),
    ),
    ("merged_parts", MERGED_PARTS),
    ("own_windows", OWN_WINDOWS),
];

/// `source` with its loops unrolled and what it uses put in. Bounds and expressions may name `constants`.
///
/// # Panics
/// When a source has a loop without an end or names what does not exist: sources are part of the crate,
/// and every one of them is expanded in the tests.
pub(super) fn expanded(constants: &[(&str, usize)], source: &str) -> String {
    if !source.contains("//:") {
        return source.to_owned();
    }
    let lines: Vec<&str> = source.lines().collect();
    let mut names = constants.to_vec();
    let mut text = String::new();
    unroll(&lines, &mut names, &mut text);
    text
}

fn unroll<'a>(lines: &[&'a str], names: &mut Vec<(&'a str, usize)>, text: &mut String) {
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        at += 1;
        if let Some(name) = line.trim_start().strip_prefix("//:use ") {
            let shared = SHARED.iter().find(|(other, _)| *other == name);
            let (_, shared) = shared.expect("a source uses what there is");
            unroll(&shared.lines().collect::<Vec<_>>(), names, text);
            continue;
        }
        let Some(head) = line.trim_start().strip_prefix("//:for ") else {
            substitute(line, names, text);
            text.push('\n');
            continue;
        };
        let length = body_length(&lines[at..]);
        let body = &lines[at..at + length];
        at += length + 1;
        let (variable, bound) = head.split_once(' ').unwrap_or((head, ""));
        for index in 0..evaluated(bound, names) {
            names.push((variable, index));
            unroll(body, names, text);
            names.pop();
        }
    }
}

/// Lines up to the end of the loop whose head has been read.
fn body_length(lines: &[&str]) -> usize {
    let mut depth = 1;
    let closes = |line: &&str| {
        let line = line.trim_start();
        depth += usize::from(line.starts_with("//:for "));
        depth -= usize::from(line.starts_with("//:end"));
        depth == 0
    };
    let end = lines.iter().position(closes);
    end.expect("every loop of a kernel's source has its end")
}

fn substitute(line: &str, names: &[(&str, usize)], text: &mut String) {
    let mut pieces = line.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let (expression, rest) = match piece.strip_prefix('(').and_then(|p| p.split_once(')')) {
            Some(found) => found,
            // A lone variable is one letter.
            None => piece.split_at(1),
        };
        text.push_str(&evaluated(expression, names).to_string());
        text.push_str(rest);
    }
}

/// The value of a sum of products.
fn evaluated(expression: &str, names: &[(&str, usize)]) -> usize {
    let factor = |name: &str| {
        let name = name.trim();
        // The innermost loop's variable is the last.
        let known = names.iter().rev().find(|(other, _)| *other == name);
        let value = known.map(|(_, value)| *value).or_else(|| name.parse().ok());
        value.unwrap_or_else(|| panic!("a kernel's source names {name}, which is no constant"))
    };
    let product = |term: &str| term.split('*').map(factor).product::<usize>();
    expression.split('+').map(product).sum()
}

#[cfg(test)]
mod tests {
    use super::expanded;

    #[test]
    fn loops_nest_and_expressions_are_computed() {
        let source = "a\n//:for p N\n//:for k 2\nx$p_$(p*S+k+1)\n//:end\n//:end\nb";
        let text = expanded(&[("N", 2), ("S", 3)], source);
        assert_eq!(text, "a\nx0_1\nx0_2\nx1_4\nx1_5\nb\n");
    }

    #[test]
    fn what_is_used_is_put_in() {
        let text = expanded(&[], "a\n//:use random\nb");
        assert!(
            text.starts_with("a\nfn hash(") && text.ends_with("}\nb\n"),
            "{text}"
        );
    }

    #[test]
    fn a_loop_of_nothing_leaves_nothing() {
        assert_eq!(expanded(&[("N", 0)], "//:for p N\nx$p\n//:end\ny"), "y\n");
    }
}
