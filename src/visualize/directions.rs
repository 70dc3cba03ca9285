//! Images of directions among the units of a layer, all in one batch: the icons of an activation atlas (Carter et
//! al. 2019), whose directions come from outside, from the images of a dataset that a layer answers alike.

use crate::error::{Error, Result};
use crate::field::Field;

use super::activation_maximization::climb;
use super::aim::Aim;
use super::objective::DIRECTION;
use super::preset::Preset;
use super::{Course, Needs, Recipe, Request, Visualization, ascent, check_finite};

/// The method.
#[derive(Debug)]
pub(super) struct Directions;

impl Visualization for Directions {
    fn id(&self) -> &'static str {
        "directions"
    }

    fn name(&self) -> &'static str {
        "Directions"
    }

    fn doc(&self) -> &'static str {
        "An image for each of some directions among the units of this layer: what many units together look for (Carter \
         et al. 2019)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: false,
            image: false,
        }
    }

    fn takes_directions(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<Field> {
        self.fields_for([1, 28, 28])
    }

    fn fields_for(&self, input: [usize; 3]) -> Vec<Field> {
        ascent::fields(&Preset::of(input))
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        Ok(self.course(request)?.recipe)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        request.behind_input("directions")?;
        let units = request.network.layers[request.layer].shape[0];
        let all = request.directions.unwrap_or_default();
        if all.is_empty() || !all.len().is_multiple_of(units) {
            let expected = format!("{units} numbers for each");
            let place = format!("directions among the units of {}", request.layer_id());
            return Err(Error::mismatch(place, expected, all.len().to_string()));
        }
        check_finite("directions", "numbers", all)?;
        let mut aims = Vec::new();
        for (at, direction) in all.chunks_exact(units).enumerate() {
            let length = direction.iter().map(|x| x * x).sum::<f32>().sqrt();
            let least = f32::MIN_POSITIVE;
            aims.push(Aim {
                label: format!("{} direction {at}", request.layer_id()),
                weights: direction.iter().map(|x| x / length.max(least)).collect(),
                sign: 1.0,
            });
        }
        climb(request, &DIRECTION, &aims, 0.0)
    }
}
