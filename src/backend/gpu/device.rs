//! Finding an adapter, opening its device, and keeping what goes wrong with it. The device is asked
//! for WebGPU's default limits, so that what runs here runs on every adapter; only the sizes of
//! buffers are raised to what the adapter has.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::error::Result;

use super::error;

/// An open adapter.
pub(super) struct Opened {
    pub(super) instance: wgpu::Instance,
    pub(super) adapter: wgpu::Adapter,
    pub(super) device: wgpu::Device,
    pub(super) queue: wgpu::Queue,
    /// What to call it on the page.
    pub(super) name: String,
    /// Whether it runs on the CPU.
    pub(super) software: bool,
}

/// Chooses an adapter and opens it; see [`super::Gpu::new`].
pub(super) async fn open(name: Option<&str>) -> Result<Opened> {
    let (instance, adapter) = choose(name).await?;
    let found = adapter.limits();
    let descriptor = wgpu::DeviceDescriptor {
        label: Some("convscope"),
        required_limits: wgpu::Limits {
            max_buffer_size: found.max_buffer_size,
            max_storage_buffer_binding_size: found.max_storage_buffer_binding_size,
            ..wgpu::Limits::defaults()
        },
        ..Default::default()
    };
    let (device, queue) = adapter
        .request_device(&descriptor)
        .await
        .map_err(|refusal| {
            error(format!(
                "the adapter {} gives no device ({refusal})",
                self::name(&adapter)
            ))
        })?;
    let name = browser_name(&device).unwrap_or_else(|| self::name(&adapter));
    let software = adapter.get_info().device_type == wgpu::DeviceType::Cpu
        || SOFTWARE
            .iter()
            .any(|word| name.to_ascii_lowercase().contains(word));
    Ok(Opened {
        name,
        software,
        instance,
        adapter,
        device,
        queue,
    })
}

/// What adapters that run on the CPU are called, for those that do not say that they are such.
const SOFTWARE: [&str; 3] = ["swiftshader", "llvmpipe", "basic render"];

/// The browser's vendor and architecture ("google swiftshader"), which wgpu does not hand on.
#[cfg(target_arch = "wasm32")]
fn browser_name(device: &wgpu::Device) -> Option<String> {
    let info = device.as_webgpu()?.adapter_info();
    if info.is_undefined() {
        return None;
    }
    let parts = [info.vendor(), info.architecture()];
    let name = parts.join(" ").trim().to_owned();
    (!name.is_empty()).then_some(name)
}

/// Natively adapters have names.
#[cfg(not(target_arch = "wasm32"))]
fn browser_name(_: &wgpu::Device) -> Option<String> {
    None
}

/// What the adapter calls itself. Browsers hide names at will.
pub(super) fn name(adapter: &wgpu::Adapter) -> String {
    let info = adapter.get_info();
    [info.name, info.driver, info.driver_info]
        .into_iter()
        .find(|name| !name.is_empty())
        .unwrap_or_else(|| "unnamed adapter".into())
}

#[cfg(target_arch = "wasm32")]
async fn choose(_: Option<&str>) -> Result<(wgpu::Instance, wgpu::Adapter)> {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::BROWSER_WEBGPU;
    let instance = wgpu::Instance::new(descriptor);
    let options = wgpu::RequestAdapterOptions {
        power_preference: wgpu::PowerPreference::HighPerformance,
        ..Default::default()
    };
    let adapter = instance
        .request_adapter(&options)
        .await
        .map_err(|_| error("this browser offers no WebGPU adapter here"))?;
    Ok((instance, adapter))
}

#[cfg(not(target_arch = "wasm32"))]
async fn choose(name: Option<&str>) -> Result<(wgpu::Instance, wgpu::Adapter)> {
    let (instance, adapters) = native_adapters().await;
    let wanted = name.unwrap_or_default();
    let names: Vec<String> = adapters.iter().map(self::name).collect();
    let adapter = adapters
        .into_iter()
        .find(|adapter| self::name(adapter).contains(wanted))
        .ok_or_else(|| match names.join(", ") {
            known if known.is_empty() => error("no Vulkan adapter was found"),
            known => error(format!("no adapter is named \"{wanted}\"; found {known}")),
        })?;
    Ok((instance, adapter))
}

/// All Vulkan adapters that satisfy WebGPU's defaults, hardware before software.
#[cfg(not(target_arch = "wasm32"))]
pub(super) async fn native_adapters() -> (wgpu::Instance, Vec<wgpu::Adapter>) {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::VULKAN;
    // What a browser would refuse is refused here as well.
    descriptor.flags = wgpu::InstanceFlags::STRICT_WEBGPU_COMPLIANCE;
    let instance = wgpu::Instance::new(descriptor);
    let mut adapters = instance.enumerate_adapters(wgpu::Backends::VULKAN).await;
    adapters.sort_by_key(|adapter| match adapter.get_info().device_type {
        wgpu::DeviceType::DiscreteGpu => 0,
        wgpu::DeviceType::IntegratedGpu => 1,
        wgpu::DeviceType::VirtualGpu => 2,
        wgpu::DeviceType::Other => 3,
        wgpu::DeviceType::Cpu => 4,
    });
    (instance, adapters)
}

/// What the device said outside of any call.
#[derive(Debug, Default)]
pub(super) struct Faults {
    lost: OnceLock<String>,
    uncaptured: Mutex<Option<String>>,
}

impl Faults {
    /// Listens to `device` for as long as it lives.
    pub(super) fn watch(device: &wgpu::Device) -> Arc<Self> {
        let faults = Arc::new(Self::default());
        let listener = faults.clone();
        device.set_device_lost_callback(move |reason, message| {
            // Only the first reason counts; a second loss cannot happen.
            listener.lost.get_or_init(|| match message.as_str() {
                "" => format!("the device was lost ({reason:?})"),
                message => format!("the device was lost ({message})"),
            });
        });
        let listener = faults.clone();
        device.on_uncaptured_error(Arc::new(move |fault: wgpu::Error| {
            // The first error is the cause; those after it are its consequences.
            listener
                .uncaptured()
                .get_or_insert_with(|| fault.to_string());
        }));
        faults
    }

    fn uncaptured(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        // An Option is whole whenever its lock was poisoned.
        self.uncaptured
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What went wrong since this was asked last; a lost device stays lost.
    pub(super) fn reason(&self) -> Option<String> {
        let uncaptured = self.uncaptured().take();
        self.lost.get().cloned().or(uncaptured)
    }

    /// [`Faults::reason`] as an error.
    pub(super) fn check(&self) -> Result<()> {
        self.reason().map_or(Ok(()), |reason| Err(error(reason)))
    }
}
