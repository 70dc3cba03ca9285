//! Dispatches that go to a device as one. What is independent runs side by side, each part in workgroups of
//! its own; what only continues element by element runs in the same threads, and what only needs what its own workgroup
//! has written, behind a barrier. A [`Launch`] is the
//! kernel made from their texts: names at module scope are told apart by the part's number, bindings of the same view
//! become one, and a new entry point sends each workgroup where it belongs, which is uniform control flow.
//! Twins do not know of this: a backend without launches runs the dispatches in their order.

use std::sync::Arc;

use super::{Access, Dispatch, Family, GROUP, Kernel, Program, View, workgroups};

/// How a dispatch goes with the one before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Join {
    /// It begins a launch.
    #[default]
    Apart,
    /// It is in the launch of the one before, in workgroups of its own.
    Beside,
    /// The threads of the one before run it next.
    Along,
    /// On a software adapter the workgroups of the one before run it when all of their threads are done; a GPU runs it in
    /// the next launch.
    Within,
}

/// What a GPU runs at once.
#[derive(Debug)]
pub struct Launch {
    /// The names of its kernels.
    pub name: String,
    /// Complete WGSL, as in [`Kernel`].
    pub wgsl: Arc<str>,
    /// One per binding.
    pub accesses: Vec<Access>,
    /// Workgroups per dimension.
    pub workgroups: [u32; 3],
    /// One view per binding.
    pub bindings: Vec<View>,
}

/// A kernel's text, taken apart.
#[derive(Debug)]
pub struct Source {
    /// Name and type of each binding.
    bindings: Vec<(String, String)>,
    /// Everything else; the entry point is a function like others.
    text: String,
    /// The builtin values that it takes, in order.
    arguments: Vec<String>,
    /// Threads of a workgroup.
    threads: u32,
    /// Quads of the workgroup memory called `pool`, the only one it may have.
    pool: usize,
}

const POOL: &str = "var<workgroup> pool: array<vec4<f32>, ";

const ENTRY: &str = "@compute @workgroup_size(";

/// The index of a thread in all kernels of one thread per element.
const INDEX: &str = "let i = id.x + id.y * groups.x * 64u;";

impl Source {
    /// Takes the text of `kernel` for `family` apart; none where it can be no part of a launch, because its threads
    /// wait for each other in another way than through `pool`.
    pub fn of(kernel: &Kernel, family: Family) -> Option<Self> {
        let (_, wgsl, [.., 1]) = kernel.form(family) else {
            return None;
        };
        let (mut bindings, mut text, mut pool) = (Vec::new(), String::new(), 0);
        for line in wgsl.lines() {
            let line = line.split("//").next().unwrap_or_default().trim();
            if line.starts_with("@group(") {
                let (_, declared) = line.split_once("> ")?;
                let (name, kind) = declared.split_once(": ")?;
                bindings.push((name.to_owned(), kind.trim_end_matches(';').to_owned()));
            } else if let Some(size) = line.strip_prefix(POOL) {
                pool = size.trim_end_matches(">;").parse().ok()?;
            } else if !line.is_empty() {
                text.push_str(line);
                text.push('\n');
            }
        }
        let (before, entry) = text.split_once(ENTRY)?;
        let (threads, entry) = entry.split_once(')')?;
        let (parameters, body) = entry.split_once("fn main(")?.1.split_once(") {")?;
        let (mut arguments, mut declared) = (Vec::new(), String::new());
        for parameter in parameters.split(',').map(str::trim) {
            if let Some(parameter) = parameter.strip_prefix("@builtin(") {
                let (builtin, parameter) = parameter.split_once(") ")?;
                arguments.push(builtin.to_owned());
                declared.push_str(&format!("{parameter}, "));
            }
        }
        let threads = threads.parse().ok()?;
        let waits = text.contains("Barrier(") && (pool == 0 || threads != GROUP)
            || text.contains("var<workgroup>");
        let is_known = bindings.len() == kernel.accesses.len();
        (is_known && !waits).then_some(Self {
            text: format!("{before}fn main({declared}) {{{body}"),
            bindings,
            arguments,
            threads,
            pool,
        })
    }

    /// The type of binding `index`.
    pub fn kind(&self, index: usize) -> &str {
        &self.bindings[index].1
    }

