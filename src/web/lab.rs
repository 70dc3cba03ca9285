//! Everything the page can ask, on one backend: a dataset, a network in training, its probe for live
//! pictures, and the jobs under way. Calls come one at a time; long work is a job that the caller
//! advances in slices, and the clock is the caller's.

use std::cell::Cell;
use std::rc::Rc;

use litemap::LiteMap;

use serde_json::{Map, Value};

use crate::backend::Backend;
use crate::data::{self, DATASETS, Dataset};
use crate::error::{Error, Result};
use crate::nn::{Network, NetworkSpec};
use crate::tensor::Tensor;
use crate::train::{Loaded, Probe, Session};
use crate::zoo::ARCHITECTURES;

use super::choices::{Chosen, network_for, network_info};
use super::messages::{Choice, Counters, DatasetInfo, Info, NetworkInfo};
use super::work::Work;

/// An image as scripts give it: c·h·w values in 0..1.
pub type Image = Vec<f32>;

/// The laboratory on one backend.
#[derive(Debug)]
pub struct Lab<B: Backend> {
    pub(super) backend: B,
    note: Option<String>,
    pub(super) session: Session<B>,
    pub(super) probe: Probe<B>,
    /// While gradients are looked at.
    pub(super) gradients: Option<Probe<B>>,
    /// Whether the probes hold what was drawn last, and not another image's values.
    pub(super) current: Cell<bool>,
    pub(super) probe_image: Tensor,
    /// Its class, where that is known.
    pub(super) probe_class: Option<usize>,
    chosen: Chosen,
    seed: u64,
    pub(super) jobs: LiteMap<u32, Work<B>>,
    pub(super) next_job: u32,
}

impl<B: Backend> Lab<B> {
    /// A laboratory with the first dataset and the first architecture of their registries. `note`
    /// says why this backend was chosen.
    ///
    /// # Errors
    /// When the backend has no room for them.
    pub async fn new(backend: B, note: Option<String>) -> Result<Self> {
        let dataset = data::generate(DATASETS[0].id, &Map::new())?;
        let data = Rc::new(Loaded::new(&backend, dataset)?);
        let choice = Choice {
            id: ARCHITECTURES[0].id.to_owned(),
            options: Map::new(),
        };
        let chosen = Chosen::Architecture(choice);
        let network = network_for(&chosen, &data.dataset)?;
        let session = Session::new(&backend, data, network, 0)?;
        let probe = session.probe().await?;
        let test = &session.data().dataset.test;
        let (probe_image, probe_class) = (test.image(0)?, Some(test.label(0)?));
        let jobs = LiteMap::new();
        Ok(Self {
            backend,
            note,
            session,
            probe,
            gradients: None,
            current: Cell::new(false),
            probe_class,
            probe_image,
            chosen,
            seed: 0,
            jobs,
            next_job: 0,
        })
    }

    /// What it runs on.
    pub fn info(&self) -> Info {
        let adapter = self.backend.adapter();
        Info {
            backend: adapter.backend.into(),
            adapter: adapter.name,
            software: adapter.software,
            version: env!("CARGO_PKG_VERSION").into(),
            note: self.note.clone(),
        }
    }

    /// Generates a dataset and trains on it from now on. The network is rebuilt for its shape.
    ///
    /// # Errors
    /// As [`data::generate`], or when no network fits; then everything stays as it was.
    pub async fn set_dataset(&mut self, choice: &Choice) -> Result<DatasetInfo> {
        self.use_dataset(data::generate(&choice.id, &choice.options)?)
            .await
    }

    /// Loads a dataset from files and trains on it from now on.
    ///
    /// # Errors
    /// As [`data::load_idx`], or when no network fits; then everything stays as it was.
    pub async fn set_dataset_files(
        &mut self,
        name: &str,
        files: &[(String, &[u8])],
    ) -> Result<DatasetInfo> {
        self.use_dataset(data::load_idx(name, files)?).await
    }

    async fn use_dataset(&mut self, dataset: Dataset) -> Result<DatasetInfo> {
        let current = (self.chosen.clone(), network_for(&self.chosen, &dataset));
        let (chosen, network) = match current {
            (chosen, Ok(network)) => (chosen, network),
            // The current network cannot take these images: the first that can.
            (_, Err(refusal)) => {
                let small = ARCHITECTURES
                    .iter()
                    .filter(|architecture| !architecture.full);
                let choices = small.map(|architecture| {
                    let id = architecture.id.to_owned();
                    Chosen::Architecture(Choice {
                        id,
                        options: Map::new(),
                    })
                });
                let fits = |chosen: Chosen| {
                    network_for(&chosen, &dataset)
                        .ok()
                        .map(|network| (chosen, network))
                };
                choices.into_iter().find_map(fits).ok_or(refusal)?
            }
        };
        let data = Rc::new(Loaded::new(&self.backend, dataset)?);
        self.replace(data, chosen, network).await?;
        Ok(self.dataset())
    }

