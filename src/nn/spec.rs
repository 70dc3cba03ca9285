//! The description of a network as a person writes it: JSON with a name, an input shape, a number of
//! classes and a list of nodes. A node takes the previous node's output unless it names its inputs,
//! and fields that are not given take the layer's defaults:
//!
//! ```json
//! { "name": "tiny", "input": [1, 28, 28], "classes": 10, "nodes": [
//!   { "id": "conv1", "kind": "conv2d", "out_channels": 8, "kernel": 3, "padding": "same" },
//!   { "kind": "relu" },
//!   { "kind": "global_avg_pool2d" },
//!   { "id": "fc", "kind": "dense", "units": 10 } ] }
//! ```
//!
//! Blocks (a residual block, a dense block ...) are nodes too; [`NetworkSpec::expanded`] replaces each by
//! the layers it consists of, so that every inner activation has a name: `<block>_<part>`, and the
//! block's own id for its output.
//!
//! A `repeat` stands for its nodes several times over:
//!
//! ```json
//! { "id": "stage", "kind": "repeat", "times": 3, "nodes": [
//!   { "id": "conv", "kind": "conv_block", "out_channels": 16 },
//!   { "id": "sum", "kind": "add", "inputs": ["conv", "input"] } ] }
//! ```
//!
//! Within it, "input" is what the turn began with, and names mean this turn's nodes first; outside,
//! they are `stage_1_conv`, `stage_1_sum`, `stage_2_conv` ..., and `stage` is the last turn's output.
//! Repeats may be nested.

use std::collections::BTreeSet;

use litemap::LiteMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::{Error, Result};
use crate::field::Values;

use super::layers::{self, Body};

/// Name of the layer that stands for the image.
pub(super) const INPUT: &str = "input";

/// Most nodes a network may have after its blocks are expanded.
const MAX_NODES: usize = 4_000;

/// The kind of a node that stands for its own nodes, several times over.
const REPEAT: &str = "repeat";

/// A network as a person writes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetworkSpec {
    /// What the page calls it.
    pub name: String,
    /// Channels, height and width of the image.
    pub input: [usize; 3],
    /// Number of classes; the last node must have this many outputs.
    pub classes: usize,
    /// Layers and blocks, each after the ones whose outputs it takes.
    pub nodes: Vec<NodeSpec>,
}

/// One layer or block of a [`NetworkSpec`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeSpec {
    /// Its name: letters, digits, `_` and `-`. By default its kind and its number among that kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// An entry of [`LAYERS`](super::LAYERS).
    pub kind: String,
    /// The nodes whose outputs it takes; by default the previous one (or the image, "input").
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// The layer's own fields.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

impl NodeSpec {
    /// A node with an id, a kind and fields (a JSON object; anything else counts as none).
    pub fn new(id: &str, kind: &str, fields: Value) -> Self {
        let fields = match fields {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        Self {
            id: Some(id.to_owned()),
            kind: kind.to_owned(),
            inputs: Vec::new(),
            fields,
        }
    }

    /// The same with named inputs.
    #[must_use]
    pub fn from(mut self, inputs: &[&str]) -> Self {
        self.inputs = inputs.iter().map(|&input| input.to_owned()).collect();
        self
    }
}

/// Fields of a node from pairs; see [`fields!`](crate::nn::fields).
pub(crate) fn fields_of(pairs: &mut [(&str, Value)]) -> Value {
    let taken = pairs
        .iter_mut()
        .map(|(name, value)| ((*name).to_owned(), value.take()));
    Value::Object(taken.collect())
}

/// What a field of a node can be.
pub(crate) trait FieldValue {
    /// As JSON has it.
    fn field(&self) -> Value;
}

macro_rules! field_values {
    ($($kind:ty),*) => {
        $(impl FieldValue for $kind {
            fn field(&self) -> Value {
                Value::from(self.clone())
            }
        })*
    };
}
field_values!(bool, f64, i32, usize, &str, String);

impl<T: FieldValue> FieldValue for &T {
    fn field(&self) -> Value {
        (*self).field()
    }
}

/// A node's fields as `serde_json::json!` writes an object: `fields!({ "units": 10 })`. Unlike there, the object is
/// built in one place and not at each use, of which the zoo has some hundreds.
macro_rules! fields {
    ({ $($name:literal : $value:expr),* $(,)? }) => {
        $crate::nn::fields_of(&mut [$(($name, $crate::nn::FieldValue::field(&$value))),*])
    };
}
pub(crate) use fields;

/// A layer with everything that defaults decide: its id, its inputs and its checked fields.
#[derive(Debug)]
pub(super) struct Resolved {
    pub(super) id: String,
    pub(super) kind: &'static layers::LayerKind,
    pub(super) inputs: Vec<String>,
    pub(super) values: Values,
}

impl NetworkSpec {
    /// Reads a description from JSON text.
    ///
    /// # Errors
    /// Says where the text is not a description.
    pub fn from_json(text: &str) -> Result<Self> {
        serde_json::from_str(text)
            .map_err(|error| Error::mismatch("network", "a description in JSON", error.to_string()))
    }

