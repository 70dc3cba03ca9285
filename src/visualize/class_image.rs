//! What a class looks like to the network: the image of the highest unnormalized class score with an L2
//! penalty, climbed to from the mean image (Simonyan et al. 2014, section 2). The paper optimizes pixels and
//! keeps them still; by default frequencies are optimized here and the image moves, as pixels of small
//! networks end in noise, and the class's probability is raised beside its score, as the highest score of
//! one class may come with a still higher one of another.

use crate::error::{Error, Result};
use crate::field::Field;

use super::activation_maximization::climb;
use super::aim::Aim;
use super::ascent;
use super::objective::{self, OBJECTIVES, Subject};
use super::preset::Preset;
use super::{Course, Group, Needs, Recipe, Request, Visualization, class_name};

/// The method.
#[derive(Debug)]
pub(super) struct ClassImage;

impl Visualization for ClassImage {
    fn id(&self) -> &'static str {
        "class-image"
    }

    fn name(&self) -> &'static str {
        "Class image"
    }

    fn doc(&self) -> &'static str {
        "The image that this network finds most like a class: highest score, with an L2 penalty, from the \
         mean image (Simonyan et al. 2014)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: false,
            channel: false,
            image: false,
        }
    }

    fn group(&self) -> Group {
        Group::Unit
    }

    fn fields(&self) -> Vec<Field> {
        self.fields_for([1, 28, 28])
    }

    fn fields_for(&self, input: [usize; 3]) -> Vec<Field> {
        let preset = Preset {
            start: "mean",
            l2: 1.0,
            ..Preset::of(input)
        };
        let every = "An image for each class.";
        let what = "What is raised: the class's score before the softmax, its probability behind it, or both, \
                    so that no similar class is raised more.";
        let ids = OBJECTIVES
            .iter()
            .filter(|entry| entry.of == Subject::Classes);
        let ids: Vec<&str> = ids.map(|entry| entry.id).collect();
        let mut fields = vec![
            Field::integer("class", "Index of the class.", 0.0, 65_535.0, 0.0),
            Field::bool("everyClass", every, true),
            Field::choice("objective", what, &ids, "class score + probability"),
        ];
        fields.extend(ascent::fields(&preset));
        fields
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        Ok(self.course(request)?.recipe)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        let classes = request.network.spec.classes;
        let class = request.values.integer("class")?;
        if class >= classes {
            let expected = format!("a class below {classes}");
            return Err(Error::mismatch(
                "class-image.class",
                expected,
                class.to_string(),
            ));
        }
        let chosen = match request.values.bool("everyClass")? {
            true => 0..classes,
            false => class..class + 1,
        };
        let aim = |class: usize| Aim {
            label: class_name(request.classes, class),
            weights: (0..classes)
                .map(|i| f32::from(u8::from(i == class)))
                .collect(),
            sign: 1.0,
        };
        let aims: Vec<Aim> = chosen.map(aim).collect();
        // The network sees the whole image, whichever layer is selected.
        let whole = Request {
            layer: request.network.layers.len() - 1,
            values: request.values.clone(),
            ..*request
        };
        let objective = objective::find(&request.values.choice("objective")?)?;
        climb(&whole, objective, &aims, 0.0)
    }
}
