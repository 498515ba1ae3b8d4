//! From loaded rows to the answer's bytes and, in the same pass, to what the record says was touched. Masks are
//! applied here; nothing is decided.

use std::collections::HashMap;
use std::io::Write as _;

use super::ask::PageField;
use super::load::Load;
use super::page::{self, Sealer};
use super::plan::{Connection, EdgeOutKind, FieldOutKind, PartOutKind, Plan, RootOutKind, View};
use super::unreadable;
use crate::access::mask;
use crate::audit::touched::Touched;
use crate::catalog::Mask;
use crate::store::rows::{Cell, Rows};

/// The answer's data, and what it was made from.
#[derive(Debug, Default)]
pub struct Written {
    /// `{…}`: the value of `data`.
    pub data: Vec<u8>,
    /// The rows of each rectangle.
    pub touched: Vec<Touched>,
    /// Objects written.
    pub objects: u32,
    /// A cursor would have to tell what cannot be read, so the answer must not leave.
    pub lost: bool,
}

/// What a writer needs besides the rows.
pub struct Surroundings<'a> {
    /// Values of the roots that are answered elsewhere, as JSON.
    pub others: &'a HashMap<String, String>,
    /// Seals cursors.
    pub sealer: &'a Sealer,
    /// The caller and state of the rights to which cursors are bound.
    pub bound_to: &'a str,
    /// Whether a connection's page begins after an offset.
    pub passed_over: &'a dyn Fn(&Connection) -> bool,
    /// Names a connection's filter, for cursors.
    pub filter_name: &'a dyn Fn(&Connection) -> u64,
}

struct Writer<'a> {
    load: &'a Load,
    around: &'a Surroundings<'a>,
    out: Vec<u8>,
    touched: Vec<Touched>,
    objects: u32,
    lost: bool,
    masked: String,
    /// Names the filter of the connection that is being written, if that has cursors.
    filter: u64,
}

/// Writes the answer of a finished load.
pub fn write(plan: &Plan, load: &Load, around: &Surroundings) -> Written {
    let mut writer = Writer {
        load,
        around,
        out: Vec::with_capacity(1024),
        touched: (0..plan.rectangles).map(Touched::new).collect(),
        objects: 0,
        lost: false,
        masked: String::new(),
        filter: 0,
    };
    writer.touched[0].row(0);
    writer.out.push(b'{');
    for (column, root) in plan.roots.iter().enumerate() {
        writer.out.extend_from_slice(&root.prefix);
        let null = match &root.kind {
            RootOutKind::Null => {
                writer.null();
                false
            }
            RootOutKind::Typename => {
                writer.out.extend_from_slice(b"\"Query\"");
                false
            }
            RootOutKind::Other => {
                let value = around.others.get(&root.key).map_or("null", String::as_str);
                writer.out.extend_from_slice(value.as_bytes());
                value == "null"
            }
            RootOutKind::One(view) => writer.one(view),
            RootOutKind::Connection(connection) => {
                writer.connection(connection);
                false
            }
        };
        if null {
            writer.touched[0].null(column as u16, 0);
        }
    }
    writer.out.push(b'}');
    for (step, rectangle) in &plan.looked_for {
        let Some(loaded) = load.step(*step) else { continue };
        for row in 0..loaded.rows.len() {
            writer.touched[*rectangle as usize].row(loaded.rows.int(row, 0));
        }
    }
    Written { data: writer.out, touched: writer.touched, objects: writer.objects, lost: writer.lost }
}

