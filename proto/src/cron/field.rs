//! One field of a cron line: the numbers that it takes.

/// Numbers of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Field {
    /// One bit for each number.
    bits: u64,
    /// It begins with `*`: nothing is asked for, or a rhythm.
    pub any: bool,
    /// `*/5`.
    pub step: Option<u32>,
    /// The last day of the month is among the days.
    pub last: bool,
}

/// What a field may hold.
pub(super) struct Sort {
    name: &'static str,
    min: u32,
    max: u32,
    /// Words for its numbers, from the least.
    words: &'static [&'static str],
}

pub(super) const SECOND: Sort = Sort { name: "second", min: 0, max: 59, words: &[] };
pub(super) const MINUTE: Sort = Sort { name: "minute", min: 0, max: 59, words: &[] };
pub(super) const HOUR: Sort = Sort { name: "hour", min: 0, max: 23, words: &[] };
pub(super) const DAY: Sort = Sort { name: "day", min: 1, max: 31, words: &[] };
pub(super) const MONTH: Sort = Sort {
    name: "month",
    min: 1,
    max: 12,
    words: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// Sunday is 0, and 7 too.
pub(super) const WEEKDAY: Sort =
    Sort { name: "weekday", min: 0, max: 7, words: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

impl Field {
    pub fn holds(&self, number: u32) -> bool {
        self.bits & 1 << number != 0
    }

    /// From the least.
    pub fn numbers(&self) -> impl Iterator<Item = u32> + '_ {
        (0..64).filter(|number| self.holds(*number))
    }

    /// The number, where it is only one.
    pub fn only(&self) -> Option<u32> {
        (self.bits.count_ones() == 1 && !self.last).then(|| self.bits.trailing_zeros())
    }

    /// Whether it leaves nothing out.
    pub fn is_every(&self) -> bool {
        self.any && self.step.is_none()
    }
}

impl Sort {
    pub fn read(&self, text: &str) -> Result<Field, String> {
        let any = text.starts_with(['*', '?']);
        let mut field = Field { bits: 0, any, step: None, last: false };
        for item in text.split(',') {
            if self.max == 31 && item.eq_ignore_ascii_case("l") {
                field.last = true;
                continue;
            }
            let (range, step) = match item.split_once('/') {
                Some((range, step)) => (range, Some(step)),
                None => (item, None),
            };
            let (first, last) = self.range(range, step.is_some()).ok_or_else(|| self.wrong(item))?;
            let step = match step {
                None => 1,
                Some(step) => {
                    step.parse().ok().filter(|step| (1..=self.max).contains(step)).ok_or_else(|| self.wrong(item))?
                }
            };
            if any && step > 1 && item == text {
                field.step = Some(step);
            }
            for number in (first..=last).step_by(step as usize) {
                field.bits |= 1 << number;
            }
        }
        // Sunday has two numbers.
        if self.max == 7 && field.holds(7) {
            field.bits = field.bits & !(1 << 7) | 1;
        }
        Ok(field)
    }

    /// The first and the last number of `*`, `3`, `1-5`; a single number with a step goes on to the end.
    fn range(&self, text: &str, has_step: bool) -> Option<(u32, u32)> {
        // A week begins once.
        let end = if self.max == 7 { 6 } else { self.max };
        if matches!(text, "*" | "?") {
            return Some((self.min, end));
        }
        match text.split_once('-') {
            Some((first, last)) => {
                Some((self.number(first)?, self.number(last)?)).filter(|(first, last)| first <= last)
            }
            None => self.number(text).map(|number| (number, if has_step { end } else { number })),
        }
    }

    fn number(&self, text: &str) -> Option<u32> {
        let word = self.words.iter().position(|word| text.eq_ignore_ascii_case(word));
        let number = match word {
            Some(at) => u32::try_from(at).ok()? + self.min,
            None if text.bytes().all(|b| b.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.min..=self.max).contains(&number).then_some(number)
    }

    fn wrong(&self, item: &str) -> String {
        let words = match self.words {
            [] => String::new(),
            words => format!(" or `{}` to `{}`", words[0], words[words.len() - 1]),
        };
        format!(
            "`{item}` is no {}; it is {} to {}{words}, `*`, a range `a-b`, a step `*/n`, or several with commas",
            self.name, self.min, self.max
        )
    }
}
