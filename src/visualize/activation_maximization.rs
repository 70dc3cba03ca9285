//! The image that excites a unit, a channel, a layer or a class most, or least, found by gradient ascent
//! (Erhan et al. 2009; Simonyan et al. 2014; Olah et al. 2017): every objective with every aim. How the
//! ascent is put together is in [`ascent`].

use crate::error::{Error, Result};
use crate::field::Field;
use crate::graph::{Graph, ValueId};
use crate::ops;
use crate::tensor::Spec;

use super::aim::{self, Aim};
use super::ascent::{self, Ascent, Batch};
use super::climb::Goal;
use super::objective::{self, OBJECTIVES, Objective, Sight, Subject, map_means};
use super::preset::Preset;
use super::{Course, Needs, Recipe, Request, Visualization, as_maps};

/// The method.
#[derive(Debug)]
pub(super) struct ActivationMaximization;

/// Images optimized at once; more come in further batches.
const MOST_IMAGES: usize = 64;

impl Visualization for ActivationMaximization {
    fn id(&self) -> &'static str {
        "activation-maximization"
    }

    fn name(&self) -> &'static str {
        "Activation maximization"
    }

    fn doc(&self) -> &'static str {
        "An image made from noise to excite this unit as much as possible (Erhan et al. 2009; Olah et \
         al. 2017)."
    }

    fn needs(&self) -> Needs {
        Needs {
            layer: true,
            channel: true,
            image: false,
        }
    }

    fn about_unit(&self) -> Option<&'static [(&'static str, &'static str)]> {
        Some(&[("end", "both")])
    }

    fn fields(&self) -> Vec<Field> {
        self.fields_for([1, 28, 28])
    }

    fn fields_for(&self, input: [usize; 3]) -> Vec<Field> {
        let what = "What is raised: the unit at the middle of its map, its mean over the map, the mean square \
                    of the layer, or a class's score before or probability behind the softmax, or both.";
        let class = "Index of the class, where one is raised.";
        let whole = "An image for each unit of the layer, or for each class.";
        let diversity =
            "Weight of how much images of the same unit are to differ in the layer's channels.";
        let ids: Vec<&str> = OBJECTIVES.iter().map(|entry| entry.id).collect();
        let mut fields = vec![
            Field::choice("objective", what, &ids, ids[0]),
            Field::bool("wholeLayer", whole, false),
            Field::integer("class", class, 0.0, 65_535.0, 0.0),
        ];
        fields.extend(aim::fields());
        fields.push(Field::number("diversity", diversity, 0.0, 1000.0, 0.0));
        fields.extend(ascent::fields(&Preset::of(input)));
        fields
    }

    fn recipe(&self, request: &Request<'_>) -> Result<Recipe> {
        Ok(self.course(request)?.recipe)
    }

    fn course(&self, request: &Request<'_>) -> Result<Course> {
        let values = &request.values;
        let objective = objective::find(&values.choice("objective")?)?;
        if objective.of != Subject::Classes {
            request.behind_input("activation maximization")?;
        }
        let layer = request.layer_id();
        let (what, one, count) = match objective.of {
            Subject::Channels => {
                let channels = request.network.layers[request.layer].shape[0];
                (format!("{layer} unit"), request.channel, channels)
            }
            Subject::Layer => (format!("{layer}, image"), 0, 1),
            Subject::Classes => {
                let classes = request.network.spec.classes;
                ("class".to_owned(), values.integer("class")?, classes)
            }
        };
        if one >= count {
            let expected = format!("an index below {count}");
            return Err(Error::mismatch("class", expected, one.to_string()));
        }
        let units: Vec<usize> = match values.bool("wholeLayer")? {
            true => (0..count).collect(),
            false => vec![one],
        };
        let aims = aim::aims(values, &units, count, &what)?;
        let diversity = values.number("diversity")? as f32;
        climb(request, objective, &aims, diversity)
    }
}

/// The course of an ascent towards each of `aims`, one image each.
///
/// # Errors
/// When a setting does not fit the others.
pub(super) fn climb(
    request: &Request<'_>,
    objective: &Objective,
    aims: &[Aim],
    diversity: f32,
) -> Result<Course> {
    let images = aims.len().min(MOST_IMAGES);
    let count = aims.first().map_or(0, |aim| aim.weights.len());
    let batches = aims.chunks(images.max(1)).map(|aims| batch(aims, images));
    let ascent = Ascent {
        request,
        images,
        batches: batches.collect(),
        value: objective.value,
    };
    let (layer, diverse) = (request.layer, diversity > 0.0 && images > 1);
    ascent.course(|graph, built| {
        let sight = Sight {
            maps: as_maps(graph, built.layers[layer])?,
            logits: built.logits,
            aims: graph.external("aims", Spec::f32([images, count]))?,
        };
        let shown = (objective.score)(graph, &sight)?;
        let signs = graph.external("signs", Spec::f32([images]))?;
        let mut raised = ops::mul(graph, shown, signs)?;
        if diverse {
            let alike = likeness(graph, sight.maps)?;
            let penalty = ops::affine(graph, alike, -diversity, 0.0)?;
            raised = ops::add(graph, raised, penalty)?;
        }
        Ok(Goal { raised, shown })
    })
}

/// A batch of `images` for these aims, the last of which fills it up.
fn batch(aims: &[Aim], images: usize) -> Batch {
    let filled = || (0..images).filter_map(|i| aims.get(i).or(aims.last()));
    let bits = |x: &f32| x.to_bits();
    let kin = filled().flat_map(|a| filled().map(move |b| f32::from(u8::from(a == b))));
    // Not oneself, and as a mean over the others.
    let kin = kin
        .enumerate()
        .map(|(i, same)| match i / images == i % images {
            true => 0.0,
            false => same / (images - 1) as f32,
        });
    Batch {
        titles: aims.iter().map(|aim| aim.label.clone()).collect(),
        buffers: vec![
            (
                "aims",
                filled().flat_map(|aim| &aim.weights).map(bits).collect(),
            ),
            ("signs", filled().map(|aim| aim.sign.to_bits()).collect()),
            ("kin", kin.map(f32::to_bits).collect()),
        ],
    }
}

/// For each image of `maps` `[n, h, w, c]`, the mean squared correlation, over the channels' means, with the
/// images of the same aim: `[n]`. After the diversity term of Olah et al. 2017 (section "Diversity"),
/// which compares Gram matrices.
fn likeness(graph: &mut Graph, maps: ValueId) -> Result<ValueId> {
    let means = map_means(graph, maps)?;
    let [n, c] = graph.shape(means).two("diversity")?;
    let columns = ops::transpose(graph, means, [1, n, c], [c, n])?;
    let own = ops::moments(graph, columns)?;
    let (ones, zeros) = (
        graph.constant([n], &vec![1.0; n])?,
        graph.constant([n], &vec![0.0; n])?,
    );
    let x = ops::batch_norm_by_own(graph, columns, own, [ones, zeros], 1e-5)?;
    let correlations = ops::matmul(graph, x, x, true, false)?;
    let correlations = ops::affine(graph, correlations, 1.0 / c as f32, 0.0)?;
    let squares = ops::mul(graph, correlations, correlations)?;
    let kin = graph.external("kin", Spec::f32([n, n]))?;
    let squares = ops::mul(graph, squares, kin)?;
    ops::sum(graph, squares, [n, n, 1], [n], 1.0)
}