    /// The same network with every block replaced by its layers, and every default written out.
    ///
    /// # Errors
    /// As [`Network::new`](super::Network::new), for ids, kinds, inputs and fields.
    pub fn expanded(&self) -> Result<Self> {
        let mut nodes = Vec::new();
        for node in self.resolve()? {
            let mut fields = Map::new();
            for field in (node.kind.fields)() {
                fields.insert(field.name.clone(), node.values.json(&field.name)?);
            }
            nodes.push(NodeSpec {
                id: Some(node.id),
                kind: node.kind.id.to_owned(),
                inputs: node.inputs,
                fields,
            });
        }
        Ok(Self {
            nodes,
            ..self.clone()
        })
    }

    /// Checks ids, kinds, inputs and fields, fills in what defaults decide, and expands blocks.
    pub(super) fn resolve(&self) -> Result<Vec<Resolved>> {
        let mut walk = Walk::default();
        walk.ids.insert(INPUT.to_owned());
        walk.previous = INPUT.to_owned();
        walk.frames.push(Frame::default());
        for node in &self.nodes {
            walk.add(node)?;
        }
        if walk.nodes.is_empty() {
            return Err(Error::mismatch(
                self.name.as_str(),
                "at least one node",
                "none",
            ));
        }
        Ok(walk.nodes)
    }
}

/// The names of the description's top level, or of one turn of a repeat.
#[derive(Debug, Default)]
struct Frame {
    prefix: String,
    counts: LiteMap<String, usize>,
    names: LiteMap<String, String>,
}

#[derive(Debug, Default)]
struct Walk {
    ids: BTreeSet<String>,
    frames: Vec<Frame>,
    previous: String,
    nodes: Vec<Resolved>,
}

impl Walk {
    /// Adds a node as the description has it.
    fn add(&mut self, node: &NodeSpec) -> Result<()> {
        let (local, id) = self.name(node);
        check_id(&id)?;
        let inputs: Vec<String> = if node.inputs.is_empty() {
            vec![self.previous.clone()]
        } else {
            node.inputs.iter().map(|name| self.full(name)).collect()
        };
        self.check_inputs(&id, &inputs)?;
        if node.kind == REPEAT {
            self.repeat(&id, &inputs, &node.fields)?;
        } else {
            self.put(id.clone(), &node.kind, inputs, &node.fields)?;
        }
        // A repeat's name is that of its last turn's output.
        let output = if node.kind == REPEAT {
            self.previous.clone()
        } else {
            id
        };
        if let Some(frame) = self.frames.last_mut() {
            frame.names.insert(local, output);
        }
        Ok(())
    }

    /// A node's name within its frame and in the whole network.
    fn name(&mut self, node: &NodeSpec) -> (String, String) {
        let Some(frame) = self.frames.last_mut() else {
            return Default::default();
        };
        let count = frame.counts.entry(node.kind.clone()).or_insert(0);
        *count += 1;
        let local = match &node.id {
            Some(id) => id.clone(),
            None => format!("{}{count}", node.kind),
        };
        let id = format!("{}{local}", frame.prefix);
        (local, id)
    }

