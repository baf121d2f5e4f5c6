//! Boundaries written and read for real.
