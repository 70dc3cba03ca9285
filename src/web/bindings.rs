//! The class `Lab` of the JavaScript module: each method turns its arguments into the core's, makes
//! one call, and turns the answer back. The worker makes one call at a time.

use std::pin::Pin;

use js_sys::{Array, Float32Array, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::future_to_promise;
use web_sys::OffscreenCanvas;

use crate::backend::Backend as _;
use crate::backend::any::Any;
use crate::backend::cpu::Cpu;
use crate::backend::gpu::Gpu;
use crate::error::{Error, Result};
use crate::nn::NetworkSpec;

use super::convert::{
    Js, from_js, js_error, js_from_picture, js_from_slice, js_from_tensor, object, tensor_from_js,
    to_js,
};
use super::desk::{Desk, Presenter};
use super::lab::Lab;
use super::messages::{Choice, Tile};
use super::present_gpu::GpuPresenter;
use super::present_host::HostPresenter;
use super::work::Given;

/// Everything the page can ask of the core.
#[wasm_bindgen(js_name = Lab)]
#[expect(
    missing_debug_implementations,
    reason = "JavaScript sees an opaque object"
)]
pub struct JsLab(Box<Desk>);

#[wasm_bindgen(js_class = Lab)]
impl JsLab {
    /// Brings up a backend ("webgpu", "cpu", or whichever suits) with default data and network.
    /// Live pictures are drawn by a real GPU, else by the CPU, or by the one that `drawing` names likewise.
    pub async fn create(backend: Option<String>, drawing: Option<String>) -> Js<Self> {
        console_error_panic_hook::set_once();
        let lab = lab(backend.as_deref()).await.map_err(js_error)?;
        desk(lab, drawing.as_deref()).map(Self).map_err(js_error)
    }

    /// See [`Lab::info`].
    pub fn info(&self) -> Js {
        to_js(&self.0.lab.info())
    }

    /// See [`Lab::catalog`].
    pub fn catalog(&self) -> Js {
        let catalog = self.0.lab.catalog();
        to_js(&catalog.map_err(js_error)?)
    }

    /// See [`Lab::dataset`].
    pub fn dataset(&self) -> Js {
        to_js(&self.0.lab.dataset())
    }

    /// See [`Lab::network`].
    pub fn network(&self) -> Js {
        to_js(&self.0.lab.network())
    }

    /// See [`Lab::set_dataset`].
    #[wasm_bindgen(js_name = setDataset)]
    pub async fn set_dataset(&mut self, choice: JsValue) -> Js {
        let choice: Choice = from_js(choice)?;
        let info = self.0.lab.set_dataset(&choice).await;
        self.0.forget_groups();
        to_js(&info.map_err(js_error)?)
    }

    /// See [`Lab::set_dataset_files`]; `files` is an array of `{ name, bytes: Uint8Array }`.
    #[wasm_bindgen(js_name = setDatasetFiles)]
    pub async fn set_dataset_files(&mut self, name: String, files: Array) -> Js {
        let mut owned = Vec::new();
        for file in files.iter() {
            let file_name = Reflect::get(&file, &"name".into())?
                .as_string()
                .unwrap_or_default();
            let bytes = Reflect::get(&file, &"bytes".into())?.dyn_into::<Uint8Array>()?;
            owned.push((file_name, bytes.to_vec()));
        }
        let files: Vec<(String, &[u8])> = owned
            .iter()
            .map(|(name, bytes)| (name.clone(), bytes.as_slice()))
            .collect();
        let info = self.0.lab.set_dataset_files(&name, &files).await;
        self.0.forget_groups();
        to_js(&info.map_err(js_error)?)
    }

    /// See [`Lab::set_network`] and [`Lab::set_network_spec`].
    #[wasm_bindgen(js_name = setNetwork)]
    pub async fn set_network(&mut self, choice: JsValue) -> Js {
        let spec = Reflect::get(&choice, &"spec".into())?;
        let info = if spec.is_undefined() {
            let choice: Choice = from_js(choice)?;
            self.0.lab.set_network(choice).await
        } else {
            let spec: NetworkSpec = from_js(spec)?;
            self.0.lab.set_network_spec(spec).await
        };
        self.0.forget_groups();
        to_js(&info.map_err(js_error)?)
    }

