//! The scalars of the five datasets: what each accepts on input, how it is kept, what it says when wrong.

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
