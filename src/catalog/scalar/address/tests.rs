//! Writings of door plates met in the city's files, and what each is.

use super::*;

fn keys(text: &str) -> Vec<String> {
    read_all(text).unwrap_or_else(|e| panic!("{text}: {e:?}")).iter().map(Address::key).collect()
}

fn key(text: &str) -> String {
    parse_key(text).unwrap_or_else(|e| panic!("{text}: expected {e}"))
}

#[test]
fn one_door_in_many_writings() {
    for text in [
        "臺北市大安區復興南路一段36巷5弄12號之1三樓",
        "台北市大安區復興南路1段36巷5弄12之1號3樓",
        "大安區復興南路一段三六巷5弄12-1號三樓",
        "臺北市大安區仁慈里003鄰復興南路一段３６巷５弄１２－１號　３樓",
        "臺北市大安區復興南路 1段 36巷 5弄 12之1號 3F",
        "大安區復興南路1段36巷5弄12之1號3樓",
    ] {
        assert_eq!(key(text), "大安區復興南路1段36巷5弄12之1號3樓", "{text}");
    }
}

#[test]
fn writings_of_single_addresses() {
    for (text, canonical) in [
        ("臺北市內湖區碧山里021鄰內湖路三段六Ｏ巷12弄74號三樓之2", "內湖區內湖路3段60巷12弄74號3樓之2"),
        ("內湖區康樂街一八六巷34-3號七樓之1", "內湖區康樂街186巷34之3號7樓之1"),
        ("松山區饒河街199號 9樓之7", "松山區饒河街199號9樓之7"),
        ("臺北市信義區松仁路89號B2樓", "信義區松仁路89號B2樓"),
        ("信義區松壽路22號B1", "信義區松壽路22號B1樓"),
        ("大安區復興南路一段36之6號等", "大安區復興南路1段36之6號"),
        ("臺北市中山區植福路168號 地下一樓", "中山區植福路168號B1樓"),
        ("萬華區中華路二段315巷4弄1號地下樓", "萬華區中華路2段315巷4弄1號B1樓"),
        ("臺北市中山區南京東路三段188號 十 一樓", "中山區南京東路3段188號11樓"),
        ("臺北市北投區致遠1路2段67號3樓", "北投區致遠一路2段67號3樓"),
        ("臺北市松山區慈祐里021鄰8德路4段689號", "松山區八德路4段689號"),
        ("臺北市內湖區民權東路六180巷70弄23號 2樓", "內湖區民權東路6段180巷70弄23號2樓"),
        ("臺北市北投區大屯路光華1巷6號 2樓", "北投區大屯路光華一巷6號2樓"),
        ("臺北市北投區林泉里014鄰溫泉路銀光巷2-7號三樓", "北投區溫泉路銀光巷2之7號3樓"),
        ("臺北市北投區八仙里014鄰大度路怡和巷4弄34號", "北投區大度路怡和巷4弄34號"),
        ("臺北市大同區承德路三段承德路三段214巷31號 2樓", "大同區承德路3段214巷31號2樓"),
        ("臺北市萬華區西門里003鄰康定路二五巷39號四樓之Ｅ室", "萬華區康定路25巷39號4樓之E"),
        ("臺北市南港區經貿二路166號 2樓4", "南港區經貿二路166號2樓之4"),
        ("臺北市松山區八德路四段640號 之110樓之0", "松山區八德路4段640之1號10樓"),
        ("臺北市松山區八德路四段640號 之12樓之1", "松山區八德路4段640之1號2樓之1"),
        ("臺北市萬華區環河南路二段127號 之1B1樓", "萬華區環河南路2段127之1號B1樓"),
        ("臺北市文山區木柵路三段220號二樓之(戶政事務所", "文山區木柵路3段220號2樓"),
        ("臺北市大安區和平東路二段76巷5號", "大安區和平東路2段76巷5號"),
        ("臺北市文山區和興路22號 3樓", "文山區和興路22號3樓"),
        ("士林區中正路臨589號", "士林區中正路臨589號"),
        ("臺北市中正區厦門街142號", "中正區廈門街142號"),
        ("北投區公\u{e16d}路1號", "北投區公館路1號"),
        ("內湖區堤頂大道路2段235號", "內湖區堤頂大道2段235號"),
        ("信義區大道路74號", "信義區大道路74號"),
        ("臺北市北投區振華里017鄰裕民四2巷20號", "北投區裕民四2巷20號"),
        ("臺北市士林區前港里前港16號4樓", "士林區前港16號4樓"),
        ("臺北市中正區羅斯福三段2號 14樓", "中正區羅斯福3段2號14樓"),
        ("信義區松高路9", "信義區松高路9號"),
        ("士林區菁山路90號號", "士林區菁山路90號"),
        ("南港區研究院路2段128號內之(化學研究所) ", "南港區研究院路2段128號"),
        ("中山區松江路1號3樓夾層", "中山區松江路1號3樓夾層"),
    ] {
        assert_eq!(keys(text), [canonical], "{text}");
    }
}