    async fn replace(
        &mut self,
        data: Rc<Loaded<B>>,
        chosen: Chosen,
        network: Network,
    ) -> Result<()> {
        let session = Session::new(&self.backend, data, network, self.seed)?;
        let probe = session.probe().await?;
        let dataset = &session.data().dataset;
        if self.probe_image.shape().dims() != dataset.shape
            || !Rc::ptr_eq(session.data(), self.session.data())
        {
            self.probe_image = dataset.test.image(0)?;
            self.probe_class = Some(dataset.test.label(0)?);
        }
        self.jobs.clear();
        self.gradients = None;
        self.current.set(false);
        self.session = session;
        self.probe = probe;
        self.chosen = chosen;
        Ok(())
    }

    /// The current dataset.
    pub fn dataset(&self) -> DatasetInfo {
        let dataset = &self.session.data().dataset;
        DatasetInfo {
            name: dataset.name.clone(),
            doc: dataset.doc.clone(),
            classes: dataset.classes.clone(),
            shape: dataset.shape,
            train: dataset.train.len(),
            test: dataset.test.len(),
        }
    }

    /// Builds an architecture of the registry for the current dataset, with fresh weights.
    ///
    /// # Errors
    /// When there is none of this name, a setting is wrong, or it cannot take the images; then the
    /// network stays as it was.
    pub async fn set_network(&mut self, choice: Choice) -> Result<NetworkInfo> {
        self.use_network(Chosen::Architecture(choice)).await
    }

    /// Builds a network from its description, with fresh weights.
    ///
    /// # Errors
    /// When the description is wrong or does not fit the dataset; then the network stays as it was.
    pub async fn set_network_spec(&mut self, spec: NetworkSpec) -> Result<NetworkInfo> {
        self.use_network(Chosen::Spec(spec)).await
    }

    async fn use_network(&mut self, chosen: Chosen) -> Result<NetworkInfo> {
        let network = network_for(&chosen, &self.session.data().dataset)?;
        self.replace(self.session.data().clone(), chosen, network)
            .await?;
        Ok(self.network())
    }

    /// The current network.
    pub fn network(&self) -> NetworkInfo {
        network_info(self.session.network())
    }

    /// Draws new weights and forgets all progress; without a seed, those of the last seed.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn reset(&mut self, seed: Option<u32>) -> Result<()> {
        self.seed = seed.map_or(self.seed, u64::from);
        self.jobs.clear();
        self.session.reset(self.seed)
    }

    /// Image `index` of a split ("test" if none is named) and its label.
    ///
    /// # Errors
    /// When there is no such split or image.
    pub fn example(&self, index: usize, split: Option<&str>) -> Result<(Image, usize)> {
        let split = self.session.data().split(split.unwrap_or("test"))?;
        Ok((split.image(index)?.to_vec(), split.label(index)?))
    }

    /// All parameters and running statistics, by name.
    ///
    /// # Errors
    /// When the backend fails.
    pub async fn parameters(&self) -> Result<Vec<(String, Tensor)>> {
        self.session.parameters().await
    }

    /// Overwrites the named parameters.
    ///
    /// # Errors
    /// As [`Session::set_parameters`].
    pub async fn set_parameters(&mut self, named: &[(String, Tensor)]) -> Result<()> {
        self.session.set_parameters(named).await
    }

    /// What was asked of the backend since the last call.
    pub fn counters(&self) -> Counters {
        let counters = self.backend.counters();
        Counters {
            dispatches: counters.dispatches as f64,
            submits: counters.submits as f64,
            buffers_created: counters.buffers_created as f64,
            bind_groups_created: counters.bind_groups_created as f64,
            bytes_written: counters.bytes_written as f64,
            readbacks: counters.readbacks as f64,
            gpu_bytes: counters.gpu_bytes as f64,
        }
    }

    /// An image of the dataset's shape.
    pub(super) fn image(&self, image: Image) -> Result<Tensor> {
        let shape = self.session.data().dataset.shape;
        let found = image.len();
        Tensor::new(shape, image).map_err(|_| {
            let [c, h, w] = shape;
            let expected = format!("{c}x{h}x{w} = {} values", c * h * w);
            Error::mismatch("image", expected, found.to_string())
        })
    }
}

/// Settings that arrive as `{ id, ...settings }`.
pub(super) fn split_id(what: &'static str, mut given: Map<String, Value>) -> Result<Choice> {
    match given.remove("id") {
        Some(Value::String(id)) => Ok(Choice { id, options: given }),
        other => {
            let found = other.map_or_else(|| "none".to_owned(), |value| value.to_string());
            Err(Error::mismatch(what, "an id", found))
        }
    }
}
