//! How much of the city's published files the scalars read. Prints the rates and holds them to the line.

use crate::support::real_data;
use std::collections::BTreeMap;

use cityquery::catalog::scalar::{Scalar, address, building_number, district, parcel_number};

/// Reads one column of a CSV file.
fn column(file: &str, header: &str) -> Option<Vec<String>> {
    let path = real_data::find(file)?;
    let text = std::fs::read_to_string(path).expect("readable");
    let mut reader = csv::Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
    let at = reader.headers().expect("headers").iter().position(|h| h == header).expect("column");
    Some(reader.records().map(|r| r.expect("record").get(at).unwrap_or_default().to_owned()).collect())
}

/// Values of properties of a GeoJSON file, `None` where a feature lacks one.
fn properties(file: &str, names: [&str; 2]) -> Option<Vec<[String; 2]>> {
    let text = std::fs::read_to_string(real_data::find(file)?).expect("readable");
    let json: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).expect("JSON");
    let features = json["features"].as_array().expect("features");
    Some(
        features
            .iter()
            .map(|f| names.map(|name| f["properties"][name].as_str().unwrap_or_default().to_owned()))
            .collect(),
    )
}

/// Prints rate and reasons, fails under the line (in tenths of a percent).
fn hold<E: std::fmt::Debug>(what: &str, line: f64, results: impl IntoIterator<Item = (String, Result<(), E>)>) {
    let (mut all, mut bad, mut reasons) = (0usize, 0usize, BTreeMap::<String, Vec<String>>::new());
    for (text, result) in results {
        all += 1;
        if let Err(reason) = result {
            bad += 1;
            reasons.entry(format!("{reason:?}")).or_default().push(text);
        }
    }
    let rate = 100.0 * (all - bad) as f64 / all as f64;
    println!("{what}: {} of {all} read, {rate:.3} %", all - bad);
    for (reason, texts) in reasons {
        println!("    {reason}: {} such as {:?}", texts.len(), &texts[..texts.len().min(6)]);
    }
    assert!(rate >= line, "{what}: {rate:.3} % is under {line} %");
}

#[test]
fn permit_parcel_links() {
    let Some(parcels) = column("building_use_permit_parcels_2001_2026.csv", "parcel_raw") else {
        return;
    };
    hold(
        "permit-parcel links",
        99.99,
        parcels.into_iter().map(|text| {
            let read = parcel_number::parse_whole(&text).map(drop).map_err(|e| e.en);
            (text, read)
        }),
    );
}

#[test]
fn permit_numbers_and_dates() {
    for (header, scalar, line) in [
        ("permit_no", Scalar::PermitNumber, 100.0),
        ("original_permit_no", Scalar::PermitNumber, 100.0),
        ("issue_date_roc", Scalar::Date, 100.0),
        ("start_date_roc", Scalar::Date, 99.9),
        ("completion_date_roc", Scalar::Date, 99.9),
        ("height_m", Scalar::Decimal, 100.0),
        ("cost_ntd", Scalar::Decimal, 100.0),
    ] {
        let Some(values) = column("building_use_permits_2001_2026.csv", header) else {
            return;
        };
        hold(
            header,
            line,
            values.into_iter().filter(|text| !text.is_empty()).map(|text| {
                let read = scalar.parse_text(&text).map(drop).map_err(|e| e.en);
                (text, read)
            }),
        );
    }
}

#[test]
fn permit_addresses() {
    let Some(values) = column("building_use_permit_addresses_2016_2026.csv", "address_raw") else {
        return;
    };
    hold(
        "permit addresses",
        99.85,
        values.into_iter().map(|text| {
            let read = address::read_one(&text).map(drop);
            (text, read)
        }),
    );
}

#[test]
fn address_samples() {
    let Some(values) = column("address_samples_with_village_neighbourhood.csv", "addr") else {
        return;
    };
    let somewhere = district::find_by_name("中山區");
    hold(
        "address samples, district known",
        99.0,
        values.iter().map(|text| (text.clone(), address::read_all_in(somewhere, text).map(drop))),
    );
    hold(
        "address samples, district in the text",
        98.5,
        values.into_iter().map(|text| {
            let read = address::read_one(&text).map(drop);
            (text, read)
        }),
    );
}

#[test]
fn fire_and_register_addresses() {
    for (file, names, line) in [
        ("fire_major_noncompliance_202405.geojson", ["行政區", "場所地址"], 100.0),
        ("fire_rescue_difficult_places.geojson", ["行政區編號", "地址"], 92.0),
        ("tagged_dangerous_buildings.geojson", ["行政區", "建築地點"], 95.0),
    ] {
        let Some(values) = properties(file, names) else {
            return;
        };
        hold(
            file,
            line,
            values.into_iter().map(|[place, text]| {
                let read = address::read_all_in(district::find_by_name(&place), &text).map(drop);
                (text, read)
            }),
        );
    }
    let Some(values) = properties("public_buildings_idle_with_building_no.geojson", ["門牌", "建物標示"]) else {
        return;
    };
    let somewhere = district::find_by_name("中山區");
    hold(
        "idle buildings, plates",
        100.0,
        values.iter().map(|[text, _]| (text.clone(), address::read_all_in(somewhere, text).map(drop))),
    );
    hold(
        "idle buildings, building numbers",
        96.0,
        values.iter().map(|[_, text]| (text.clone(), building_number::parse_whole(text).map(drop).map_err(|e| e.en))),
    );
}

#[test]
fn real_price_places() {
    let Some(places) = column("real_price_registry_taipei.csv", "土地區段位置建物區段門牌") else {
        return;
    };
    let somewhere = district::find_by_name("中山區");
    hold(
        "real-price door plates",
        99.5,
        places.into_iter().skip(1).filter(|t| !t.contains('段') || t.contains(['路', '街'])).map(|text| {
            let read = address::read_all_in(somewhere, &text).map(drop);
            (text, read)
        }),
    );
}
