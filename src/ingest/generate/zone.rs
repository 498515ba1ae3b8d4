//! Kinds of zones, their codes and short names, and which uses they permit.

/// Kind of zone (分區類別).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// 住
    Housing,
    /// 商
    Commerce,
    /// 工
    Industry,
    /// 行政
    Administration,
    /// 文教
    Education,
    /// 公設
    Public,
    /// 保護
    Protection,
    /// 農業
    Farm,
    /// 河川
    River,
    /// 特專
    Special,
}

impl Class {
    /// The kind of a zone by its name.
    pub fn of(name: &str) -> Class {
        let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
        if has(&["河川", "河道", "行水"]) {
            Class::River
        } else if has(&["住宅", "住商"]) && !has(&["專用區"]) {
            Class::Housing
        } else if has(&["商業區"]) && !has(&["專用區"]) {
            Class::Commerce
        } else if has(&["工業"]) {
            Class::Industry
        } else if has(&["文教", "國小", "國中", "高中", "大專", "學校"]) {
            Class::Education
        } else if has(&["保護區", "保存區", "保安"]) {
            Class::Protection
        } else if has(&["農業"]) {
            Class::Farm
        } else if name == "行政區" {
            Class::Administration
        } else if has(&["用地"]) {
            Class::Public
        } else {
            Class::Special
        }
    }

    /// As stored.
    pub fn text(self) -> &'static str {
        match self {
            Class::Housing => "住",
            Class::Commerce => "商",
            Class::Industry => "工",
            Class::Administration => "行政",
            Class::Education => "文教",
            Class::Public => "公設",
            Class::Protection => "保護",
            Class::Farm => "農業",
            Class::River => "河川",
            Class::Special => "特專",
        }
    }

    /// Permitted use groups and whether only on conditions (土地使用分區管制自治條例, shortened).
    pub fn uses(self) -> &'static [(i32, bool)] {
        match self {
            Class::Housing => &[
                (1, false),
                (2, false),
                (3, false),
                (4, false),
                (5, false),
                (6, false),
                (7, false),
                (8, false),
                (9, false),
                (10, false),
                (12, true),
                (13, true),
                (15, false),
                (17, true),
                (49, false),
            ],
            Class::Commerce => &[
                (1, false),
                (2, false),
                (17, false),
                (18, false),
                (19, false),
                (21, false),
                (27, false),
                (28, false),
                (41, true),
            ],
            Class::Industry => &[(52, false), (53, false), (54, false), (55, true), (56, true)],
            Class::Special => &[(2, true), (17, true), (28, true), (41, true)],
            _ => &[],
        }
    }
}

/// Code and short name of the zones that everybody knows by them.
pub fn code(name: &str) -> Option<(&'static str, &'static str)> {
    Some(match name {
        "第一種住宅區" => ("R1", "住一"),
        "第二種住宅區" => ("R2", "住二"),
        "第二之一種住宅區" => ("R21", "住二之一"),
        "第二之二種住宅區" => ("R22", "住二之二"),
        "第三種住宅區" => ("R3", "住三"),
        "第三之一種住宅區" => ("R31", "住三之一"),
        "第三之二種住宅區" => ("R32", "住三之二"),
        "第四種住宅區" => ("R4", "住四"),
        "第四之一種住宅區" => ("R41", "住四之一"),
        "住宅區" => ("R", "住"),
        "第一種商業區" => ("B1", "商一"),
        "第二種商業區" => ("B2", "商二"),
        "第三種商業區" => ("B3", "商三"),
        "第四種商業區" => ("B4", "商四"),
        "商業區" => ("B", "商"),
        "第二種工業區" | "第貳種工業區" => ("I2", "工二"),
        "第三種工業區" | "第參種工業區" => ("I3", "工三"),
        "保護區" => ("T", "保"),
        "農業區" => ("A", "農"),
        "文教區" => ("E", "文教"),
        "風景區" => ("L", "風景"),
        "河川區" => ("W", "行水"),
        _ => return None,
    })
}
