//! What scripts and people rely on.
