//! Tests of the whole system, in one binary because each links DataFusion.

#[cfg(test)]
mod tidy;
