//! Rows as a statement returned them, packed: one cell array and one text arena, whatever the database.

/// One value. Dates and decimals arrive as their canonical text, so that every database gives the same bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cell {
    /// SQL null.
    Null,
    /// Any integer.
    Int(i64),
    /// A truth value.
    Bool(bool),
    /// Text: start and length in the arena.
    Text(u32, u32),
    /// A day or a number that the database holds and no scalar can tell: `infinity`, `NaN`. It is not null.
    Unreadable,
}

/// What a statement's column holds, so that its cells can be decoded alike from every database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// Integer up to 64 bits.
    Int,
    /// Truth value (0 and 1 in SQLite).
    Bool,
    /// Calendar day, as `YYYY-MM-DD`.
    Date,
    /// Decimal with that many digits after the point, or [`ALL_DIGITS`] that it has.
    Decimal(u8),
}

/// Of a decimal that is kept to be compared with others.
pub const ALL_DIGITS: u8 = u8::MAX;

/// The rows of one statement.
#[derive(Debug, Default)]
pub struct Rows {
    width: usize,
    cells: Vec<Cell>,
    text: String,
    odd: bool,
}

impl Rows {
    /// No rows yet, of that many columns.
    pub fn new(width: usize) -> Rows {
        Rows { width, ..Rows::default() }
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// No rows.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// The cell in that row and column.
    pub fn cell(&self, row: usize, column: usize) -> Cell {
        self.cells[row * self.width + column]
    }

    /// The text behind a text cell of these rows.
    pub fn text(&self, start: u32, length: u32) -> &str {
        &self.text[start as usize..(start + length) as usize]
    }

    /// The integer in that place; 0 for null, which surrogate keys never are.
    pub fn int(&self, row: usize, column: usize) -> i64 {
        match self.cell(row, column) {
            Cell::Int(value) => value,
            _ => 0,
        }
    }

    /// Appends a cell that carries no text.
    pub fn push(&mut self, cell: Cell) {
        self.cells.push(cell);
    }

    /// Appends what cannot be told; tells whether it is the first of these rows.
    pub fn push_unreadable(&mut self) -> bool {
        self.cells.push(Cell::Unreadable);
        !std::mem::replace(&mut self.odd, true)
    }

    /// Appends a text cell.
    pub fn push_text(&mut self, value: &str) {
        self.push_written(|text| text.push_str(value));
    }

    /// Appends a text cell that the function writes into the arena.
    pub fn push_written(&mut self, write: impl FnOnce(&mut String)) {
        let start = self.text.len();
        write(&mut self.text);
        self.cells.push(Cell::Text(start as u32, (self.text.len() - start) as u32));
    }

    /// Turns the rows around, for pages read from their end.
    pub fn reverse(&mut self) {
        let rows: Vec<Vec<Cell>> = self.cells.chunks(self.width).rev().map(<[Cell]>::to_vec).collect();
        self.cells = rows.concat();
    }

    /// Keeps the first rows only.
    pub fn truncate(&mut self, rows: usize) {
        self.cells.truncate(rows * self.width);
    }
}
