//! PostgreSQL's `numeric` in binary: digits to the base of 10,000, to and from integers and text.
//!
//! The message is: number of digits, weight of the first digit (powers of 10,000), sign, number of decimal places shown,
//! then the digits; all 16 bit.

use arrow::datatypes::i256;

const NEGATIVE: u16 = 0x4000;
const NAN: u16 = 0xc000;
const INFINITY: u16 = 0xd000;
const MINUS_INFINITY: u16 = 0xf000;
const HEADER: usize = 8;

/// Powers of ten that fit.
const POWERS: [u128; 39] = {
    let mut powers = [1; 39];
    let mut i = 1;
    while i < 39 {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// Why a value cannot be had.
pub(super) type Why = &'static str;

const MALFORMED: Why = "a malformed numeric";
const TOO_LARGE: Why = "a numeric that does not fit its column's type";

/// The parts of a message, with its length checked.
struct Numeric<'a> {
    weight: i32,
    sign: u16,
    scale: u16,
    /// Big-endian pairs.
    digits: &'a [u8],
}

impl<'a> Numeric<'a> {
    #[inline]
    fn parse(bytes: &'a [u8]) -> Result<Self, Why> {
        let (header, digits) = bytes.split_first_chunk::<HEADER>().ok_or(MALFORMED)?;
        let [n1, n0, w1, w0, s1, s0, d1, d0] = *header;
        if digits.len() != usize::from(u16::from_be_bytes([n1, n0])) * 2 {
            return Err(MALFORMED);
        }
        Ok(Self {
            weight: i32::from(i16::from_be_bytes([w1, w0])),
            sign: u16::from_be_bytes([s1, s0]),
            scale: u16::from_be_bytes([d1, d0]),
            digits,
        })
    }

    /// Digits to the base of 10,000, the first one first.
    #[inline]
    fn digits(&self) -> impl ExactSizeIterator<Item = u16> + 'a {
        self.digits.chunks_exact(2).map(|d| u16::from_be_bytes([d[0], d[1]]))
    }

    /// The power of ten of the last digit's unit.
    #[inline]
    fn exponent(&self) -> i32 {
        4 * (self.weight + 1 - (self.digits.len() / 2) as i32)
    }

    #[inline]
    fn is_negative(&self) -> Result<bool, Why> {
        match self.sign {
            0 => Ok(false),
            NEGATIVE => Ok(true),
            NAN => Err("`NaN`, which no decimal type can hold"),
            INFINITY | MINUS_INFINITY => Err("an infinite numeric, which no decimal type can hold"),
            _ => Err(MALFORMED),
        }
    }
}

/// The value times 10^`scale`.
#[inline]
pub(super) fn decode_i128(bytes: &[u8], scale: i8) -> Result<i128, Why> {
    let numeric = Numeric::parse(bytes)?;
    let is_negative = numeric.is_negative()?;
    let exponent = numeric.exponent() + i32::from(scale);
    // Four digits are 16 decimal places: nearly every value takes the 64-bit way.
    let magnitude = if numeric.digits.len() <= 8 {
        u128::from(numeric.digits().fold(0_u64, |sum, digit| sum * 10_000 + u64::from(digit)))
    } else {
        let mut sum = 0_u128;
        let mut rest = exponent;
        for (i, digit) in numeric.digits().enumerate() {
            // The last digit may reach below the scale by up to three places, always zeros.
            let is_last = i + 1 == numeric.digits.len() / 2;
            if is_last && (-3..0).contains(&rest) {
                let cut = POWERS[rest.unsigned_abs() as usize];
                let unit = 10_000 / cut;
                let digit = u128::from(digit);
                sum = sum.checked_mul(unit).and_then(|s| s.checked_add(digit / cut)).ok_or(TOO_LARGE)?;
                if digit % cut != 0 {
                    return Err(TOO_LARGE);
                }
                rest = 0;
            } else {
                sum = sum.checked_mul(10_000).and_then(|s| s.checked_add(u128::from(digit))).ok_or(TOO_LARGE)?;
            }
        }
        return signed(scaled(sum, rest)?, is_negative);
    };
    signed(scaled(magnitude, exponent)?, is_negative)
}

