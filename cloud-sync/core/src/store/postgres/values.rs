//! The dialect's values on PostgreSQL's wire.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::store::Value;

type Failure = Box<dyn Error + Sync + Send>;

impl Value {
    /// The type that a parameter is declared with; nothing is declared for NULL, which fits all.
    pub(super) const fn sql_type(&self) -> Type {
        match self {
            Self::Null => Type::UNKNOWN,
            Self::Integer(_) => Type::INT8,
            Self::Real(_) => Type::FLOAT8,
            Self::Text(_) => Type::TEXT,
        }
    }
}

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Failure> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Integer(value) => value.to_sql_checked(ty, out),
            Self::Real(value) => value.to_sql_checked(ty, out),
            Self::Text(value) => value.to_sql_checked(ty, out),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Failure> {
        Ok(match *ty {
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::INT4 => Self::Integer(i32::from_sql(ty, raw)?.into()),
            Type::INT2 => Self::Integer(i16::from_sql(ty, raw)?.into()),
            Type::BOOL => Self::Integer(bool::from_sql(ty, raw)?.into()),
            Type::FLOAT8 => Self::Real(f64::from_sql(ty, raw)?),
            Type::FLOAT4 => Self::Real(f32::from_sql(ty, raw)?.into()),
            Type::NUMERIC => numeric(raw)?,
            _ if <&str as FromSql>::accepts(ty) => Self::Text(String::from_sql(ty, raw)?),
            _ => return Err(format!("`{ty}` is no type of the dialect").into()),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Failure> {
        Ok(Self::Null)
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

/// `numeric`, which sums and averages of integers come as: a count of digits to the base 10,000,
/// the weight of the first, the sign, the decimals that are shown, and the digits. An integer where
/// it shows no decimals.
fn numeric(raw: &[u8]) -> Result<Value, Failure> {
    let mut words = raw.chunks_exact(2).map(|pair| i16::from_be_bytes([pair[0], pair[1]]));
    let mut next = || words.next().ok_or("a number is cut short");
    let (digits, weight, sign, decimals) = (next()?, next()?, next()?, next()?);
    let sign = match sign {
        0 => 1,
        0x4000 => -1,
        _ => return Err("a number is not finite".into()),
    };
    if decimals == 0 {
        let mut whole = 0_i64;
        for place in 0..=weight {
            let digit = if place < digits { next()? } else { 0 };
            let longer = whole.checked_mul(10_000).and_then(|w| w.checked_add(digit.into()));
            whole = longer.ok_or("a number is beyond 64 bits")?;
        }
        return Ok(Value::Integer(sign * whole));
    }
    let mut real = 0.0;
    for place in 0..digits {
        real += f64::from(next()?) * 10_000_f64.powi((weight - place).into());
    }
    Ok(Value::Real(sign as f64 * real))
}