    /// Begins a job: "train", "evaluate" or "visualize".
    pub async fn begin(&mut self, kind: String, options: JsValue) -> Js<u32> {
        let id = match kind.as_str() {
            "train" => {
                let options = from_js(options)?;
                self.0.lab.begin_training(options)
            }
            "evaluate" => {
                let options = from_js(options)?;
                self.0.lab.begin_evaluation(options).await
            }
            "visualize" => {
                let rest = Object::assign(&Object::new(), options.unchecked_ref());
                // What is many numbers does not pass through serde.
                let take = |name: &str| -> Js<Option<Vec<f32>>> {
                    let found = Reflect::get(&rest, &name.into())?;
                    Reflect::delete_property(&rest, &name.into())?;
                    let numbers = found.dyn_into::<Float32Array>().ok();
                    Ok(numbers.map(|numbers| numbers.to_vec()))
                };
                let (image, directions) = (take("image")?, take("directions")?);
                let given = Given { image, directions };
                let options = from_js(rest.into())?;
                self.0.lab.begin_visualization(options, given).await
            }
            _ => Err(Error::unknown(
                "job",
                kind,
                ["train", "evaluate", "visualize"],
            )),
        };
        id.map_err(js_error)
    }

    /// See [`Lab::advance`].
    pub async fn advance(&mut self, job: u32) -> Js {
        let now = js_sys::Date::now();
        let slice = self.0.lab.advance(job, now).await;
        js_from_slice(slice.map_err(js_error)?)
    }

    /// See [`Lab::finish`].
    pub async fn finish(&mut self, job: u32) -> Js {
        let slice = self.0.lab.finish(job).await;
        js_from_slice(slice.map_err(js_error)?)
    }

    /// See [`Lab::reset`].
    pub fn reset(&mut self, seed: Option<u32>) -> Js<()> {
        self.0.lab.reset(seed).map_err(js_error)
    }

    /// See [`Lab::predict`].
    pub async fn predict(&self, image: Float32Array) -> Js<Float32Array> {
        let found = self.0.lab.predict(image.to_vec()).await;
        Ok(Float32Array::from(found.map_err(js_error)?.as_slice()))
    }

    /// See [`Lab::example`].
    pub fn example(&self, index: usize, split: Option<String>) -> Js {
        let found = self.0.lab.example(index, split.as_deref());
        let (image, label) = found.map_err(js_error)?;
        let image = Float32Array::from(image.as_slice());
        object(&[("image", image.into()), ("label", (label as f64).into())])
    }

    /// See [`Lab::augment`].
    pub async fn augment(&self, index: usize, options: JsValue) -> Js {
        let options = from_js(options)?;
        let found = self.0.lab.augment(index, options).await;
        let pictures = found.map_err(js_error)?;
        Ok(pictures
            .iter()
            .map(js_from_picture)
            .collect::<Js<Array>>()?
            .into())
    }

    /// See [`Lab::activations`].
    pub async fn activations(&self, layer: String, image: Float32Array) -> Js {
        let image = image.to_vec();
        let found = self.0.lab.activations(&layer, image).await;
        js_from_tensor(&found.map_err(js_error)?)
    }

    /// See [`Lab::features`].
    pub async fn features(&self, layer: String, indices: Vec<u32>, split: Option<String>) -> Js {
        let found = self.0.lab.features(&layer, &indices, split.as_deref());
        js_from_tensor(&found.await.map_err(js_error)?)
    }

    /// See [`Lab::parameters`].
    pub async fn parameters(&self) -> Js {
        let named = self.0.lab.parameters().await;
        let all = Object::new();
        for (name, tensor) in named.map_err(js_error)? {
            Reflect::set(&all, &name.into(), &js_from_tensor(&tensor)?)?;
        }
        Ok(all.into())
    }

    /// See [`Lab::set_parameters`]; the argument is like the answer of `parameters`.
    #[wasm_bindgen(js_name = setParameters)]
    pub async fn set_parameters(&mut self, parameters: Object) -> Js<()> {
        let mut named = Vec::new();
        for name in Object::keys(&parameters).iter() {
            let tensor = tensor_from_js(&Reflect::get(&parameters, &name)?)?;
            named.push((name.as_string().unwrap_or_default(), tensor));
        }
        self.0.lab.set_parameters(&named).await.map_err(js_error)
    }

    /// See [`Lab::counters`].
    pub fn counters(&self) -> Js {
        to_js(&self.0.lab.counters())
    }

    /// Takes over a canvas to draw tiles into.
    #[wasm_bindgen(js_name = attachCanvas)]
    pub fn attach_canvas(&mut self, view: String, canvas: OffscreenCanvas) -> Js<()> {
        self.0.attach(view, canvas).map_err(js_error)
    }

