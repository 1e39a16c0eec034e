//! What can be wrong with data: one message each, with the file, the line, the value and
//! what would be accepted.

use std::io;
use std::path::PathBuf;

/// Why data could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// Neither the file nor its gzipped form is there.
    #[error("{path}: no such file, nor {path}.gz")]
    Missing {
        /// The plain name.
        path: PathBuf,
    },
    /// A folder stands where a file is wanted.
    #[error("{path}: is a folder; accepted is a file, plain or .gz")]
    Folder {
        /// The folder.
        path: PathBuf,
    },
    /// Neither a file nor a folder.
    #[error("{path}: is a pipe or a device; accepted is a file, plain or .gz")]
    NoFile {
        /// What is there.
        path: PathBuf,
    },
    /// A data root that is no folder.
    #[error("{path}: is no folder; {origin} must name the folder that holds the data")]
    Root {
        /// What was named.
        path: PathBuf,
        /// Where it was named.
        origin: &'static str,
    },
    /// The operating system refuses.
    #[error("{path}: cannot be read: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A gzip stream that ends early or fails its checksum.
    #[error("{path}: the gzip stream is cut off or damaged ({source}); copy the file again")]
    Gzip {
        /// The file.
        path: PathBuf,
        /// What the decoder says.
        source: io::Error,
    },
    /// A gzip file that gives far more than sequences can be packed.
    #[error("{path}: gives more than {most} bytes, no packed sequences; unpack it if it is what you want")]
    Inflated {
        /// The file.
        path: PathBuf,
        /// How many bytes it may give.
        most: usize,
    },
    /// A name that promises gzip, and other bytes.
    #[error("{path}: named .gz, but not gzip; accepted is a gzip file, or plain text without .gz")]
    NotGzip {
        /// The file.
        path: PathBuf,
    },
    /// Nothing in it.
    #[error("{path}: holds nothing; accepted is {accepted}")]
    Empty {
        /// The file.
        path: PathBuf,
        /// What would do.
        accepted: &'static str,
    },
    /// A zero byte: no text file has one.
    #[error("{path}:{line}: a zero byte: binary data; accepted is {accepted}")]
    Binary {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What would do.
        accepted: &'static str,
    },
    /// Text in another encoding.
    #[error("{path}:{line}: byte 0x{byte:02x} is not UTF-8; accepted is UTF-8 text")]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The first byte that does not fit.
        byte: u8,
    },
    /// A header without a needed column, or no header at all.
    #[error("{path}:1: no column `{column}`; found {found}; accepted is a header line with {required}")]
    Column {
        /// The file.
        path: PathBuf,
        /// The missing column.
        column: String,
        /// The columns there, quoted.
        found: String,
        /// The columns needed, quoted, and what separates them.
        required: String,
    },
    /// A row with more or fewer fields than the header.
    #[error("{path}:{line}: {found}, but the header has {expected}")]
    Ragged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Fields in this row, `3 fields`.
        found: String,
        /// Fields in the header.
        expected: u64,
    },
    /// A delimited file that is wrong in another way.
    #[error("{path}: {source}; accepted is {accepted}")]
    Table {
        /// The file.
        path: PathBuf,
        /// What the reader says.
        source: csv::Error,
        /// What would do.
        accepted: &'static str,
    },
    /// A value that is none of a fixed list.
    #[error("{path}:{line}: {column} `{value}` is unknown; accepted are {accepted}")]
    Unknown {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What stands there.
        value: String,
        /// What would do, quoted.
        accepted: String,
    },
    /// A field that must not be empty.
    #[error("{path}:{line}: {column} is empty; accepted is {accepted}")]
    EmptyField {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column, or what is empty.
        column: &'static str,
        /// What would do.
        accepted: &'static str,
    },
    /// A character that codes no nucleotide.
    #[error(
        "{path}:{line}: `{letter}` in a sequence; accepted are A, C, G, T, N and other IUPAC letters, \
         upper or lower case"
    )]
    Letter {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The character, escaped.
        letter: String,
    },
    /// Text that does not start as FASTA does.
    #[error("{path}:1: starts with {found}; accepted is FASTA, whose records start with `>`")]
    NotFasta {
        /// The file.
        path: PathBuf,
        /// The first line, quoted.
        found: String,
    },
    /// FASTA that the reader cannot follow.
    #[error("{path}:{line}: {reason}; accepted is FASTA: a line `>NAME`, then lines of sequence")]
    Fasta {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What the reader says.
        reason: String,
    },
    /// A manifest that names a file elsewhere.
    #[error(
        "{path}:{line}: file `{name}` lies outside; accepted is a path below the manifest's folder, without `..`"
    )]
    Outside {
        /// The manifest.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The name.
        name: String,
    },
    /// A file listed twice: its windows would count double, or cross splits.
    #[error("{path}:{line}: file `{name}` is listed in line {before} as well; accepted is each file once")]
    ListedTwice {
        /// The manifest.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The file.
        name: String,
        /// The earlier line.
        before: u64,
    },
    /// A cluster in two splits: relatives of what is learnt would be tested on.
    #[error(
        "{path}:{line}: cluster `{cluster}` is in split {split} here and in split {before_split} in line \
         {before}; accepted is a cluster in one split only"
    )]
    ClusterInTwoSplits {
        /// The manifest.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The cluster.
        cluster: String,
        /// The split in this line.
        split: &'static str,
        /// The earlier line.
        before: u64,
        /// The split there.
        before_split: &'static str,
    },
    /// A share outside its range.
    #[error("{what} is {value}; accepted is {accepted}")]
    Share {
        /// The setting.
        what: &'static str,
        /// Its value.
        value: f64,
        /// What would do.
        accepted: &'static str,
    },
    /// A label fraction that leaves a class without anything to learn from.
    #[error(
        "{task}: label fraction {fraction} keeps none of the {available} training {unit} of class \
         `{class}`; accepted is a fraction that keeps at least one per class"
    )]
    NoneKept {
        /// The task.
        task: String,
        /// The label fraction.
        fraction: f64,
        /// Rows or files of the class.
        available: usize,
        /// `rows` or `genome files`.
        unit: &'static str,
        /// The class.
        class: String,
    },
    /// A split without a row of some class.
    #[error(
        "{path}: no row has the label `{class}`; accepted is at least one row of each class in `classes` \
         ({classes})"
    )]
    NoRow {
        /// The file.
        path: PathBuf,
        /// The class.
        class: String,
        /// All classes, quoted.
        classes: String,
    },
    /// A synthetic task that is so small that a class was not drawn.
    #[error(
        "{task}: none of its {rows} training rows is of class `{class}` in repetition {repetition}; accepted \
         is a larger `train`"
    )]
    NoneDrawn {
        /// The task.
        task: String,
        /// Training rows.
        rows: usize,
        /// The class.
        class: String,
        /// The repetition.
        repetition: u64,
    },
    /// A class without a genome long enough.
    #[error(
        "{task}: no {split} genome of class `{class}` gives a window of {length} nt; accepted is at least one \
         genome as long, with few letters other than A, C, G, T"
    )]
    NoWindow {
        /// The task.
        task: String,
        /// The class.
        class: String,
        /// The split.
        split: &'static str,
        /// Nucleotides per window.
        length: usize,
    },
    /// Windows that stay full of ambiguous letters however often they are drawn.
    #[error("{origin}: {tries} draws gave no window with at most 0.1 % of letters other than A, C, G, T")]
    NoCleanWindow {
        /// The task or corpus, and the class.
        origin: String,
        /// Draws made.
        tries: usize,
    },
    /// A corpus without a genome long enough.
    #[error(
        "{corpus}: no {region} region of at least {length} nt; accepted is a longer corpus or a smaller \
         `min_length`"
    )]
    CorpusTooShort {
        /// The corpus.
        corpus: String,
        /// `training` or `held-out`.
        region: &'static str,
        /// The shortest window.
        length: usize,
    },
    /// A corpus asks for a split that there is not.
    #[error("{corpus}: split `{value}` is unknown; accepted are {accepted}")]
    UnknownSplit {
        /// The corpus.
        corpus: String,
        /// What it asks for.
        value: String,
        /// The splits, quoted.
        accepted: String,
    },
    /// A setting of a task or a corpus that cannot be.
    #[error("{origin}: {setting} is {value}; accepted is {accepted}")]
    Setting {
        /// The task or corpus.
        origin: String,
        /// The key.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What would do.
        accepted: &'static str,
    },
}

/// Names for a message: `` `a`, `b` ``.
pub(super) fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    names.iter().map(|name| format!("`{}`", excerpt(name.as_ref()))).collect::<Vec<_>>().join(", ")
}

/// At most 40 characters of a value, with control characters escaped: a message is one line.
pub(super) fn excerpt(value: &str) -> String {
    let mut characters = value.chars();
    let mut short: String = characters.by_ref().take(40).flat_map(char::escape_debug).collect();
    if characters.next().is_some() {
        short.push_str("...");
    }
    short
}
