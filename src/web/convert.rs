//! Between the core's values and JavaScript's: plain objects through serde, numbers in bulk as typed
//! arrays, errors as `Error` with the core's sentence.

use js_sys::{Array, Float32Array, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast as _, JsValue};

use crate::error::Error;
use crate::tensor::Tensor;
use crate::visualize::Picture;

use super::work::Slice;

/// A result as JavaScript sees it.
pub(super) type Js<T = JsValue> = Result<T, JsValue>;

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what map_err hands over"
)]
pub(super) fn js_error(error: Error) -> JsValue {
    js_sys::Error::new(&error.to_string()).into()
}

pub(super) fn to_js(value: &impl Serialize) -> Js {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    value.serialize(&serializer).map_err(Into::into)
}

pub(super) fn from_js<T: for<'de> Deserialize<'de>>(value: JsValue) -> Js<T> {
    serde_wasm_bindgen::from_value(value).map_err(Into::into)
}

pub(super) fn object(entries: &[(&str, JsValue)]) -> Js {
    let object = Object::new();
    for (key, value) in entries {
        Reflect::set(&object, &(*key).into(), value)?;
    }
    Ok(object.into())
}

pub(super) fn js_from_tensor(tensor: &Tensor) -> Js {
    let shape: Array = tensor
        .shape()
        .dims()
        .iter()
        .map(|&extent| JsValue::from(extent as f64))
        .collect();
    let data = Float32Array::from(tensor.to_vec().as_slice());
    object(&[("shape", shape.into()), ("data", data.into())])
}

pub(super) fn tensor_from_js(value: &JsValue) -> Js<Tensor> {
    let shape: Vec<usize> = from_js(Reflect::get(value, &"shape".into())?)?;
    let data = Reflect::get(value, &"data".into())?
        .dyn_into::<Float32Array>()?
        .to_vec();
    let elements = shape
        .iter()
        .try_fold(1_usize, |n, &extent| n.checked_mul(extent));
    if elements != Some(data.len()) {
        let expected = format!("values for shape {shape:?}");
        return Err(js_error(Error::mismatch(
            "tensor",
            expected,
            data.len().to_string(),
        )));
    }
    Tensor::new(shape.as_slice(), data).map_err(js_error)
}

pub(super) fn js_from_slice(slice: Slice) -> Js {
    let report = match (slice.trained, slice.evaluation) {
        (Some(step), _) => to_js(&step)?,
        (None, Some(evaluation)) => to_js(&evaluation)?,
        (None, None) => JsValue::UNDEFINED,
    };
    let pictures = match slice.pictures {
        Some(pictures) => pictures
            .iter()
            .map(js_from_picture)
            .collect::<Js<Array>>()?
            .into(),
        None => JsValue::UNDEFINED,
    };
    object(&[
        ("done", slice.done.into()),
        ("fraction", slice.fraction.into()),
        ("note", slice.note.as_ref().into()),
        ("waits", slice.waits.into()),
        ("background", slice.background.into()),
        ("steps", to_js(&slice.steps)?),
        ("report", report),
        ("pictures", pictures),
    ])
}

pub(super) fn js_from_picture(picture: &Picture) -> Js {
    let unit = match &picture.unit {
        Some((layer, unit)) => Array::of2(&layer.into(), &(*unit as f64).into()).into(),
        None => JsValue::UNDEFINED,
    };
    object(&[
        ("title", picture.title.as_str().into()),
        ("width", (picture.width as f64).into()),
        ("height", (picture.height as f64).into()),
        ("channels", (picture.channels as f64).into()),
        ("data", Float32Array::from(picture.data.as_slice()).into()),
        ("signed", picture.signed.into()),
        ("note", picture.note.as_deref().into()),
        ("shown", picture.shown.id().into()),
        ("unit", unit),
        (
            "ends",
            picture
                .ends
                .iter()
                .map(|end| JsValue::from(end.as_str()))
                .collect::<Array>()
                .into(),
        ),
    ])
}
