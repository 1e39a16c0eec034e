//! Devices by name, none trusted before it has multiplied.

use burn::tensor::{Device, Tensor};

use super::TrainError;

/// The device that a worker was told to use: `cpu` or `cuda:N`.
///
/// # Errors
/// A name that is no device, a device that is not there, or one that computes a known
/// product wrongly: with its compiler or headers missing burn goes on with unwritten memory
/// (burn.md 2.3), and a wrong number must never reach a table.
pub fn device(name: &str) -> Result<Device, TrainError> {
    let device = named(name)?;
    if multiplies(&device) {
        Ok(device)
    } else {
        Err(TrainError::Device(format!(
            "`{name}` computes a known product wrongly; are NVRTC and the CUDA headers there?"
        )))
    }
}

fn named(name: &str) -> Result<Device, TrainError> {
    match name.strip_prefix("cuda:").map(str::parse::<usize>) {
        None if name == "cpu" => Ok(Device::flex()),
        Some(Ok(index)) => cuda(index),
        _ => Err(TrainError::Device(format!("`{name}` is not a device; accepted are `cpu`, `cuda:N`"))),
    }
}

/// Whether the device of that name is there, as far as can be known without using it.
///
/// # Errors
/// A name that is no device, a device that is not there, a build without it.
pub fn device_is_there(name: &str) -> Result<(), TrainError> {
    named(name).map(drop)
}

#[cfg(feature = "cuda")]
fn cuda(index: usize) -> Result<Device, TrainError> {
    use burn::tensor::DeviceType;
    let found = Device::enumerate(DeviceType::Cuda).len();
    if index < found {
        return Ok(Device::cuda(index));
    }
    let found = match found {
        0 => "no CUDA device was found".to_owned(),
        1 => "one CUDA device was found, `cuda:0`".to_owned(),
        _ => format!("{found} CUDA devices were found, from `cuda:0`"),
    };
    Err(TrainError::Device(format!("there is no `cuda:{index}`: {found}; accepted is `--devices cpu` too")))
}

#[cfg(not(feature = "cuda"))]
fn cuda(index: usize) -> Result<Device, TrainError> {
    Err(TrainError::Device(format!(
        "`cuda:{index}` needs a build with the feature `cuda`; README.md says how to make one"
    )))
}

/// Two matrices large enough for tensor cores, of small whole numbers, so that the product
/// is exact in every precision a device may choose.
fn multiplies(device: &Device) -> bool {
    const N: usize = 128;
    let pattern = |modulus: usize| -> Vec<f32> { (0..N * N).map(|i| (i % modulus) as f32 - 1.0).collect() };
    let (a, b) = (pattern(3), pattern(4));
    let upload = |values: &[f32]| Tensor::<1>::from_floats(values, device).reshape([N, N]);
    let product: Tensor<2> = upload(&a).matmul(upload(&b));
    let Ok(data) = product.try_into_data() else { return false };
    data.iter::<f64>().enumerate().all(|(i, value)| {
        let (row, column) = (i / N, i % N);
        let exact: f64 = (0..N).map(|k| f64::from(a[row * N + k]) * f64::from(b[k * N + column])).sum();
        (value - exact).abs() < 0.5
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_multiplies_and_other_names_are_refused() {
        assert!(device("cpu").is_ok());
        for name in ["gpu", "cuda", "cuda:x", ""] {
            assert!(matches!(device(name), Err(TrainError::Device(_))), "{name}");
            assert!(matches!(device_is_there(name), Err(TrainError::Device(_))), "{name}");
        }
    }
}