    /// What `name` means here: a node of this turn, of the turns around it, or of the network.
    fn full(&self, name: &str) -> String {
        let mut frames = self.frames.iter().rev();
        let found = frames.find_map(|frame| frame.names.get(name));
        found.map_or_else(|| name.to_owned(), String::clone)
    }

    fn check_inputs(&self, id: &str, inputs: &[String]) -> Result<()> {
        match inputs.iter().find(|input| !self.ids.contains(*input)) {
            None => Ok(()),
            Some(missing) => {
                let expected = "inputs that are earlier nodes";
                Err(Error::mismatch(id, expected, format!("\"{missing}\"")))
            }
        }
    }

    fn repeat(&mut self, id: &str, inputs: &[String], fields: &Map<String, Value>) -> Result<()> {
        let whole = |value: &Value| value.as_f64().filter(|n| n.fract() == 0.0);
        let times = fields.get("times").and_then(whole);
        let times = times.filter(|times| (1.0..=MAX_NODES as f64).contains(times));
        let nodes = fields.get("nodes").cloned().unwrap_or_default();
        let nodes = serde_json::from_value::<Vec<NodeSpec>>(nodes);
        let nodes = nodes.ok().filter(|nodes| !nodes.is_empty());
        let known = fields.keys().all(|key| key == "times" || key == "nodes");
        let (Some(times), Some(nodes), [input], true) = (times, nodes, inputs, known) else {
            let expected = format!("one input, times (1 to {MAX_NODES}) and nodes (at least one)");
            let found = format!("{} inputs, {}", inputs.len(), Value::from(fields.clone()));
            return Err(Error::mismatch(id, expected, found));
        };
        self.previous.clone_from(input);
        for turn in 1..=times as usize {
            let mut frame = Frame {
                prefix: format!("{id}_{turn}_"),
                ..Frame::default()
            };
            frame.names.insert(INPUT.to_owned(), self.previous.clone());
            self.frames.push(frame);
            nodes.iter().try_for_each(|node| self.add(node))?;
            self.frames.pop();
        }
        Ok(())
    }

    /// Adds a node whose names are the network's.
    fn put(
        &mut self,
        id: String,
        kind: &str,
        inputs: Vec<String>,
        fields: &Map<String, Value>,
    ) -> Result<()> {
        check_id(&id)?;
        let kind = layers::find(kind)?;
        self.check_inputs(&id, &inputs)?;
        let values = Values::check(&id, &(kind.fields)(), fields)?;
        let expand = match kind.body {
            Body::Block(expand) => expand,
            Body::Layer(_) => return self.push(id, kind, inputs, values),
        };
        let [input] = inputs.as_slice() else {
            return Err(Error::mismatch(id, "one input", inputs.len().to_string()));
        };
        for inner in expand(&id, input, &values)? {
            let inputs = if inner.inputs.is_empty() {
                vec![self.previous.clone()]
            } else {
                inner.inputs
            };
            self.put(
                inner.id.unwrap_or_default(),
                &inner.kind,
                inputs,
                &inner.fields,
            )?;
        }
        Ok(())
    }

    fn push(
        &mut self,
        id: String,
        kind: &'static layers::LayerKind,
        inputs: Vec<String>,
        values: Values,
    ) -> Result<()> {
        if !self.ids.insert(id.clone()) {
            return Err(Error::mismatch(id, "an id of its own", "it twice"));
        }
        if self.nodes.len() == MAX_NODES {
            let expected = format!("at most {MAX_NODES} nodes");
            return Err(Error::mismatch("network", expected, "more"));
        }
        self.previous.clone_from(&id);
        self.nodes.push(Resolved {
            id,
            kind,
            inputs,
            values,
        });
        Ok(())
    }
}

fn check_id(id: &str) -> Result<()> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if (1..=64).contains(&id.len()) && id.chars().all(allowed) {
        return Ok(());
    }
    let expected = "1 to 64 letters, digits, _ or -";
    Err(Error::mismatch("node id", expected, format!("\"{id}\"")))
}
