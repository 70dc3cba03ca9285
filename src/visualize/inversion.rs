//! What a layer still knows of an image: another image, made from noise, that the layer cannot tell from it
//! (Mahendran & Vedaldi 2015, equation 1, with their total variation). With a factor above 1 the layer's
//! answer is exaggerated: see [`caricature`](super::caricature).

use crate::error::Result;
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::nn::Mode;
use crate::ops;

use super::ascent::{self, Ascent, Batch};
use super::climb::Goal;
use super::preset::Preset;
use super::{Course, Needs, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct Inversion;

/// What a reconstruction is given.
pub(super) const NEEDS: Needs = Needs {
    layer: true,
    channel: false,
    image: true,
};

impl Visualization for Inversion {
    fn id(&self) -> &'static str {
        "feature-inversion"
    }

    fn name(&self) -> &'static str {
        "Feature inversion"
    }

    fn doc(&self) -> &'static str {
        "What this layer still knows of this image: another image, made from noise, with the same \
         activations (Mahendran & Vedaldi 2015)."
    }

    fn needs(&self) -> Needs {
        NEEDS
    }

    fn fields(&self) -> Vec<Field> {
        self.fields_for([1, 28, 28])
    }

    fn fields_for(&self, input: [usize; 3]) -> Vec<Field> {
        ascent::fields(&Preset {
            total_variation: 0.02,
            ..Preset::of(input).still()
        })
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        Ok(self.course(request)?.recipe)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        approach(request, 1.0, "inverted")
    }
}

/// The course towards an image whose activations are `factor` times those of the request's image.
///
/// # Errors
/// When the layer is the input, or there is no image.
pub(super) fn approach(request: &Request<'_>, factor: f32, what: &'static str) -> Result<Course> {
    let layer = request.layer;
    request.behind_input(what)?;
    let ascent = Ascent {
        request,
        images: 1,
        batches: vec![Batch {
            titles: vec![format!("{} {what}", request.layer_id())],
            buffers: vec![("image", request.image_words()?)],
        }],
        value: "relative squared distance",
    };
    ascent.course(|graph, built| {
        let image = request.external_image(graph)?;
        let x = request.normalize(graph, image)?;
        let reference = request.network.build(graph, x, Mode::Eval)?.layers[layer];
        let found = built.layers[layer];
        let goal = ops::affine(graph, reference, -factor, 0.0)?;
        let difference = ops::add(graph, found, goal)?;
        let shown = relative_square(graph, difference, goal)?;
        let raised = ops::affine(graph, shown, -1.0, 0.0)?;
        Ok(Goal { raised, shown })
    })
}

/// The sum of the squares of `x` over that of `unit`, of the same shape: `[1]`.
pub(super) fn relative_square(graph: &mut Graph, x: ValueId, unit: ValueId) -> Result<ValueId> {
    let size = graph.shape(x).elements();
    let squares = ops::mul(graph, unit, unit)?;
    let variance = ops::sum(graph, squares, [1, size, 1], [1], 1.0 / size as f32)?;
    // Batch norm with a given variance is the division.
    let (zero, one) = (graph.constant([1], &[0.0])?, graph.constant([1], &[1.0])?);
    let column = ops::reshape(graph, x, [size, 1])?;
    let scaled = ops::batch_norm(graph, column, [zero, variance], [one, zero], 1e-12)?;
    let squares = ops::mul(graph, scaled, scaled)?;
    ops::sum(graph, squares, [1, size, 1], [1], 1.0 / size as f32)
}
