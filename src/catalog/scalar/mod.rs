//! The scalars of the five datasets: what each accepts on input, how it is kept, what it says when wrong.
//! One file per scalar; everything here is pure. Reading whole files with them is left to `ingest::import`.

pub mod address;
pub mod building_number;
pub mod company_number;
pub mod date;
pub mod decimal;
pub mod district;
pub mod national_id;
pub mod parcel_number;
pub mod permit_number;
pub mod writing;

/// A leaf type that columns may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scalar {
    /// UTF-8 text.
    String,
    /// 32-bit integer.
    Int,
    /// 64-bit surrogate key, shown as text.
    Id,
    /// True or false.
    Boolean,
    /// Calendar day; ISO on output, ISO or ROC (民國) on input.
    Date,
    /// Exact decimal number, shown as text.
    Decimal,
    /// 國民身分證統一編號 or 外來人口統一證號.
    NationalId,
    /// 地號, eight digits.
    ParcelNumber,
    /// 建號, eight digits.
    BuildingNumber,
    /// 執照號碼, `115使字第0001號`.
    PermitNumber,
    /// Normalised door plate (門牌).
    AddressKey,
}

/// What a scalar would have accepted, with an example, in both languages of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expected {
    /// English, a noun phrase: `a date such as "2015-04-22"`.
    pub en: &'static str,
    /// Traditional Chinese: `日期，例如「2015-04-22」`.
    pub zh: &'static str,
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.en)
    }
}

impl Scalar {
    /// Every scalar, in the order of the declaration language.
    pub const ALL: [Scalar; 11] = [
        Scalar::String,
        Scalar::Int,
        Scalar::Id,
        Scalar::Boolean,
        Scalar::Date,
        Scalar::Decimal,
        Scalar::NationalId,
        Scalar::ParcelNumber,
        Scalar::BuildingNumber,
        Scalar::PermitNumber,
        Scalar::AddressKey,
    ];

    /// Name in the declarations and in `schema.graphql`.
    pub fn graphql_name(self) -> &'static str {
        match self {
            Scalar::String => "String",
            Scalar::Int => "Int",
            Scalar::Id => "ID",
            Scalar::Boolean => "Boolean",
            Scalar::Date => "Date",
            Scalar::Decimal => "Decimal",
            Scalar::NationalId => "NationalId",
            Scalar::ParcelNumber => "ParcelNumber",
            Scalar::BuildingNumber => "BuildingNumber",
            Scalar::PermitNumber => "PermitNumber",
            Scalar::AddressKey => "AddressKey",
        }
    }

    /// The scalar of that GraphQL name.
    pub fn find(graphql_name: &str) -> Option<Scalar> {
        Scalar::ALL.into_iter().find(|scalar| scalar.graphql_name() == graphql_name)
    }

    /// Whether a bare number (GraphQL or JSON) is a fit input besides text.
    pub fn accepts_number(self) -> bool {
        matches!(self, Scalar::Int | Scalar::Id | Scalar::Decimal)
    }

    /// Reads any accepted writing and gives the canonical one, which databases hold and answers show.
    pub fn parse_text(self, text: &str) -> Result<String, Expected> {
        match self {
            Scalar::String => Ok(text.to_owned()),
            Scalar::Int => text.trim().parse::<i32>().map(|n| n.to_string()).map_err(|_| INT),
            Scalar::Id => text.trim().parse::<i64>().map(|n| n.to_string()).map_err(|_| ID),
            Scalar::Boolean => match text.trim() {
                "true" | "1" => Ok("true".into()),
                "false" | "0" => Ok("false".into()),
                _ => Err(BOOLEAN),
            },
            Scalar::Date => date::parse(text).map(date::iso),
            Scalar::Decimal => decimal::parse(text),
            Scalar::NationalId => national_id::parse(text),
            Scalar::ParcelNumber => parcel_number::parse(text),
            Scalar::BuildingNumber => building_number::parse(text),
            Scalar::PermitNumber => permit_number::parse(text),
            Scalar::AddressKey => address::parse_key(text),
        }
    }
}

const INT: Expected = Expected {
    en: "a whole number from -2147483648 to 2147483647 such as 14",
    zh: "整數（-2147483648 至 2147483647），例如 14",
};
const ID: Expected = Expected { en: "a row number such as \"1024\"", zh: "資料列編號，例如「1024」" };
const BOOLEAN: Expected = Expected { en: "true or false", zh: "true 或 false" };

#[cfg(test)]
mod tests;
