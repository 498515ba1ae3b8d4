//! The declarations: each folder of `tests/catalog` holds one faulty input and what must be said of it.
//! Run with `UPDATE_EXPECTED=1` to write what is said now, then read the difference.

use std::path::Path;

use cityquery::catalog::{self, Class, Fault, FieldKind};

/// What every case may lean on: a sound file of another dataset.
const SOUND: &str = include_str!("catalog/sound.graphql");

fn said(faults: &[Fault]) -> String {
    faults.iter().map(|fault| format!("{fault}\n    {}\n", fault.message_zh)).collect()
}

#[test]
fn faults_are_all_reported_with_their_places() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/catalog");
    let mut cases: Vec<_> = std::fs::read_dir(&folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(cases.len() >= 10, "the cases are missing");
    let mut wrong = String::new();
    for case in cases {
        let input = std::fs::read_to_string(case.join("input.graphql")).expect("input.graphql");
        let files = [("sound.graphql".to_owned(), SOUND.to_owned()), ("input.graphql".to_owned(), input)];
        let faults = catalog::read(&files).err().unwrap_or_default();
        let said = said(&faults);
        let expected_file = case.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected_file, &said).expect("written");
        }
        let expected = std::fs::read_to_string(&expected_file).unwrap_or_default();
        if said != expected || said.is_empty() {
            wrong += &format!("== {}\n-- expected\n{expected}-- said\n{said}\n", case.display());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn sound_declarations_are_read() {
    let files = [("sound.graphql".to_owned(), SOUND.to_owned())];
    let catalog = catalog::read(&files).map_err(|faults| said(&faults)).expect("sound");
    let pupil = catalog.types_by_name["Pupil"];
    let names: Vec<&str> = catalog.type_def(pupil).fields.iter().map(|id| catalog.field(*id).name.as_str()).collect();
    assert_eq!(names, ["id", "nationalId", "name", "schoolNo", "districtCode", "school", "clubs"]);
    let school = catalog.find_field(pupil, "school").expect("declared");
    assert!(matches!(&school.kind, FieldKind::Join(join) if !join.many && join.from == "school_no"));
    let list = catalog.find_root("schools").expect("declared");
    assert_eq!((list.coordinate.as_str(), list.class), ("Query.schools", Class::Open));
    assert_eq!(catalog.find_root("pupils").map(|root| root.class), Some(Class::Internal));
    let place = catalog.place(school.id);
    assert_eq!((&*place.file, place.column), ("sound.graphql", 3));
}

#[test]
fn built_in_declarations_are_sound_and_say_everything_in_two_languages() {
    let catalog = catalog::load_builtin().map_err(|faults| said(&faults)).expect("sound");
    assert!(catalog.types.len() > 20);
    let mut poor = Vec::new();
    let descriptions = catalog.types.iter().map(|t| (&t.name, &t.description));
    for (name, text) in descriptions.chain(catalog.fields.iter().map(|f| (&f.coordinate, &f.description))) {
        let chinese = text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        let english = text.chars().any(|c| c.is_ascii_alphabetic());
        if !(chinese && english) {
            poor.push(format!("{name}: {text}"));
        }
    }
    assert!(poor.is_empty(), "{poor:#?}");
}

#[test]
fn the_hash_changes_with_every_change_of_the_declarations() {
    let one = |name: &str, text: &str| {
        catalog::read(&[(name.to_owned(), text.to_owned())]).map_err(|faults| said(&faults)).expect("sound").hash
    };
    let hash = one("sound.graphql", SOUND);
    assert_eq!(hash, one("sound.graphql", SOUND));
    assert_ne!(hash, one("other.graphql", SOUND));
    assert_ne!(hash, one("sound.graphql", &format!("{SOUND}\n")));
}
