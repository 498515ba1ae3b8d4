//! Numbers and names inside a door plate: Arabic and Chinese digits, lists, ranges, 之, basements; where a
//! street's name ends. What they mean in sequence is left to `read`.

use super::{Fault, Floor, MOST, Plate};
use crate::catalog::scalar::writing;

/// One number of a list, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item {
    /// The number itself.
    pub number: u32,
    /// After 之 or a dash.
    pub sub: Option<u32>,
    /// A dash, not 之, stood before `sub`: on floors that is a range.
    pub dash: bool,
    /// B or 地下.
    pub below: bool,
    /// 臨
    pub provisional: bool,
    /// Other end of a range (~, 至, 到): number and sub.
    pub until: Option<(u32, Option<u32>)>,
    /// Whether the other end is below ground; none where that is not said: `B1-2` may mean B2 or the second floor.
    pub end_below: Option<bool>,
    /// F after the number.
    pub is_floor: bool,
}

impl Item {
    fn plain(number: u32) -> Item {
        let (sub, dash, below, provisional, until, is_floor) = (None, false, false, false, None, false);
        Item { number, sub, dash, below, provisional, until, end_below: Some(false), is_floor }
    }

    /// 地下室 without a number.
    pub fn basement() -> Item {
        Item { below: true, is_floor: true, ..Item::plain(1) }
    }

    /// As a lane or alley has it: `12`, `12之1`.
    pub fn text(&self) -> String {
        match self.sub {
            Some(sub) => format!("{}之{sub}", self.number),
            None => self.number.to_string(),
        }
    }
}

/// A list of numbers and where it ends.
pub struct ItemList {
    /// The numbers in order.
    pub items: Vec<Item>,
    /// Index of the first character after them.
    pub next: usize,
}

impl ItemList {
    /// Whether the list says by itself that it means floors (`B1`, `3F`).
    pub fn is_floor(&self) -> bool {
        self.items.iter().any(|item| item.is_floor || item.below)
    }
}

/// A run of Arabic digits, or of Chinese numerals.
pub fn number_at(chars: &[char], at: usize) -> Option<(u32, usize)> {
    let run = |test: fn(char) -> bool| chars.get(at..).map_or(0, |c| c.iter().take_while(|c| test(**c)).count());
    let arabic = run(|c| c.is_ascii_digit());
    if arabic > 0 {
        let text: String = chars[at..at + arabic].iter().collect();
        return (arabic <= 6).then(|| text.parse().ok()).flatten().map(|n| (n, at + arabic));
    }
    let chinese = run(writing::is_chinese_numeral);
    writing::chinese_number(&chars[at..at + chinese]).map(|n| (n, at + chinese))
}

/// A list of numbers beginning here, if one does.
pub fn items_at(chars: &[char], at: usize) -> Option<ItemList> {
    let (first, mut next) = item_at(chars, at)?;
    let mut items = vec![first];
    while items.len() < MOST {
        let separated = chars.get(next).is_some_and(|c| matches!(c, '、' | ',' | ';' | '.' | '及' | '和' | '與'));
        let Some((item, after)) = separated.then(|| item_at(chars, next + 1)).flatten() else {
            break;
        };
        // A lane or section after the comma begins a new place; a word that continues a name is no number.
        if matches!(chars.get(after), Some('巷' | '弄' | '段')) {
            break;
        }
        items.push(item);
        next = after;
    }
    continue_subs(&mut items);
    Some(ItemList { items, next })
}

/// `29之1、2、3號`: small numbers after a 之 go on counting behind it.
fn continue_subs(items: &mut [Item]) {
    for at in 1..items.len() {
        let before = items[at - 1];
        if let (Some(sub), false, None, None) = (before.sub, before.dash, items[at].sub, items[at].until)
            && items[at].number > sub
            && items[at].number < before.number
            && !items[at].below
        {
            items[at] = Item { number: before.number, sub: Some(items[at].number), ..items[at] };
        }
    }
}

