//! Pages of lists: how many are in one, and where the next one begins.

/// How many are in a page.
#[derive(Clone, Copy)]
pub(super) struct PageSize {
    usual: i64,
    most: i64,
}

/// Of most lists.
pub(super) const ITEMS: PageSize = PageSize::new(50, 500);

impl PageSize {
    /// `usual` where no number is asked for, and `most` however many are.
    pub(super) const fn new(usual: i64, most: i64) -> Self {
        Self { usual, most }
    }

    pub(super) fn of(self, wanted: Option<i64>) -> i64 {
        wanted.unwrap_or(self.usual).clamp(1, self.most)
    }
}

/// The place of a page's last item, behind which the next page begins; `None` where the page is not full: then there is none.
pub(super) fn next<T, P>(page: &[T], limit: i64, place: impl FnOnce(&T) -> P) -> Option<P> {
    let is_full = i64::try_from(page.len()).is_ok_and(|found| found == limit);
    page.last().filter(|_| is_full).map(place)
}