impl Writer<'_> {
    fn null(&mut self) {
        self.out.extend_from_slice(b"null");
    }

    /// A root's single row; tells whether there was none.
    fn one(&mut self, view: &View) -> bool {
        match self.load.step(view.step) {
            Some(loaded) if !loaded.rows.is_empty() => {
                self.object(view, &loaded.rows, 0);
                false
            }
            _ => {
                self.null();
                true
            }
        }
    }

    fn object(&mut self, view: &View, rows: &Rows, row: usize) {
        self.objects += 1;
        let rectangle = view.rectangle as usize;
        let position = self.touched[rectangle].row(rows.int(row, view.id));
        self.out.push(b'{');
        for (number, field) in view.fields.iter().enumerate() {
            self.out.extend_from_slice(&field.prefix);
            let null = match &field.kind {
                FieldOutKind::Null => {
                    self.null();
                    false
                }
                // Under a mask that hides all, an error would tell something of the value.
                FieldOutKind::Column { column, mask, .. }
                    if *mask != Some(Mask::Hide) && rows.cell(row, *column) == Cell::Unreadable =>
                {
                    self.null();
                    self.touched[rectangle].error(number as u16, &unreadable::CODE.word().into(), position);
                    false
                }
                FieldOutKind::Column { column, quoted, mask } => self.value(rows, row, *column, *quoted, *mask),
                FieldOutKind::Typename(name) => {
                    self.out.extend_from_slice(name);
                    false
                }
                FieldOutKind::Ride(view) => self.ride(view, rows, row),
                FieldOutKind::One(view) => self.child(view, row),
                FieldOutKind::Many(view) => {
                    self.children(view, row);
                    false
                }
            };
            if null {
                self.touched[rectangle].null(number as u16, position);
            }
        }
        self.out.push(b'}');
    }

    fn ride(&mut self, view: &View, rows: &Rows, row: usize) -> bool {
        if rows.cell(row, view.id) == Cell::Null {
            self.null();
            return true;
        }
        self.object(view, rows, row);
        false
    }

    fn child(&mut self, view: &View, parent: usize) -> bool {
        if let Some(loaded) = self.load.step(view.step)
            && let Some(row) = loaded.families.of(parent).first()
        {
            self.object(view, &loaded.rows, *row as usize);
            return false;
        }
        self.null();
        true
    }

    fn children(&mut self, view: &View, parent: usize) {
        self.out.push(b'[');
        if let Some(loaded) = self.load.step(view.step) {
            for (number, row) in loaded.families.of(parent).iter().enumerate() {
                if number > 0 {
                    self.out.push(b',');
                }
                self.object(view, &loaded.rows, *row as usize);
            }
        }
        self.out.push(b']');
    }

    /// Writes one value; tells whether it is null in the database.
    fn value(&mut self, rows: &Rows, row: usize, column: usize, quoted: bool, mask: Option<Mask>) -> bool {
        match (rows.cell(row, column), mask) {
            (Cell::Null | Cell::Unreadable, _) => {
                self.null();
                return true;
            }
            (Cell::Text(start, length), None) => string(&mut self.out, rows.text(start, length)),
            (Cell::Int(value), None) if !quoted => {
                self.out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            }
            (Cell::Int(value), None) => string(&mut self.out, itoa::Buffer::new().format(value)),
            (Cell::Bool(value), None) => self.out.extend_from_slice(if value { b"true" } else { b"false" }),
            (Cell::Text(start, length), Some(mask)) => self.masked(mask, rows.text(start, length)),
            // Only texts have masks that show a part.
            (Cell::Int(_) | Cell::Bool(_), Some(_)) => self.null(),
        }
        false
    }

    fn masked(&mut self, mask: Mask, value: &str) {
        self.masked.clear();
        match mask::write_masked(mask, value, &mut self.masked) {
            true => string(&mut self.out, &self.masked),
            false => self.null(),
        }
    }

    fn connection(&mut self, connection: &Connection) {
        let rectangle = connection.rectangle as usize;
        self.touched[rectangle].row(0);
        if connection.begun.is_some() || !connection.cursor.is_empty() {
            self.filter = (self.around.filter_name)(connection);
        }
        let loaded = connection.step.and_then(|step| self.load.step(step));
        let empty = Rows::new(1);
        let (rows, more) = loaded.map_or((&empty, false), |loaded| (&loaded.rows, loaded.more));
        self.out.push(b'{');
        for part in &connection.parts {
            self.out.extend_from_slice(&part.prefix);
            match &part.kind {
                PartOutKind::Null => self.null(),
                PartOutKind::Typename(name) => self.out.extend_from_slice(name),
                PartOutKind::TotalCount => {
                    let count = connection.count.and_then(|step| self.load.step(step));
                    let count = count.map_or(0, |loaded| loaded.rows.int(0, 0));
                    self.out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
                }
                PartOutKind::Nodes(view) => {
                    self.out.push(b'[');
                    for row in 0..rows.len() {
                        self.comma(row);
                        self.object(view, rows, row);
                    }
                    self.out.push(b']');
                }
                PartOutKind::Edges { rectangle, fields } => self.edges(connection, *rectangle, fields, rows),
                PartOutKind::PageInfo { rectangle, fields } => {
                    self.page_info(connection, *rectangle, fields, rows, more)
                }
            }
        }
        self.out.push(b'}');
    }

    fn comma(&mut self, number: usize) {
        if number > 0 {
            self.out.push(b',');
        }
    }

    fn edges(&mut self, connection: &Connection, rectangle: u16, fields: &[super::plan::EdgeOut], rows: &Rows) {
        self.out.push(b'[');
        for row in 0..rows.len() {
            self.comma(row);
            self.touched[rectangle as usize].row(rows.int(row, 0));
            self.out.push(b'{');
            for field in fields {
                self.out.extend_from_slice(&field.prefix);
                match &field.kind {
                    EdgeOutKind::Node(view) => self.object(view, rows, row),
                    EdgeOutKind::Cursor => self.cursor(connection, rows, row),
                    EdgeOutKind::Typename(name) => self.out.extend_from_slice(name),
                }
            }
            self.out.push(b'}');
        }
        self.out.push(b']');
    }

    fn cursor(&mut self, connection: &Connection, rows: &Rows, row: usize) {
        self.lost |= connection.cursor.iter().any(|column| rows.cell(row, *column) == Cell::Unreadable);
        let mark = page::mark(rows, row, &connection.cursor, self.filter);
        let bound_to = bound(self.around.bound_to, &connection.cursor_order);
        let sealed = self.around.sealer.seal(&bound_to, &mark);
        string(&mut self.out, &sealed);
    }

    fn page_info(
        &mut self,
        connection: &Connection,
        rectangle: u16,
        fields: &[(Box<[u8]>, PageField)],
        rows: &Rows,
        more: bool,
    ) {
        // Known are the cursor's row under the same filter, and rows passed over where one follows them.
        let begun = connection.begun == Some(self.filter);
        let passed_over = (more || !rows.is_empty()) && (self.around.passed_over)(connection);
        let (next, previous) = match connection.backward {
            false => (more, begun || passed_over),
            true => (begun, more),
        };
        let touched = rectangle as usize;
        let position = self.touched[touched].row(0);
        self.out.push(b'{');
        for (number, (prefix, field)) in fields.iter().enumerate() {
            self.out.extend_from_slice(prefix);
            let truth = |value: bool| if value { &b"true"[..] } else { &b"false"[..] };
            match field {
                PageField::HasNext => self.out.extend_from_slice(truth(next)),
                PageField::HasPrevious => self.out.extend_from_slice(truth(previous)),
                PageField::Typename => self.out.extend_from_slice(b"\"PageInfo\""),
                PageField::Start | PageField::End if rows.is_empty() => {
                    self.null();
                    self.touched[touched].null(number as u16, position);
                }
                PageField::Start => self.cursor(connection, rows, 0),
                PageField::End => self.cursor(connection, rows, rows.len() - 1),
            }
        }
        self.out.push(b'}');
    }
}

/// What a cursor is bound to: the caller with the rights, and the order.
pub fn bound(caller: &str, order: &str) -> String {
    format!("{caller}\n{order}")
}

/// A JSON string.
fn string(out: &mut Vec<u8>, text: &str) {
    let plain = text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\');
    if plain {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return;
    }
    // Writing to memory cannot fail.
    let _ = serde_json::to_writer(&mut *out, text);
    let _ = out.flush();
}
