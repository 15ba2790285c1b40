//! The command that takes a list out.

use std::path::PathBuf;

use clap::Args;

/// What `export` takes.
#[derive(Args, Debug)]
pub struct ListExportArgs {
    /// Which list, such as people, messages or entries; docs/guide/api.md names them all.
    pub list: String,
    /// Only rows that fit, such as state=held; again for each member of the list's filter.
    #[arg(long = "filter", value_name = "NAME=VALUE", value_parser = pair)]
    pub filters: Vec<(String, String)>,
    /// The patient's number, for the lists results and accesses.
    #[arg(long)]
    pub patient: Option<u64>,
    /// Why; asked for if not given, for the lists of a patient.
    #[arg(long)]
    pub why: Option<String>,
    /// The CSV file to write; it must not exist.
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').ok_or("it is written NAME=VALUE")?;
    Ok((pair.0.to_owned(), pair.1.to_owned()))
}