    /// Whether each thread touches only the element of binding `index` that has its own number.
    pub fn is_own(&self, index: usize) -> bool {
        let declarations = ["let i ", "var i ", "(i:", " i:"];
        let found = declarations.map(|text| self.text.matches(text).count());
        let name = self.bindings[index].0.as_str();
        let elsewhere = |(before, word, after): (&str, &str, &str)| {
            word == name && !before.ends_with('.') && !after.starts_with("[i]")
        };
        found == [1, 0, 0, 0] && self.text.contains(INDEX) && !words(&self.text).any(elsewhere)
    }

    /// The text as part `part`, with its bindings under the names of `slots`.
    fn renamed(&self, part: usize, slots: &[usize]) -> String {
        let own = declared_names(&self.text);
        let mut text = String::new();
        let mut rest = self.text.as_str();
        for (before, word, after) in words(&self.text) {
            text.push_str(before);
            rest = after;
            let binding = self.bindings.iter().position(|(name, _)| name == word);
            match binding {
                // A member, not a name.
                _ if before.ends_with('.') => text.push_str(word),
                Some(index) => text.push_str(&format!("binding{}", slots[index])),
                None if own.contains(&word) => text.push_str(&format!("part{part}_{word}")),
                None => text.push_str(word),
            }
        }
        text.push_str(rest);
        text
    }

    /// The call of part `part` in a lane of these workgroups.
    fn call(&self, part: usize, [x, y, _]: [u32; 3]) -> String {
        let threads = self.threads;
        let argument = |builtin: &String| match builtin.as_str() {
            "global_invocation_id" => {
                format!("vec3<u32>(own.x * {threads}u + thread, own.yz)")
            }
            "num_workgroups" => format!("vec3<u32>({x}u, {y}u, 1u)"),
            "workgroup_id" => "own".to_owned(),
            _ => "thread".to_owned(),
        };
        let arguments: Vec<String> = self.arguments.iter().map(argument).collect();
        let call = format!("part{part}_main({});", arguments.join(", "));
        match threads < GROUP {
            true => format!("if thread < {threads}u {{ {call} }}\n"),
            false => format!("{call}\n"),
        }
    }
}

/// The identifiers, keywords and numbers of `text`, each with what comes between it and the last one, and
/// with all that comes after it.
fn words(text: &str) -> impl Iterator<Item = (&str, &str, &str)> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut rest = text;
    std::iter::from_fn(move || {
        let (before, word) = rest.split_at(rest.find(is_part)?);
        let (word, after) = word.split_at(word.find(|c| !is_part(c)).unwrap_or(word.len()));
        rest = after;
        Some((before, word, after))
    })
}

/// What `text` declares at module scope, where nothing is indented by a brace.
fn declared_names(text: &str) -> Vec<&str> {
    let mut depth = 0;
    let mut names = Vec::new();
    for line in text.lines() {
        let mut words = line.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        if depth == 0 && matches!(words.next(), Some("const" | "fn" | "struct" | "alias")) {
            names.extend(words.next());
        }
        depth += line.matches('{').count();
        depth -= line.matches('}').count();
    }
    names
}

/// The bindings of a launch.
#[derive(Default)]
struct Bindings {
    views: Vec<View>,
    accesses: Vec<Access>,
    kinds: Vec<String>,
}

impl Bindings {
    /// Where `view` is bound as this type: one binding for all parts that do.
    fn slot(&mut self, view: View, access: Access, kind: &str) -> usize {
        let mut known = self.views.iter().zip(&self.kinds);
        if let Some(slot) = known.position(|known| known == (&view, &kind.to_owned())) {
            if self.accesses[slot] != access {
                self.accesses[slot] = Access::ReadWrite;
            }
            return slot;
        }
        self.views.push(view);
        self.accesses.push(access);
        self.kinds.push(kind.to_owned());
        self.views.len() - 1
    }

    fn declarations(&self) -> String {
        let mut text = String::new();
        for (slot, (access, kind)) in self.accesses.iter().zip(&self.kinds).enumerate() {
            let mode = match access {
                Access::Read => "read",
                Access::Write | Access::ReadWrite => "read_write",
            };
            text.push_str(&format!(
                "@group(0) @binding({slot}) var<storage, {mode}> binding{slot}: {kind};\n"
            ));
        }
        text
    }
}

