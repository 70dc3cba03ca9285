//! Everything that can be chosen, as one message: the registries of all rooms.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Map;

use crate::backend::Backend;
use crate::data::{AUGMENTATIONS, AugmentationInfo, DATASETS};
use crate::error::Result;
use crate::field::{Field, Values};
use crate::nn::{LAYERS, Network};
use crate::train::{LOSSES, OPTIMIZERS, SCHEDULES};
use crate::visualize::{Group, VISUALIZATIONS};
use crate::zoo::ARCHITECTURES;

use super::choices::network_info;
use super::lab::Lab;

/// A registry entry, as menus and forms show it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Key in scripts and links.
    pub id: String,
    /// Name in menus.
    pub name: String,
    /// One sentence.
    pub doc: String,
    /// Settings.
    pub fields: Vec<Field>,
}

/// An architecture's entry, with its size on the current dataset's images.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct ArchitectureEntry {
    /// Key in scripts and links.
    pub id: String,
    /// Name in menus.
    pub name: String,
    /// One sentence with its paper.
    pub doc: String,
    /// Settings.
    pub fields: Vec<Field>,
    /// Family it belongs to.
    pub family: String,
    /// Whether it is a published network at full size, to be described rather than trained.
    pub full: bool,
    /// The images it was designed for, `[c, h, w]`.
    pub input: [usize; 3],
    /// Classes it was designed for.
    pub classes: usize,
    /// Trainable parameters at that input.
    pub params: usize,
    /// Multiply-adds per image at that input.
    pub macs: f64,
    /// Bytes that training takes at that input, per step of one image and with momentum.
    pub training_bytes: f64,
}

/// What a visualization must be given.
#[derive(Debug, Clone, Copy, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct MethodNeeds {
    /// A layer.
    pub layer: bool,
    /// A channel of that layer.
    pub channel: bool,
    /// An image.
    pub image: bool,
}

/// A visualization's entry.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
#[serde(rename_all = "camelCase")]
pub struct MethodEntry {
    /// Key in scripts and links.
    pub id: String,
    /// Name in menus.
    pub name: String,
    /// One sentence with its source.
    pub doc: String,
    /// Settings.
    pub fields: Vec<Field>,
    /// What it must be given.
    pub needs: MethodNeeds,
    /// Whether it must also be given directions; then no list offers it.
    pub directions: bool,
    /// Key of the group it is listed in.
    pub group: String,
    /// Where it belongs on the page of a unit: the settings in which it differs there from its defaults.
    pub about_unit: Option<BTreeMap<String, String>>,
}

/// What keeps the labels of a dataset's images true under an augmentation.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct Keeps {
    /// Key of the dataset, or "files" for one from outside.
    pub dataset: String,
    /// One sentence.
    pub range: String,
}

/// An augmentation's entry.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct AugmentationEntry {
    /// Key in scripts and links.
    pub id: String,
    /// Name in menus.
    pub name: String,
    /// One sentence with its source.
    pub doc: String,
    /// Settings.
    pub fields: Vec<Field>,
    /// Its range per dataset.
    pub keeps: Vec<Keeps>,
}

/// Everything that can be chosen.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS), ts(export))]
pub struct Catalog {
    /// Datasets that convscope generates.
    pub datasets: Vec<Entry>,
    /// Networks.
    pub architectures: Vec<ArchitectureEntry>,
    /// Layers for custom networks.
    pub layers: Vec<Entry>,
    /// Optimizers.
    pub optimizers: Vec<Entry>,
    /// Learning-rate schedules.
    pub schedules: Vec<Entry>,
    /// Losses.
    pub losses: Vec<Entry>,
    /// Augmentations.
    pub augmentations: Vec<AugmentationEntry>,
    /// Visualization methods.
    pub visualizations: Vec<MethodEntry>,
    /// The groups that these are listed in.
    pub groups: Vec<Entry>,
}

impl<B: Backend> Lab<B> {
    /// Everything that can be chosen.
    ///
    /// # Errors
    /// When a registry entry does not build at its own defaults.
    pub fn catalog(&self) -> Result<Catalog> {
        let entry = |id: &str, name: &str, doc: &str, fields: Vec<Field>| Entry {
            id: id.into(),
            name: name.into(),
            doc: doc.into(),
            fields,
        };
        let datasets = DATASETS
            .iter()
            .map(|d| entry(d.id, d.name, d.doc, (d.fields)()));
        let optimizers = OPTIMIZERS
            .iter()
            .map(|o| entry(o.id, o.name, o.doc, (o.fields)()));
        let schedules = SCHEDULES
            .iter()
            .map(|s| entry(s.id, s.name, s.doc, (s.fields)()));
        let losses = LOSSES
            .iter()
            .map(|l| entry(l.id, l.name, l.doc, (l.fields)()));
        let layers = LAYERS
            .iter()
            .map(|l| entry(l.id, l.id, l.doc, (l.fields)()));
        let visualizations = VISUALIZATIONS.iter().map(|method| {
            let needs = method.needs();
            MethodEntry {
                id: method.id().into(),
                name: method.name().into(),
                doc: method.doc().into(),
                fields: method.fields_for(self.session.network().spec.input),
                needs: MethodNeeds {
                    layer: needs.layer,
                    channel: needs.channel,
                    image: needs.image,
                },
                directions: method.takes_directions(),
                group: method.group().words()[0].into(),
                about_unit: method.about_unit().map(|settings| {
                    let own = |&(name, value): &(&str, &str)| (name.into(), value.into());
                    settings.iter().map(own).collect()
                }),
            }
        });
        let groups = Group::ALL.map(Group::words).into_iter();
        let groups = groups.map(|[id, name, doc]| entry(id, name, doc, Vec::new()));
        Ok(Catalog {
            datasets: datasets.collect(),
            architectures: architectures()?,
            layers: layers.collect(),
            optimizers: optimizers.collect(),
            schedules: schedules.collect(),
            losses: losses.collect(),
            augmentations: AUGMENTATIONS.iter().map(augmentation).collect(),
            visualizations: visualizations.collect(),
            groups: groups.collect(),
        })
    }
}

fn architectures() -> Result<Vec<ArchitectureEntry>> {
    ARCHITECTURES
        .iter()
        .map(|architecture| {
            let fields = (architecture.fields)();
            let values = Values::check(architecture.id, &fields, &Map::new())?;
            let (input, classes) = (architecture.input, architecture.classes);
            let network = Network::new(&(architecture.spec)(&values, input, classes)?)?;
            let info = network_info(&network);
            Ok(ArchitectureEntry {
                id: architecture.id.into(),
                name: architecture.name.into(),
                doc: architecture.doc.into(),
                fields,
                family: architecture.family.into(),
                full: architecture.full,
                input,
                classes,
                params: info.params,
                macs: info.macs,
                training_bytes: network.training_memory(1, 1).total() as f64,
            })
        })
        .collect()
}

fn augmentation(info: &AugmentationInfo) -> AugmentationEntry {
    let keeps = |&(dataset, range): &(&str, &str)| Keeps {
        dataset: dataset.into(),
        range: range.into(),
    };
    AugmentationEntry {
        id: info.id.into(),
        name: info.name.into(),
        doc: info.doc.into(),
        fields: (info.fields)(),
        keeps: info.keeps.iter().map(keeps).collect(),
    }
}