#[test]
fn lists_and_ranges() {
    assert_eq!(
        keys("信義區忠孝東路5段71巷6、8號2至5樓、8號5樓之1"),
        ["6號2樓", "6號3樓", "6號4樓", "6號5樓", "8號2樓", "8號3樓", "8號4樓", "8號5樓", "8號5樓之1"]
            .map(|door| format!("信義區忠孝東路5段71巷{door}"))
    );
    let both = |text: &str, expected: &[&str]| assert_eq!(keys(text), expected, "{text}");
    both("大安區復興南路1段107巷5弄27、29號", &["大安區復興南路1段107巷5弄27號", "大安區復興南路1段107巷5弄29號"]);
    both("大同區天水路1號1~3樓", &["大同區天水路1號1樓", "大同區天水路1號2樓", "大同區天水路1號3樓"]);
    both("萬華區西寧南路36號1F-3F樓", &["萬華區西寧南路36號1樓", "萬華區西寧南路36號2樓", "萬華區西寧南路36號3樓"]);
    // 地下 counts for both ends, unless the word 樓 or the end itself says otherwise.
    let floors = |text: &str, floors: &[&str]| {
        let expected: Vec<String> = floors.iter().map(|floor| format!("萬華區西昌街12號{floor}樓")).collect();
        assert_eq!(keys(&format!("萬華區西昌街12號{text}")), expected, "{text}");
    };
    floors("地下1至3樓", &["B1", "B2", "B3"]);
    floors("地下1-3樓", &["B1", "B2", "B3"]);
    floors("B1~B2", &["B1", "B2"]);
    floors("B1-B3樓", &["B1", "B2", "B3"]);
    floors("地下1樓至地下2樓", &["B1", "B2"]);
    floors("地下1樓至2樓", &["B1", "1", "2"]);
    floors("地下1至地上2樓", &["B1", "1", "2"]);
    floors("B1F-2F", &["B1", "1", "2"]);
    both("中山區北安路780號1、B2樓", &["中山區北安路780號1樓", "中山區北安路780號B2樓"]);
    both("士林區天母東路105巷1號3號地下室", &["士林區天母東路105巷1號B1樓", "士林區天母東路105巷3號B1樓"]);
    both(
        "士林區華齡街1巷8～14號",
        &["8", "10", "12", "14"].map(|n| format!("士林區華齡街1巷{n}號")).each_ref().map(String::as_str),
    );
    both("內湖區星雲街16巷63號至65號", &["內湖區星雲街16巷63號", "內湖區星雲街16巷65號"]);
    both(
        "士林區延平北路五段213巷31至33之1號",
        &["31", "33", "33之1"].map(|n| format!("士林區延平北路5段213巷{n}號")).each_ref().map(String::as_str),
    );
    both(
        "北投區泉源路29之1、2號； 33之1、2號",
        &["29之1", "29之2", "33之1", "33之2"].map(|n| format!("北投區泉源路{n}號")).each_ref().map(String::as_str),
    );
    both(
        "內湖區環山路二段6至8號、10巷2號、10巷6弄6號",
        &["內湖區環山路2段6號", "內湖區環山路2段8號", "內湖區環山路2段10巷2號", "內湖區環山路2段10巷6弄6號"],
    );
    both(
        "文山區 木柵路2段138巷33號及興隆路 4段105巷45、47號",
        &["文山區木柵路2段138巷33號", "文山區興隆路4段105巷45號", "文山區興隆路4段105巷47號"],
    );
    assert_eq!(keys("文山區忠順街二段85巷1~30號").len(), 30);
}

#[test]
fn attributes_stay_out_of_the_key() {
    let address =
        read_one("臺北市內湖區碧山里021鄰內湖路三段60巷12弄74號三樓之2").map_err(|e| format!("{e:?}")).unwrap();
    assert_eq!((address.village.as_deref(), address.neighbourhood), (Some("碧山里"), Some(21)));
    assert_eq!(address.level(), Level::Unit);
    assert_eq!(address.plate_key(), "內湖區內湖路3段60巷12弄74號");
    assert_eq!(address.floor_key().as_deref(), Some("內湖區內湖路3段60巷12弄74號3樓"));
    assert_eq!(address.text(), "臺北市內湖區內湖路3段60巷12弄74號3樓之2");
}

