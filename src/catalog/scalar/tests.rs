//! All scalars together: names, refusals in two languages, canonical forms as fixed points.

use super::*;

#[test]
fn every_scalar_has_a_name_and_refuses_in_two_languages() {
    for scalar in Scalar::ALL {
        assert_eq!(Scalar::find(scalar.graphql_name()), Some(scalar));
        match scalar.parse_text("\u{1}no value\u{1}") {
            Ok(_) => assert_eq!(scalar, Scalar::String),
            Err(expected) => {
                assert!(expected.en.is_ascii() || expected.en.contains('"'), "{}", expected.en);
                assert!(!expected.zh.is_ascii(), "{}", expected.zh);
            }
        }
    }
}

#[test]
fn canonical_forms_are_fixed_points() {
    for (scalar, text) in [
        (Scalar::Int, " 14 "),
        (Scalar::Id, "1024"),
        (Scalar::Boolean, "1"),
        (Scalar::Date, "1040422"),
        (Scalar::Decimal, "614.940"),
        (Scalar::NationalId, "A123456789"),
        (Scalar::ParcelNumber, "18-1"),
        (Scalar::BuildingNumber, "01157建號"),
        (Scalar::PermitNumber, "82使字第12號"),
        (Scalar::AddressKey, "臺北市大安區復興南路一段36巷5弄12號之1三樓"),
    ] {
        let once = scalar.parse_text(text).map_err(|e| e.en).unwrap();
        assert_eq!(scalar.parse_text(&once), Ok(once.clone()), "{scalar:?}");
    }
}
