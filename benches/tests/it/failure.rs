//! What a run does when something goes wrong.