#[inline]
fn scaled(magnitude: u128, exponent: i32) -> Result<u128, Why> {
    let power = exponent.unsigned_abs() as usize;
    if magnitude == 0 {
        return Ok(0);
    }
    let power = *POWERS.get(power).ok_or(TOO_LARGE)?;
    if exponent >= 0 {
        return magnitude.checked_mul(power).ok_or(TOO_LARGE);
    }
    if !magnitude.is_multiple_of(power) {
        return Err(TOO_LARGE);
    }
    Ok(magnitude / power)
}

#[inline]
fn signed(magnitude: u128, is_negative: bool) -> Result<i128, Why> {
    let value = i128::try_from(magnitude).map_err(|_| TOO_LARGE)?;
    Ok(if is_negative { -value } else { value })
}

/// The value times 10^`scale`, for up to 76 digits.
pub(super) fn decode_i256(bytes: &[u8], scale: i8) -> Result<i256, Why> {
    let mut text = Vec::new();
    decode_text(bytes, &mut text)?;
    Numeric::parse(bytes)?.is_negative()?;
    let text = String::from_utf8(text).map_err(|_| MALFORMED)?;
    let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
    let wanted = usize::try_from(scale).map_err(|_| TOO_LARGE)?;
    let places = if places.len() > wanted {
        let (kept, cut) = places.split_at(wanted);
        if cut.bytes().any(|b| b != b'0') {
            return Err(TOO_LARGE);
        }
        kept
    } else {
        places
    };
    let digits = format!("{whole}{places:0<wanted$}");
    i256::from_string(&digits).ok_or(TOO_LARGE)
}

/// The value as PostgreSQL prints it, with all its decimal places; also `NaN` and the infinities.
pub(super) fn decode_text(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Why> {
    let numeric = Numeric::parse(bytes)?;
    let sign: &[u8] = match numeric.sign {
        0 => b"",
        NEGATIVE => b"-",
        NAN => b"NaN",
        INFINITY => b"Infinity",
        MINUS_INFINITY => b"-Infinity",
        _ => return Err(MALFORMED),
    };
    out.extend_from_slice(sign);
    if sign.len() > 1 {
        return Ok(());
    }
    let group = |position: i32| -> [u8; 4] {
        let index = numeric.weight - position;
        let digit = usize::try_from(index)
            .ok()
            .and_then(|i| numeric.digits.chunks_exact(2).nth(i))
            .map_or(0, |d| u16::from_be_bytes([d[0], d[1]]));
        [1000, 100, 10, 1].map(|unit| b'0' + (digit / unit % 10) as u8)
    };
    let whole_from = out.len();
    for position in (0..=numeric.weight).rev() {
        out.extend_from_slice(&group(position));
    }
    let zeros = out[whole_from..].iter().take_while(|&&b| b == b'0').count();
    out.drain(whole_from..whole_from + zeros);
    if out.len() == whole_from {
        out.push(b'0');
    }
    let places = usize::from(numeric.scale);
    if places > 0 {
        out.push(b'.');
        let places_from = out.len();
        let mut position = -1;
        while out.len() - places_from < places {
            out.extend_from_slice(&group(position));
            position -= 1;
        }
        out.truncate(places_from + places);
    }
    Ok(())
}

/// Appends the field, its length included, of `value` / 10^`scale`.
#[inline]
pub(super) fn encode_i128(value: i128, scale: i8, out: &mut Vec<u8>) {
    let Ok(places) = u8::try_from(scale) else {
        // A negative scale means zeros at the end; rare enough for the way through text.
        let mut text = value.to_string();
        text.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs())));
        let encoded = encode_text(&text, out);
        debug_assert!(encoded.is_ok(), "digits of an integer are a number");
        return;
    };
    let magnitude = value.unsigned_abs();
    // The last group holds the places beyond the last full group of four.
    let odd = u32::from(places % 4);
    let groups_after_point = i16::from(places.div_ceil(4));
    // 38 digits and one group that is not full need 11.
    let mut digits = [[0_u8; 2]; 11];
    let mut at = digits.len();
    if let Ok(small) = u64::try_from(magnitude) {
        let mut rest = small;
        if odd > 0 {
            let unit = 10_u64.pow(odd);
            at -= 1;
            digits[at] = ((rest % unit * (10_000 / unit)) as u16).to_be_bytes();
            rest /= unit;
        }
        while rest > 0 {
            at -= 1;
            digits[at] = ((rest % 10_000) as u16).to_be_bytes();
            rest /= 10_000;
        }
    } else {
        let mut rest = magnitude;
        if odd > 0 {
            let unit = 10_u128.pow(odd);
            at -= 1;
            digits[at] = ((rest % unit * (10_000 / unit)) as u16).to_be_bytes();
            rest /= unit;
        }
        while rest > 0 {
            at -= 1;
            digits[at] = ((rest % 10_000) as u16).to_be_bytes();
            rest /= 10_000;
        }
    }
    let digits = digits[at..].as_flattened();
    let count = (digits.len() / 2) as i16;
    put(digits, count - groups_after_point - 1, value < 0, u16::from(places), out);
}