#[test]
fn streets_of_places() {
    for (text, street) in [
        ("臺北市文山區忠順街二段85巷1~30號", Some("忠順街2段")),
        ("金龍路222巷2—1~30號", Some("金龍路")),
        ("臺北市文山區臺北市文山區景華街181~210號", Some("景華街")),
        ("臺北市文山區文山區木柵路一段1~30號", Some("木柵路1段")),
        ("公\u{e16d}路241~270號", Some("公館路")),
        ("--001鄰新市街30號三樓", Some("新市街")),
        ("士林區仰德大道3段106巷20號", Some("仰德大道3段")),
        ("仁愛段四小段31~60地號", None),
        ("中正區?門街121~150號", None),
        ("", None),
    ] {
        assert_eq!(street_of(text).as_deref(), street, "{text}");
    }
}

#[test]
fn refusals_say_why() {
    for (text, fault) in [
        ("", Fault::Empty),
        ("(公園)", Fault::Empty),
        ("新北市新店區中央路153號", Fault::OtherCity),
        ("復興南路一段36號", Fault::NoDistrict),
        ("臺北市信義區戶政事務所", Fault::NoStreet),
        ("臺北市南港區經貿路二段", Fault::NoNumber),
        ("臺北市士林區福佳里", Fault::NoNumber),
        ("臺北市中山區松江路63巷3樓之1", Fault::NoNumber),
        ("信義區路四段405號", Fault::NoStreet),
        ("臺北市中正區?門街121號", Fault::LostCharacter),
        ("大安區復興南路1段9至3號", Fault::BadRange),
        ("大安區復興南路1段9號地下3至1樓", Fault::BadRange),
        // The city's own list means the fifth floor by B1-5樓; another one may mean a basement.
        ("萬華區西昌街201之2號B1-5樓", Fault::EitherSide),
        ("大安區復興南路1段1~9999號", Fault::BadRange),
        ("臺北市文山區仙岩路30號 樓之5", Fault::Unread),
        ("中山區濱江街7號水門至松江路", Fault::Unread),
    ] {
        assert_eq!(read_all(text), Err(fault), "{text}");
    }
    assert_eq!(read_one("大安區復興南路1段6、8號"), Err(Fault::Several));
}

#[test]
fn district_from_another_column() {
    let known = crate::catalog::scalar::district::find_by_name("中正區");
    let read = |text| read_all_in(known, text).map(|all| all[0].key());
    assert_eq!(read("中山南路7號"), Ok("中正區中山南路7號".into()));
    assert_eq!(read("大安區仁愛路4段10號"), Ok("大安區仁愛路4段10號".into()));
    assert_eq!(read("--松江路367號二樓"), Ok("中正區松江路367號2樓".into()));
}

proptest::proptest! {
    #[test]
    fn keys_are_fixed_points_and_prefixes(
        street in "(復興南路|八德路|致遠一路|市民大道|三民街|陽明山)",
        section in proptest::option::of(1u32..9),
        lane in proptest::option::of(1u32..900),
        alley in proptest::option::of(1u32..300),
        number in 1u32..999,
        sub in proptest::option::of(1u32..40),
        floor in proptest::option::of((-5i32..45).prop_filter("no floor 0", |n| *n != 0)),
        unit in proptest::option::of(1u32..90),
    ) {
        let part = |value: Option<u32>, word| value.map(|n| format!("{n}{word}")).unwrap_or_default();
        let place = format!("大安區{street}{}{}{}", part(section, "段"), part(lane, "巷"), part(alley, "弄"));
        let plate = format!("{place}{number}{}號", sub.map(|k| format!("之{k}")).unwrap_or_default());
        let floor_text = floor.map(|n| if n < 0 { format!("B{}樓", -n) } else { format!("{n}樓") });
        let unit_text = unit.filter(|_| floor.is_some()).map(|k| format!("之{k}"));
        let canonical = format!("{plate}{}{}", floor_text.unwrap_or_default(), unit_text.unwrap_or_default());
        let read = read_one(&canonical).map_err(|e| proptest::test_runner::TestCaseError::fail(format!("{canonical}: {e:?}")))?;
        proptest::prop_assert_eq!(read.key(), canonical.clone());
        proptest::prop_assert_eq!(read.plate_key(), plate);
        proptest::prop_assert!(canonical.starts_with(&read.plate_key()));
    }

    #[test]
    fn never_panics(text in "\\PC{0,30}") { let _ = (read_all(&text), street_of(&text)); }

    #[test]
    fn what_is_read_reads_again(text in "大安區[里鄰路街大道段巷弄號樓之至~、B地下室臨F一二十百O0-9-]{0,16}") {
        for address in read_all(&text).unwrap_or_default() {
            proptest::prop_assert_eq!(parse_key(&address.key()), Ok(address.key()));
        }
    }
}

use proptest::strategy::Strategy;
