//! Files from strangers: nothing in them is executed, followed out of its folder, believed
//! about sizes, or shown so that it steers what shows it.

mod checkpoints;
mod data;
mod output;
pub(crate) mod torch_files;
