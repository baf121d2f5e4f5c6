//! Files read and written for real.