/// Appends the field of a value of up to 76 digits.
pub(super) fn encode_i256(value: i256, scale: i8, out: &mut Vec<u8>) {
    let is_negative = value.is_negative();
    let mut text = value.to_string().trim_start_matches('-').to_owned();
    match usize::try_from(scale) {
        Ok(0) => {}
        Ok(places) => {
            let padded = format!("{text:0>width$}", width = places + 1);
            let (whole, fraction) = padded.split_at(padded.len() - places);
            text = format!("{whole}.{fraction}");
        }
        Err(_) => text.extend(std::iter::repeat_n('0', usize::from(scale.unsigned_abs()))),
    }
    if is_negative {
        text.insert(0, '-');
    }
    let encoded = encode_text(&text, out);
    debug_assert!(encoded.is_ok(), "digits of an integer are a number");
}

/// Appends the field of a number's text (`-12.50`, `NaN`, `Infinity`); an error for any other text.
pub(super) fn encode_text(text: &str, out: &mut Vec<u8>) -> Result<(), Why> {
    const NOT_A_NUMBER: Why = "a text that is not a number";
    let special = match text {
        "NaN" => Some(NAN),
        "Infinity" => Some(INFINITY),
        "-Infinity" => Some(MINUS_INFINITY),
        _ => None,
    };
    if let Some(sign) = special {
        out.extend_from_slice(&(HEADER as u32).to_be_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&sign.to_be_bytes());
        out.extend_from_slice(&[0; 2]);
        return Ok(());
    }
    let (is_negative, digits) = match text.as_bytes() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let point = digits.iter().position(|&b| b == b'.').unwrap_or(digits.len());
    let (whole, places) = (&digits[..point], digits.get(point + 1..).unwrap_or_default());
    let is_number = whole.iter().chain(places).all(u8::is_ascii_digit) && whole.len() + places.len() > 0;
    // PostgreSQL's own limits of digits before and behind the point.
    if !is_number || whole.len() > 131_072 || places.len() > 16_383 {
        return Err(NOT_A_NUMBER);
    }
    let mut groups = Vec::with_capacity((whole.len() + places.len()) / 2 + 4);
    let number = |group: &[u8]| group.iter().fold(0_u16, |sum, b| sum * 10 + u16::from(b - b'0'));
    for group in whole.rchunks(4).rev() {
        groups.extend_from_slice(&number(group).to_be_bytes());
    }
    let weight = whole.len().div_ceil(4) as i16 - 1;
    for group in places.chunks(4) {
        let full = number(group) * 10_u16.pow(4 - group.len() as u32);
        groups.extend_from_slice(&full.to_be_bytes());
    }
    put(&groups, weight, is_negative, places.len() as u16, out);
    Ok(())
}

#[inline]
fn put(digits: &[u8], weight: i16, is_negative: bool, places: u16, out: &mut Vec<u8>) {
    let sign = if is_negative { NEGATIVE } else { 0 };
    let mut header = [0_u8; 4 + HEADER];
    header[..4].copy_from_slice(&((HEADER + digits.len()) as u32).to_be_bytes());
    header[4..6].copy_from_slice(&((digits.len() / 2) as u16).to_be_bytes());
    header[6..8].copy_from_slice(&weight.to_be_bytes());
    header[8..10].copy_from_slice(&sign.to_be_bytes());
    header[10..12].copy_from_slice(&places.to_be_bytes());
    out.extend_from_slice(&header);
    out.extend_from_slice(digits);
}
