//! Looking inside: the image that live pictures are shown for, the passes that are run for it, and what is read of them
//! and of other images.

use crate::backend::Backend;
use crate::error::{Error, Result};
use crate::tensor::Tensor;

use super::lab::{Image, Lab};
use super::messages::{Tile, TileKind};
use super::tiles::{Group, layer_index, resolve, unseen};

impl<B: Backend> Lab<B> {
    /// Chooses the image that live pictures are shown for, and says of which class it is, if that is known.
    ///
    /// # Errors
    /// When its size or its class is wrong.
    pub fn set_probe(&mut self, image: Image, class: Option<usize>) -> Result<()> {
        let classes = self.session.network().spec.classes;
        if let Some(wrong) = class.filter(|&class| class >= classes) {
            let expected = format!("an index below {classes}");
            return Err(Error::mismatch("class", expected, wrong.to_string()));
        }
        (self.probe_image, self.probe_class) = (self.image(image)?, class);
        Ok(())
    }

    /// Prepares the backward pass if there are gradients to be `looked` at, or lets go of it.
    ///
    /// # Errors
    /// When the backend has no room.
    pub async fn look_at_gradients(&mut self, looked: bool) -> Result<()> {
        if !looked {
            self.gradients = None;
        } else if self.gradients.is_none() {
            self.gradients = Some(self.probe.gradients(&self.session).await?);
            self.current.set(false);
        }
        Ok(())
    }

    /// Submits the forward pass of the probe image, and the backward pass if gradients are looked at, before the
    /// tiles are drawn.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn run_probe(&self) -> Result<()> {
        self.probe.run(&self.probe_image)?;
        if let Some(gradients) = &self.gradients {
            gradients.run_back(self.probe_class, self.session.network())?;
        }
        self.current.set(true);
        Ok(())
    }

    /// Brings the probe back to its image. What was drawn last is there still and is not run again, which would
    /// cost training one more forward pass for each of the numbers that are shown beside the pictures.
    fn recall(&self) -> Result<()> {
        match self.current.get() {
            true => Ok(()),
            false => self.run_probe(),
        }
    }

    /// Class probabilities of the probe image, as it was drawn last. Like [`Self::ranges`] it is asked for at once and
    /// awaited without the laboratory, so that training goes on meanwhile.
    ///
    /// # Errors
    /// When the backend fails.
    pub fn probabilities(&self) -> impl Future<Output = Result<Vec<f32>>> + 'static + use<B> {
        let reading = self.recall().map(|()| self.probe.probabilities());
        async move { reading?.await }
    }

    /// The smallest and largest of what is shown of each channel of each layer that has it, for the probe image as it
    /// was drawn last.
    ///
    /// # Errors
    /// When the backend fails, or gradients are not looked at.
    pub fn ranges(
        &self,
        kind: TileKind,
    ) -> impl Future<Output = Result<Vec<(String, Vec<f32>)>>> + 'static + use<B> {
        let reading = self.recall().and_then(|()| {
            let gradients = self.gradients.as_ref();
            Ok(match kind.is_gradient() {
                true => gradients.ok_or_else(unseen)?.ranges(),
                false => self.probe.ranges(),
            })
        });
        let network = self.session.network();
        let inputs = network.spec.input[0];
        let names: Vec<String> = (network.layers.iter())
            .map(|layer| layer.id.clone())
            .collect();
        async move {
            let [mut layers, kernels] = reading?.await?;
            if kind == TileKind::Activation {
                // Those that an image may have.
                layers[0].1 = [0.0, 1.0].repeat(inputs);
            }
            let rows = if kind.is_kernel() { kernels } else { layers };
            Ok(rows
                .into_iter()
                .map(|(index, row)| (names[index].clone(), row))
                .collect())
        }
    }

    /// What the tiles of a view show.
    ///
    /// # Errors
    /// When a tile names something that the network does not have.
    pub fn resolve(&self, tiles: &[Tile]) -> Result<Vec<Group<B>>> {
        resolve(&self.session, &self.probe, self.gradients.as_ref(), tiles)
    }

    /// Class probabilities of an image.
    ///
    /// # Errors
    /// When its size or values are wrong, or the backend fails.
    pub async fn predict(&self, image: Image) -> Result<Vec<f32>> {
        self.run_for(image)?;
        self.probe.probabilities().await
    }

    /// A layer's activations for an image, `[c, h, w]`.
    ///
    /// # Errors
    /// When there is no such layer, the image is wrong, or the backend fails.
    pub async fn activations(&self, layer: &str, image: Image) -> Result<Tensor> {
        let index = layer_index(self.session.network(), layer)?;
        self.run_for(image)?;
        self.probe.activations(self.session.network(), index).await
    }

    /// A layer's activations for many images of a split ("test" if none is named), `[n, features]`.
    ///
    /// # Errors
    /// When there is no such layer, split or image, or the backend has no room.
    pub async fn features(
        &self,
        layer: &str,
        indices: &[u32],
        split: Option<&str>,
    ) -> Result<Tensor> {
        let index = layer_index(self.session.network(), layer)?;
        let split = split.unwrap_or("test");
        self.session.features(index, split, indices).await
    }

    /// Runs the probe for another image.
    fn run_for(&self, image: Image) -> Result<()> {
        let image = self.image(image)?;
        self.current.set(false);
        self.probe.run(&image)
    }
}
