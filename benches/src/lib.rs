//! Measurements of FlowETL and checks of the whole system; nothing is exported, see `README.md`.