    /// Changes a canvas's size, in device pixels.
    #[wasm_bindgen(js_name = resizeCanvas)]
    pub fn resize_canvas(&mut self, view: String, width: u32, height: u32) -> Js<()> {
        self.0.resize(&view, [width, height]).map_err(js_error)
    }

    /// Says what a view shows on which background (`#rrggbb`).
    #[wasm_bindgen(js_name = setTiles)]
    pub fn set_tiles(&mut self, view: String, tiles: JsValue, background: String) -> Js<()> {
        let tiles: Vec<Tile> = from_js(tiles)?;
        let set = self.0.set_tiles(&view, tiles, &background);
        set.map_err(js_error)
    }

    /// See [`Lab::set_probe`].
    #[wasm_bindgen(js_name = setProbe)]
    pub fn set_probe(&mut self, image: Float32Array, class: Option<usize>) -> Js<()> {
        let set = self.0.lab.set_probe(image.to_vec(), class);
        set.map_err(js_error)
    }

    /// Runs the probe and begins to draw all views.
    pub async fn present(&mut self) -> Js<()> {
        self.0.present().await.map_err(js_error)
    }

    /// Until they are on their canvases. Other calls may come meanwhile.
    pub fn drawn(&mut self) -> Promise {
        let drawn = self.0.drawn();
        promise(async move {
            drawn.await.map_err(js_error)?;
            Ok(JsValue::UNDEFINED)
        })
    }

    /// See [`Lab::probabilities`]. Other calls may come before the answer.
    pub fn probabilities(&self) -> Promise {
        let found = self.0.lab.probabilities();
        promise(async move {
            let found = found.await.map_err(js_error)?;
            Ok(Float32Array::from(found.as_slice()).into())
        })
    }

    /// See [`Lab::ranges`]. Other calls may come before the answer.
    pub fn ranges(&self, kind: JsValue) -> Js<Promise> {
        let ranges = self.0.lab.ranges(from_js(kind)?);
        Ok(promise(async move {
            let all = Object::new();
            for (layer, pairs) in ranges.await.map_err(js_error)? {
                let pairs = Float32Array::from(pairs.as_slice());
                Reflect::set(&all, &layer.into(), &pairs)?;
            }
            Ok(all.into())
        }))
    }
}

/// What a future that holds nothing of the laboratory comes to. Boxed, so that there is one of it in the module.
fn promise(future: impl Future<Output = Js> + 'static) -> Promise {
    let boxed: Pin<Box<dyn Future<Output = Js>>> = Box::pin(future);
    future_to_promise(boxed)
}

/// A laboratory on the backend that was asked for; else on a real GPU; else on the CPU, and why.
async fn lab(wanted: Option<&str>) -> Result<Lab<Any>> {
    let cpu = |note| Lab::new(Any::Cpu(Cpu::new()), note);
    match wanted {
        Some("cpu") => return cpu(None).await,
        Some("webgpu") | None => {}
        Some(name) => return Err(Error::unknown("backend", name, ["webgpu", "cpu"])),
    }
    match Gpu::new(None).await {
        Ok(gpu) if wanted.is_none() && gpu.adapter().software => {
            let note = format!(
                "The only WebGPU adapter here is software ({}), which is slower than the CPU \
                 backend.",
                gpu.adapter().name
            );
            cpu(Some(note)).await
        }
        Ok(gpu) => Lab::new(Any::Gpu(gpu), None).await,
        Err(refusal) if wanted.is_none() => {
            cpu(Some(format!("No WebGPU adapter was found ({refusal})."))).await
        }
        Err(refusal) => Err(refusal),
    }
}

/// A desk for it.
fn desk(lab: Lab<Any>, drawing: Option<&str>) -> Result<Box<Desk>> {
    let gpu = match &lab.backend {
        Any::Gpu(gpu) => Some(gpu).filter(|gpu| drawing.is_some() || !gpu.adapter().software),
        Any::Cpu(_) => None,
    };
    let presenter: Box<dyn Presenter> = match (gpu, drawing) {
        (Some(gpu), None | Some("webgpu")) => Box::new(GpuPresenter::new(gpu.clone())?),
        (_, None | Some("cpu")) => Box::new(HostPresenter::new(lab.backend.clone())?),
        (_, Some(name)) => return Err(Error::unknown("drawing", name, ["cpu"])),
    };
    Ok(Box::new(Desk::new(lab, presenter)))
}
