//! What was learnt about memory: how many sequences fit into one forward pass.
//!
//! It knows the shapes of jobs as texts and compares them; what they need it never works
//! out.

use std::collections::BTreeMap;

use super::slots::Device;
use crate::settings::{Job, Work};

/// The largest micro-batch that may fit, by the device and the shape of the job.
#[derive(Debug, Default)]
pub(super) struct Ceilings(BTreeMap<(Device, String), usize>);

impl Ceilings {
    /// The job as it can run on the device, as far as is known.
    pub(super) fn fitted(&self, job: &Job, device: &Device) -> Job {
        let mut job = job.clone();
        if let Some(&ceiling) = self.0.get(&(device.clone(), shape(&job.work)))
            && job.work.micro_batch_is_free()
        {
            job.work.limit_micro_batch(ceiling);
        }
        job
    }

    /// Takes note that memory ran out in `job`, as it was run. The micro-batch to try next,
    /// where there is a smaller one and it changes no result.
    pub(super) fn lower(&mut self, job: &Job, device: &Device) -> Option<usize> {
        let tried = job.work.micro_batch()?;
        if !job.work.micro_batch_is_free() || tried < 2 {
            return None;
        }
        // Several that run at once run out at once, and each has tried the same.
        let ceiling = self.0.entry((device.clone(), shape(&job.work))).or_insert(tried / 2);
        *ceiling = (tried / 2).min(*ceiling);
        Some(*ceiling)
    }
}

/// What decides the memory of a forward pass, but for the micro-batch.
fn shape(work: &Work) -> String {
    let stage = work.stage().name();
    match work {
        Work::Vocabulary(_) => stage.to_owned(),
        Work::Pretrain(work) => {
            format!("{stage} {:?} {:?} {}", work.encoder, work.tokenization, work.pretraining.max_length)
        }
        Work::Finetune(work) => {
            format!("{stage} {:?} {:?} {}", work.architecture, work.tokenization, work.task.id)
        }
    }
}