fn item_at(chars: &[char], at: usize) -> Option<(Item, usize)> {
    let starts = |word: &str, at: usize| word.chars().enumerate().all(|(i, c)| chars.get(at + i) == Some(&c));
    let (mut next, mut below, mut provisional) = (at, false, false);
    if starts("臨", next) {
        (next, provisional) = (next + 1, true);
    } else if starts("地下", next) {
        (next, below) = (next + 2, true);
    } else if starts("地上", next) {
        next += 2;
    } else if matches!(chars.get(next), Some('B' | 'b')) {
        (next, below) = (next + 1, true);
    }
    let Some((number, after)) = number_at(chars, next) else {
        // `136-1號B` was met: a basement without its number.
        return (below && chars.get(at) == Some(&'B') && next == chars.len()).then(|| (Item::basement(), next));
    };
    next = after;
    let mut item = Item { below, provisional, ..Item::plain(number) };
    let floor_mark = |next: &mut usize| {
        let marked = matches!(chars.get(*next), Some('F' | 'f'));
        *next += usize::from(marked);
        marked
    };
    item.is_floor = floor_mark(&mut next);
    // 地下 governs what follows it, the letter B its own number only; a word after the number ends either.
    let inherited = match (below, item.is_floor || starts("樓", next), starts("地下", at)) {
        (false, ..) | (true, true, _) => Some(false),
        (true, false, true) => Some(true),
        (true, false, false) => None,
    };
    if let Some(mark @ ('之' | '-')) = chars.get(next)
        && let Some((sub, after)) = number_at(chars, next + 1)
    {
        (item.sub, item.dash, item.end_below, next) = (Some(sub), *mark == '-', inherited, after);
        item.is_floor |= floor_mark(&mut next);
    }
    // The word before a range's sign may be repeated: `16巷63號至69號`.
    let sign = if starts("號", next) || starts("樓", next) { next + 1 } else { next };
    let (said, end) = side_at(chars, sign + 1);
    let is_range = matches!(chars.get(sign), Some('~' | '至' | '到'))
        || (chars.get(sign) == Some(&'-') && said.is_some() && (below || item.is_floor));
    if is_range && let Some((end, after)) = number_at(chars, end) {
        item.is_floor |= starts("樓", sign - 1);
        next = after;
        item.is_floor |= floor_mark(&mut next);
        item.end_below = said.or(inherited);
        let sub = match chars.get(next) {
            Some('之' | '-') => number_at(chars, next + 1),
            _ => None,
        };
        next = sub.map_or(next, |(_, after)| after);
        item.until = Some((end, sub.map(|(sub, _)| sub)));
    }
    Some((item, next))
}

/// `地下` or B, or `地上`, before the end of a range: whether that is below ground, and where its number begins.
fn side_at(chars: &[char], at: usize) -> (Option<bool>, usize) {
    match chars.get(at..).unwrap_or_default() {
        ['地', '下', ..] => (Some(true), at + 2),
        ['地', '上', ..] => (Some(false), at + 2),
        ['B' | 'b', ..] => (Some(true), at + 1),
        _ => (None, at),
    }
}

/// Writes lists and ranges out as doors. Both ends odd or both even means one side of the street.
pub fn plates(items: &[Item]) -> Result<Vec<Plate>, Fault> {
    let mut plates = Vec::new();
    for item in items {
        if item.below || item.is_floor {
            return Err(Fault::Unread);
        }
        let plate =
            |number, sub: Option<u32>| Plate { provisional: item.provisional, number, sub: sub.filter(|k| *k > 0) };
        plates.push(plate(item.number, item.sub));
        match item.until {
            None => {}
            Some((end, Some(until))) if end == item.number => {
                let from = item.sub.unwrap_or(0);
                if until <= from || (until - from) as usize > MOST {
                    return Err(Fault::BadRange);
                }
                plates.extend((from + 1..=until).map(|sub| plate(end, Some(sub))));
            }
            Some((end, sub)) => {
                if end <= item.number || (end - item.number) as usize > 2 * MOST {
                    return Err(Fault::BadRange);
                }
                let step = if (end - item.number) % 2 == 0 { 2 } else { 1 };
                plates.extend((item.number + step..=end).step_by(step as usize).map(|number| plate(number, None)));
                if sub.is_some() {
                    plates.push(plate(end, sub));
                }
            }
        }
    }
    if plates.len() > MOST { Err(Fault::BadRange) } else { Ok(plates) }
}

