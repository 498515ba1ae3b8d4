//! `cityquery audit search`: its arguments, and what they ask of the log.

use std::io::Write;

use clap::Args;
use serde_json::json;
use time::format_description::well_known::Rfc3339;
use time::macros::{format_description, offset};

use super::Installation;
use super::audit::{open, print_listing};
use super::installation::read_catalog;
use crate::audit::Kind;
use crate::audit::index::search::{self, Criteria};
use crate::catalog::hint;
use crate::config::Config;

/// Shown by `--help`.
pub const EXAMPLES: &str = "\
Example:
  cityquery audit search --account fire.officer --from 2026-11-01 --data-dir var/demo
  cityquery audit search --row Person:815 --data-dir var/demo            who looked at this person
  cityquery audit search --field Person.birthDate --data-dir var/demo    who used this field";

/// Arguments of `cityquery audit search`.
#[derive(Debug, Args)]
pub struct SearchArguments {
    /// The installation.
    #[command(flatten)]
    pub installation: Installation,
    /// Account
    #[arg(long)]
    pub account: Option<String>,
    /// Code of the agency
    #[arg(long)]
    pub agency: Option<String>,
    /// Number of the master form
    #[arg(long)]
    pub form: Option<String>,
    /// Case number
    #[arg(long)]
    pub case: Option<String>,
    /// Field that was used in any way, such as Person.birthDate
    #[arg(long, value_name = "TYPE.FIELD")]
    pub field: Option<String>,
    /// Row that was looked at: its type and its `id`
    #[arg(long, value_name = "TYPE:ID", value_parser = parse_row)]
    pub row: Option<(String, i64)>,
    /// Kind of act, such as query, denied or sign-in-failed
    #[arg(long, value_parser = parse_kind)]
    pub kind: Option<Kind>,
    /// From this day or moment on (UTC+8 unless it says otherwise)
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub from: Option<i64>,
    /// Before this day or moment
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub until: Option<i64>,
    /// How many of the latest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub last: usize,
    /// One JSON object per record
    #[arg(long)]
    pub json: bool,
}

fn parse_row(text: &str) -> Result<(String, i64), String> {
    let (type_name, row) = text.split_once(':').ok_or("expected TYPE:ID, such as Person:815")?;
    let row = row.parse().map_err(|_| format!("`{row}` is not the number of a row"))?;
    Ok((type_name.to_owned(), row))
}

fn parse_kind(text: &str) -> Result<Kind, String> {
    Kind::from_name(text).ok_or_else(|| format!("known kinds: {}", Kind::names().collect::<Vec<_>>().join(", ")))
}

/// A day begins at midnight in Taipei.
fn parse_time(text: &str) -> Result<i64, String> {
    let day = time::Date::parse(text, format_description!("[year]-[month]-[day]"));
    let moment = match day {
        Ok(day) => day.with_time(time::Time::MIDNIGHT).assume_offset(offset!(+8)),
        Err(_) => time::OffsetDateTime::parse(text, &Rfc3339)
            .map_err(|_| "expected a day such as 2026-11-23, or a moment such as 2026-11-23T08:00:00+08:00")?,
    };
    i64::try_from(moment.unix_timestamp_nanos() / 1_000).map_err(|error| error.to_string())
}

/// Runs the command.
pub(super) async fn run(arguments: SearchArguments, out: &mut impl Write) -> anyhow::Result<()> {
    let config = arguments.installation.load()?;
    let asked = json!({
        "account": arguments.account, "agency": arguments.agency, "form": arguments.form, "case": arguments.case,
        "field": arguments.field, "row": arguments.row, "kind": arguments.kind.map(Kind::name),
        "fromUs": arguments.from, "untilUs": arguments.until, "last": arguments.last,
    });
    let reader = open(&config, "audit search", asked).await?;
    let SearchArguments { account, agency, form, case, field, row, kind, from, until, last, json, .. } = arguments;
    let criteria = Criteria {
        account,
        agency,
        form,
        case_number: case,
        coordinate: field,
        row,
        kind,
        from_us: from,
        until_us: until,
        limit: last,
    };
    let listing = match search::search(&reader, Some(&config.control), &criteria).await {
        Ok(listing) => listing,
        Err(error) => {
            eprintln!("cityquery: {error}; reading every segment instead");
            search::search(&reader, None, &criteria).await?
        }
    };
    print_listing(&reader, &listing, json, out)?;
    if listing.entries.is_empty() {
        warn_of_unknown(&config, &criteria);
    }
    Ok(())
}

/// Nobody is found by a name that is mistyped, and that must not be taken for the answer. What was withdrawn since is
/// still in the records, so that an unknown name is no fault by itself.
fn warn_of_unknown(config: &Config, criteria: &Criteria) {
    let Ok(catalog) = read_catalog(config) else { return };
    let warn = |what: &str, name: &str, hint: String| {
        eprintln!("cityquery: no declaration has the {what} {name}: is it written like that?{hint}");
    };
    let field = criteria.coordinate.as_deref().filter(|name| !catalog.fields_by_coordinate.contains_key(*name));
    if let Some(name) = field {
        warn("field", name, hint(name, catalog.fields_by_coordinate.keys().map(String::as_str)).0);
    }
    let of_row = criteria.row.as_ref().filter(|(name, _)| !catalog.types_by_name.contains_key(name));
    if let Some((name, _)) = of_row {
        warn("type", name, hint(name, catalog.types_by_name.keys().map(String::as_str)).0);
    }
}