/// `calls` in `turns` of these workgroups, the next after those of the workgroups before `place`.
fn turning(calls: &str, turns: u32, [x, ..]: [u32; 3]) -> String {
    let own = |index| format!("let own = vec3<u32>({index} % {x}u, {index} / {x}u, 0u);\n{calls}");
    match turns {
        1 => format!("{{\n{}}}\n", own("place")),
        _ => format!(
            "for (var turn = 0u; turn < {turns}u; turn++) {{\n\
             let index = place * {turns}u + turn;\n{}}}\n",
            own("index")
        ),
    }
}

impl Program {
    /// What an adapter of `family` runs, in order.
    pub fn launches(&self, family: Family) -> Vec<Launch> {
        let planned = self.dispatches.chunk_by(|_, next| next.join != Join::Apart);
        let mut launches = Vec::new();
        for parts in planned {
            let waits = |part: &&Dispatch| family == Family::Gpu && part.join == Join::Within;
            let (later, now): (Vec<_>, Vec<_>) = parts.iter().partition(waits);
            launches.push(self.launch(&now, family));
            if !later.is_empty() {
                launches.push(self.launch(&later, family));
            }
        }
        launches
    }

    fn launch(&self, parts: &[&Dispatch], family: Family) -> Launch {
        let kernel = |part: &Dispatch| &self.kernels[part.kernel];
        if let [only] = parts {
            let (name, wgsl, workgroups) = kernel(only).form(family);
            return Launch {
                name: name.to_owned(),
                wgsl: wgsl.clone(),
                accesses: kernel(only).accesses.clone(),
                workgroups,
                bindings: only.bindings.clone(),
            };
        }
        let mut bindings = Bindings::default();
        let (mut text, mut lanes) = (String::new(), String::new());
        let (mut count, mut pool, mut number) = (0, 0, 0);
        let is_within = |part: &Dispatch| part.join == Join::Within && family == Family::Software;
        let continues = |part: &Dispatch| part.join == Join::Along || is_within(part);
        for lane in parts.chunk_by(|_, next| continues(next)) {
            let head = kernel(lane[0]);
            let (mut along, mut within) = (String::new(), String::new());
            for &part in lane {
                let kernel = kernel(part);
                // `compile` joins only what has been taken apart before.
                let source =
                    Source::of(kernel, family).expect("a part of a launch can be taken apart");
                pool = pool.max(source.pool);
                let uses = part.bindings.iter().zip(&kernel.accesses).enumerate();
                let slots: Vec<usize> = uses
                    .map(|(index, (view, access))| {
                        bindings.slot(*view, *access, source.kind(index))
                    })
                    .collect();
                text.push_str(&source.renamed(number, &slots));
                let (_, _, workgroups) = kernel.form(family);
                let call = source.call(number, workgroups);
                if is_within(part) {
                    within.push_str(&turning(&call, kernel.repeats_within(head), workgroups));
                } else {
                    along.push_str(&call);
                }
                number += 1;
            }
            let (_, _, workgroups) = head.form(family);
            let begin = count;
            count += workgroups[0] * workgroups[1];
            let calls = turning(&along, 1, workgroups);
            let barrier = if within.is_empty() {
                ""
            } else {
                "storageBarrier();\n"
            };
            lanes.push_str(&format!(
                "if number >= {begin}u && number < {count}u {{\n\
                 let place = number - {begin}u;\n{calls}{barrier}{within}}}\n"
            ));
        }
        let mut declarations = bindings.declarations();
        if pool > 0 {
            declarations.push_str(&format!("{POOL}{pool}>;\n"));
        }
        let names = parts.iter().map(|part| kernel(part).form(family).0);
        let names: Vec<&str> = names.collect();
        Launch {
            name: names.join(" + "),
            wgsl: format!(
                "{declarations}{text}{ENTRY}{GROUP})\nfn main(@builtin(workgroup_id) group: vec3<u32>, \
                 @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) thread: u32) \
                 {{\nlet number = group.x + group.y * groups.x;\n{lanes}}}\n"
            )
            .into(),
            accesses: bindings.accesses,
            workgroups: workgroups(count as usize),
            bindings: bindings.views,
        }
    }
}
