//! What a layer sees in an image, exaggerated: an image whose activations are a multiple of this image's
//! (the caricatures of Olah et al. 2018, "The Building Blocks of Interpretability", with a distance in
//! place of their product, so that the factor says how much).

use crate::error::Result;
use crate::field::Field;

use super::ascent;
use super::inversion::{NEEDS, approach};
use super::preset::Preset;
use super::{Course, Needs, Recipe, Request, Visualization};

/// The method.
#[derive(Debug)]
pub(super) struct Caricature;

impl Visualization for Caricature {
    fn id(&self) -> &'static str {
        "caricature"
    }

    fn name(&self) -> &'static str {
        "Caricature"
    }

    fn doc(&self) -> &'static str {
        "What this layer sees in this image, exaggerated: an image whose activations are a multiple of its \
         (after Olah et al. 2018)."
    }

    fn needs(&self) -> Needs {
        NEEDS
    }

    fn fields(&self) -> Vec<Field> {
        self.fields_for([1, 28, 28])
    }

    fn fields_for(&self, input: [usize; 3]) -> Vec<Field> {
        let factor = "How many times this image's activations.";
        let mut fields = vec![Field::number("factor", factor, 1.0, 100.0, 4.0)];
        fields.extend(ascent::fields(&Preset {
            start: "image",
            ..Preset::of(input).still()
        }));
        fields
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        Ok(self.course(request)?.recipe)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        let factor = request.values.number("factor")? as f32;
        approach(request, factor, "exaggerated")
    }
}
