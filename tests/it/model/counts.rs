//! Parameter counts: the published ones at full size, the built models' at small size.

use bench::model::{Classifier, EncoderSpec, LanguageModel, Part, named_parameters, parameter_count};
use bench::settings::{Encoder, FeedForward, Head, Norm, Position};
use burn::module::Module;
use burn::tensor::Device;

use super::small::{every_encoder, settings, spec};

fn base(position: Position, feed_forward: FeedForward, max_tokens: usize) -> Encoder {
    Encoder {
        d_model: 768,
        n_layers: 12,
        n_heads: 12,
        d_ff: 3072,
        max_tokens,
        ..settings(position, feed_forward, Norm::Post)
    }
}

fn count(settings: &Encoder, vocabulary: usize, part: Part) -> usize {
    parameter_count(&EncoderSpec::new(settings.clone(), vocabulary, None).expect("settings of a model"), part)
}

/// models.md 2.1: encoder, with pooler, masked-language model with pooler.
#[test]
fn dnabert_has_its_published_parameters() {
    let settings = base(Position::Learned, FeedForward::Gelu, 512);
    for (k, encoder, pooler, both) in [
        (3, 85_503_744, 86_094_336, 86_686_533),
        (4, 85_651_200, 86_241_792, 86_834_181),
        (5, 86_241_024, 86_831_616, 87_424_773),
        (6, 88_600_320, 89_190_912, 89_787_141),
    ] {
        let count = |part| count(&settings, 4_usize.pow(k) + 5, part);
        assert_eq!(count(Part::Encoder), encoder, "{k}-mers");
        assert_eq!(count(Part::Pooler), pooler, "{k}-mers");
        // Public files hold a pooler beside the masked-language head.
        assert_eq!(count(Part::MaskedLanguage) + count(Part::Pooler) - encoder, both, "{k}-mers");
    }
    // models.md 7.3: the head for inputs in two halves, without its pooler.
    let long = Encoder { head: Head::TwoHalf, ..settings };
    let head = count(&long, 4101, Part::Classifier { classes: 2 }) - count(&long, 4101, Part::Pooler);
    assert_eq!(head, 1_181_954);
}

/// models.md 3.1.
#[test]
fn dnabert_2_has_its_published_parameters() {
    let settings = base(Position::Alibi, FeedForward::Geglu, 512);
    let count = |part| count(&settings, 4096, part);
    assert_eq!(count(Part::Encoder), 116_477_952);
    assert_eq!(count(Part::MaskedLanguage), 117_074_176);
    assert_eq!(count(Part::Pooler), 117_068_544);
    assert_eq!(count(Part::Classifier { classes: 2 }), 117_070_082);
}

/// models.md 6.1, where the frozen rotary table (5120 x 64) is counted apart.
#[test]
fn deepgene_has_its_published_parameters() {
    let settings = base(Position::Rope, FeedForward::Gelu, 5120);
    let base = |part| count(&settings, 4096, part);
    assert_eq!(base(Part::Layers), 85_054_464);
    assert_eq!(base(Part::Encoder), 88_203_264);
    assert_eq!(base(Part::MaskedLanguage), 88_799_488);
    assert_eq!(base(Part::MaskedLanguage) + 5120 * 64, 89_127_168);
    let large = Encoder { n_layers: 16, d_ff: 3328, ..settings.clone() };
    assert_eq!(count(&large, 4096, Part::Layers), 119_701_504);
}

#[test]
fn built_models_have_the_parameters_that_were_counted() {
    let device = Device::flex();
    for settings in every_encoder() {
        let plain = spec(settings.clone());
        let model = LanguageModel::new(&plain, 1, &device);
        let counted = parameter_count(&plain, Part::MaskedLanguage);
        assert_eq!(model.num_params(), counted, "{settings:?}");
        let named = named_parameters(&model);
        assert_eq!(named.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum::<usize>(), counted);
        for head in [Head::Pooler, Head::Dense, Head::TwoHalf] {
            let spec = spec(Encoder { head, ..settings.clone() });
            let model = Classifier::new(&spec, 3, usize::MAX, 1, &device).expect("a classifier");
            let counted = parameter_count(&spec, Part::Classifier { classes: 3 });
            assert_eq!(model.num_params(), counted, "{head:?} of {settings:?}");
        }
    }
}

#[test]
fn an_input_that_fits_one_row_gets_an_ordinary_pooler() {
    let settings = Encoder {
        head: Head::TwoHalf,
        max_tokens: 512,
        ..settings(Position::Learned, FeedForward::Gelu, Norm::Post)
    };
    let head = |longest| spec(settings.clone()).for_length(longest).settings().head;
    assert_eq!(head(509), Head::Pooler);
    assert_eq!(head(510), Head::TwoHalf);
}
