//! Every attribution for one image and class, one after another, so that they can be compared.

use crate::error::{Error, Result};
use crate::field::Field;

use super::super::{Needs, Recipe, Request, Visualization};
use super::{IMAGE, all, class_field, map_recipe, with_defaults};

/// The method.
#[derive(Debug)]
pub(in super::super) struct Attributions;

impl Visualization for Attributions {
    fn id(&self) -> &'static str {
        "attributions"
    }

    fn name(&self) -> &'static str {
        "Attributions compared"
    }

    fn doc(&self) -> &'static str {
        "Every way of saying which pixels count for the class, side by side at its default settings; what \
         looks at a layer looks at the last with maps."
    }

    fn needs(&self) -> Needs {
        IMAGE
    }

    fn fields(&self) -> Vec<Field> {
        vec![class_field()]
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        let mut chain: Option<Recipe> = None;
        for method in all() {
            // A method that does not apply to this network is left out; its own panel says why.
            let Ok(mut recipe) = map_recipe(method, &with_defaults(method, request)?) else {
                continue;
            };
            // Only the map; what else a method tells is in its own panel.
            let decode = recipe.decode;
            recipe.decode = Box::new(move |outputs: &[Vec<f32>]| {
                let mut pictures = decode(outputs)?;
                pictures.truncate(1);
                Ok(pictures)
            });
            chain = Some(match chain {
                Some(before) => before.followed_by(recipe),
                None => recipe,
            });
        }
        chain.ok_or_else(|| Error::mismatch("attributions", "a method that applies", "none"))
    }
}