/// Writes lists and ranges out as floors.
pub fn floors(items: &[Item]) -> Result<Vec<Floor>, Fault> {
    let mut floors = Vec::new();
    for item in items {
        let from = if item.below { -(item.number as i32) } else { item.number as i32 };
        let until = match (item.until, item.sub, item.dash) {
            (None, None, _) => None,
            (Some((end, None)), None, _) | (None, Some(end), true) => match item.end_below {
                Some(below) => Some(if below { -(end as i32) } else { end as i32 }),
                None => return Err(Fault::EitherSide),
            },
            _ => return Err(Fault::Unread),
        };
        if item.provisional || from == 0 || from.abs() > 120 {
            return Err(Fault::Unread);
        }
        match until {
            None => floors.push(from),
            Some(until @ ..=-1) if from < 0 && until < from && until >= -120 => floors.extend((until..=from).rev()),
            Some(..=0) => return Err(Fault::BadRange),
            Some(until) if until > from && until <= 120 => floors.extend((from..=until).filter(|n| *n != 0)),
            Some(_) => return Err(Fault::BadRange),
        }
    }
    Ok(floors.into_iter().map(|number| Floor { number, mezzanine: false }).collect())
}

/// What a name is the name of.
pub enum NameKind {
    /// 路, 街, 大道, or a place.
    Street,
    /// 巷
    Lane,
}

/// The name that begins here, in folded form, and where it ends. Without 路 or 街 a place name ends before the
/// number that follows it (`羅斯福三段`, `文德22巷`, `前港16號`).
pub fn name_at(chars: &[char], at: usize, wants_street: bool) -> Option<(String, usize, NameKind)> {
    let mut i = at;
    while i < chars.len() {
        let c = chars[i];
        let next = chars.get(i + 1).copied();
        if matches!(c, '路' | '街') && i > at && !matches!(next, Some('路' | '街')) {
            return Some((street_name(&chars[at..=i])?, i + 1, NameKind::Street));
        }
        if c == '大' && next == Some('道') && i > at {
            // `堤頂大道路` is a slip for 堤頂大道.
            let end = i + 2 + usize::from(chars.get(i + 2) == Some(&'路'));
            return Some((street_name(&chars[at..i + 2])?, end, NameKind::Street));
        }
        if c == '巷' && i > at {
            return Some((street_name(&chars[at..i])?, i + 1, NameKind::Lane));
        }
        // 至 begins a few names (`至善路`); within one it is a range's sign.
        if matches!(c, '段' | '弄' | '號' | '樓' | '之')
            || (c == '至' && i > at)
            || !(c.is_alphabetic() || c.is_ascii_digit())
        {
            return None;
        }
        if wants_street
            && i > at + 1
            && let Some((_, end)) = number_at(chars, i)
            && matches!(chars.get(end), Some('段' | '巷' | '弄' | '號' | '之' | '-' | '、' | ',' | '~' | '至'))
        {
            // `光華1巷` after a street is a lane's name; here no street was named yet.
            return Some((street_name(&chars[at..i])?, i, NameKind::Street));
        }
        i += 1;
    }
    None
}

/// Arabic numbers within a name are written in Chinese: `致遠1路` → `致遠一路`.
fn street_name(chars: &[char]) -> Option<String> {
    let mut name = String::new();
    let mut at = 0;
    while at < chars.len() {
        if chars[at].is_ascii_digit() {
            let (number, next) = number_at(chars, at)?;
            name.push_str(&writing::to_chinese(number));
            at = next;
        } else {
            name.push(chars[at]);
            at += 1;
        }
    }
    let stem = name.trim_end_matches(['路', '街']);
    let fits = (1..=12).contains(&name.chars().count())
        && name.chars().all(|c| c.is_alphabetic() && !c.is_ascii())
        && !stem.chars().all(writing::is_chinese_numeral);
    fits.then_some(name)
}
