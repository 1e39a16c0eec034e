//! `bench systems`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::errors::{CliError, check};
use super::{Verdict, library, say};
use crate::escape;
use crate::model::{EncoderSpec, Part, parameter_count};
use crate::resolve::architecture_at;
use crate::settings::{Architecture, Encoder, Job, Tokenization, Work};
use crate::spec::{Diagnostics, Library, Override, Scale, System, fields};
use crate::token::Tokenizer;

/// Arguments of `bench systems`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  bench systems                        all systems, parameters at the published size
  bench systems deepgene               one of them: settings and sources
  bench systems deepgene --scale tiny  at another size")]
pub(super) struct Arguments {
    /// A system; all of them without it
    name: Option<String>,
    /// The size it is built at
    #[arg(long, default_value = "base")]
    scale: String,
    /// Folder with `systems/`, `scales/` of your own
    #[arg(long, value_name = "DIR", default_value = "experiments")]
    library: PathBuf,
}

pub(super) fn run(arguments: &Arguments) -> Result<Verdict, CliError> {
    let mut mistakes = Diagnostics::default();
    let beside: Option<&Path> = Some(&arguments.library);
    let library = Library::read(&library::files(beside)?, &mut mistakes);
    check(mistakes)?;
    let scale = library
        .scales
        .get(&arguments.scale)
        .ok_or_else(|| unknown("scale", &arguments.scale, library.scales.keys()))?;
    match &arguments.name {
        None => {
            for system in library.systems.values() {
                say(&line(system, scale))?;
            }
        }
        Some(name) => {
            let system =
                library.systems.get(name).ok_or_else(|| unknown("system", name, library.systems.keys()))?;
            say(&page(system, scale))?;
        }
    }
    Ok(Verdict::Complete)
}

fn unknown<'a>(what: &str, name: &str, known: impl Iterator<Item = &'a String>) -> CliError {
    let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
    CliError::message(format!("unknown {what} `{name}`\nhelp: accepted: {}", known.join(", ")))
}

fn line(system: &System, scale: &Scale) -> String {
    let parameters = match spec(system, scale) {
        Some(spec) => grouped(parameter_count(&spec, Part::Encoder)),
        None => "-".to_owned(),
    };
    let tokens = system.tokenization.to_string();
    let masking = system.masking.to_string();
    format!(
        "{:24}{tokens:16}{masking:13}{parameters:>13}  {}\n",
        escape::line(&system.name),
        escape::line(&system.title)
    )
}

fn page(system: &System, scale: &Scale) -> String {
    let mut text = format!(
        "{}: {}\n{}\n\n",
        escape::line(&system.name),
        escape::line(&system.title),
        system.source_note
    );
    let inits: Vec<&str> = system.init.iter().map(|init| init.name()).collect();
    let _ = writeln!(text, "tokenization  {}", system.tokenization);
    let _ = writeln!(text, "masking       {}", system.masking);
    let _ = writeln!(text, "init          {}", inits.join(", "));
    if let Some(spec) = spec(system, scale) {
        let _ = writeln!(text, "\nparameters at scale `{}`, vocabulary {}", scale.name, spec.vocabulary());
        let parts = [
            ("blocks", Part::Layers),
            ("encoder", Part::Encoder),
            ("encoder and masked-language head", Part::MaskedLanguage),
            ("encoder and pooler", Part::Pooler),
            ("encoder and head of 2 classes", Part::Classifier { classes: 2 }),
        ];
        for (name, part) in parts {
            let _ = writeln!(text, "  {name:34}{:>13}", grouped(parameter_count(&spec, part)));
        }
    }
    text.push_str(&settings_text(system, scale));
    text
}

/// The settings that differ from the defaults, with what they mean.
fn settings_text(system: &System, scale: &Scale) -> String {
    let mut text = String::from("\nsettings (of the system, then of the scale; others are defaults)\n");
    let own = |overrides: &[Override], path: &str| {
        overrides.iter().find(|setting| setting.path == path).map(|setting| setting.value.to_string())
    };
    for field in fields() {
        let value = match (own(&scale.overrides, field.path), own(&system.overrides, field.path)) {
            (Some(of_scale), _) => format!("{of_scale} (scale)"),
            (None, Some(of_system)) => of_system,
            (None, None) => continue,
        };
        let _ = writeln!(text, "  {:26}{:18}{}", field.path, escape::line(&value), field.doc);
    }
    text
}

fn spec(system: &System, scale: &Scale) -> Option<EncoderSpec> {
    match architecture_at(system, scale)? {
        Architecture::Encoder(encoder) => encoder_spec(&encoder, system.tokenization, None),
        Architecture::KmerLogistic(_) => None,
    }
}

fn encoder_spec(
    encoder: &Encoder,
    tokenization: Tokenization,
    learned: Option<usize>,
) -> Option<EncoderSpec> {
    let vocabulary = match tokenization {
        Tokenization::BpeTrained => learned?,
        Tokenization::Kmer { .. } | Tokenization::Bpe | Tokenization::Character => {
            Tokenizer::new(tokenization, None).ok()?.vocabulary_size()
        }
    };
    EncoderSpec::new(encoder.clone(), vocabulary, None).ok()
}

/// Parameters that a job keeps on disk once it is done.
pub(super) fn parameters_of_job(job: &Job) -> usize {
    match &job.work {
        Work::Pretrain(_) => trained_parameters(job),
        Work::Vocabulary(_) | Work::Finetune(_) => 0,
    }
}

/// Parameters that a job trains, whose copies are in its checkpoints: the head of a
/// classifier, which is small, as that of a language model.
pub(super) fn trained_parameters(job: &Job) -> usize {
    /// Of a trained vocabulary whose job has not run: what systems have by default.
    const LEARNED: usize = 4096;
    let (encoder, tokenization) = match &job.work {
        Work::Pretrain(work) => (&*work.encoder, work.tokenization),
        Work::Finetune(work) => match &*work.architecture {
            Architecture::Encoder(encoder) => (encoder, work.tokenization),
            Architecture::KmerLogistic(_) => return 0,
        },
        Work::Vocabulary(_) => return 0,
    };
    let spec = encoder_spec(encoder, tokenization, Some(LEARNED));
    spec.map_or(0, |spec| parameter_count(&spec, Part::MaskedLanguage))
}

/// `117070082` as `117,070,082`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
